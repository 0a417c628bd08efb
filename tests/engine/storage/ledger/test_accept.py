from __future__ import annotations

import asyncio
import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsjustintv_desktop.engine.core.errors import LedgerError, LedgerUnavailableError
from itsjustintv_desktop.engine.core.models import EventState
from itsjustintv_desktop.engine.storage.ledger import Ledger
from itsjustintv_desktop.engine.storage.ledger.accepting import accept
from itsjustintv_desktop.engine.storage.ledger.migrations import migrate
from tests.engine.storage.ledger.book import raw
from tests.support.builders import make_event
from tests.support.clock import START
from tests.support.waiting import until


async def test_an_accepted_event_is_on_disk_and_complete(ledger: Ledger, path: Path) -> None:
    event = make_event(kind="revocation", subscription_id="sub", detail="user_removed", started_at=None, test=True)
    assert await ledger.accept_now(event)
    with raw(path) as other:  # another process sees it: it is committed
        assert other.execute("SELECT count(*) FROM events").fetchone() == (1,)
    (record,) = await ledger.events_of_message("twitch", event.message_id or "")
    assert (record.event, record.state, record.settled_at) == (event, EventState.ACCEPTED, None)


async def test_a_message_id_is_taken_once_a_source(ledger: Ledger) -> None:
    assert await ledger.accept_now(make_event(message_id="m")) is True
    assert await ledger.accept_now(make_event(message_id="m", stream_id="another")) is False
    assert await ledger.accept_now(make_event(message_id="m", source="kick")) is True
    assert await ledger.accept_now(make_event(message_id="m", source="kick")) is False
    assert [record.event.source for record in await ledger.unfinished()] == ["twitch", "kick"]


async def test_events_without_a_message_id_are_never_duplicates(ledger: Ledger) -> None:
    assert [await ledger.accept_now(make_event(message_id=None)) for _ in range(3)] == [True] * 3


async def test_a_burst_keeps_its_order_and_each_hears_its_own_word(ledger: Ledger) -> None:
    heard: list[tuple[str, bool | LedgerError]] = []
    ids = [f"m{number % 400}" for number in range(1000)]
    for number, message_id in enumerate(ids):
        event = make_event(message_id=message_id, stream_id=str(number))
        ledger.accept(event, partial(_hear, heard, message_id))
    await until(lambda: len(heard) == 1000)
    assert [message_id for message_id, _ in heard] == ids
    assert [outcome for _, outcome in heard] == [number < 400 for number in range(1000)]
    stored: list[str] = []
    while page := await ledger.unfinished(after=len(stored)):
        stored += [record.event.stream_id for record in page]
    assert stored == [str(number) for number in range(400)]


async def test_a_burst_costs_few_commits(ledger: Ledger) -> None:
    commits: list[str] = []

    def count(connection: sqlite3.Connection) -> None:
        connection.set_trace_callback(lambda statement: commits.append(statement) if statement == "COMMIT" else None)

    await ledger._writer.run(count)
    assert all(await asyncio.gather(*(ledger.accept_now(make_event()) for _ in range(500))))
    assert len(commits) <= 20


async def test_events_come_before_jobs_that_wait(ledger: Ledger) -> None:
    order: list[str] = []

    def job(name: str) -> Any:
        def run(connection: sqlite3.Connection) -> None:
            assert connection.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 20000) "
                                      "SELECT count(*) FROM n").fetchone()  # fmt: skip
            order.append(name)

        return run

    async def wait(name: str) -> None:
        await ledger._writer.run(job(name))

    jobs = [asyncio.ensure_future(wait(f"job {number}")) for number in range(50)]
    await until(lambda: order)
    ledger.accept(make_event(), lambda _: order.append("event"))
    await asyncio.gather(*jobs)
    await until(lambda: "event" in order)
    # The group under way is ended first (2 ms), not the whole queue.
    assert order[-1] != "event"


@pytest.mark.parametrize(
    "bad",
    [
        {"broadcaster_login": "\ud800"},
        {"broadcaster_login": None},
        {"detail": object()},
        {"received_at": 2**70},
    ],
)
async def test_an_event_that_cannot_be_stored_takes_no_other_with_it(ledger: Ledger, bad: dict[str, Any]) -> None:
    events = [make_event(), make_event(**bad), make_event(), make_event(source="kick")]
    outcomes = await asyncio.gather(*(ledger.accept_now(event) for event in events), return_exceptions=True)
    assert [outcomes[0], outcomes[2], outcomes[3]] == [True, True, True]
    assert isinstance(outcomes[1], LedgerError)
    assert ledger.failure is None
    assert ledger.alive
    assert await ledger.accept_now(make_event())


@pytest.mark.expected_errors("a source broke")
async def test_a_source_that_breaks_in_settle_keeps_the_word_from_nobody(ledger: Ledger) -> None:
    heard: list[bool | LedgerError] = []

    def breaks(_outcome: bool | LedgerError) -> None:
        raise ZeroDivisionError

    ledger.accept(make_event(), breaks)
    ledger.accept(make_event(), heard.append)
    await until(lambda: heard == [True])


async def test_after_closing_the_sender_hears_no(path: Path, ledger: Ledger) -> None:
    heard: list[bool | LedgerError] = []
    ledger.accept(make_event(), heard.append)
    await ledger.close()
    await until(lambda: heard == [True])
    ledger.accept(make_event(), heard.append)
    assert isinstance(heard[1], LedgerUnavailableError)
    with pytest.raises(LedgerUnavailableError):
        await ledger.accept_now(make_event())
    with pytest.raises(LedgerUnavailableError):
        await ledger.counts()


def _hear(heard: list[tuple[str, bool | LedgerError]], message_id: str, outcome: bool | LedgerError) -> None:
    heard.append((message_id, outcome))


keys = st.tuples(st.sampled_from(["twitch", "kick"]), st.one_of(st.none(), st.sampled_from("abcdefghij")))


@given(st.lists(keys, max_size=200), st.lists(keys, max_size=200))
def test_any_batches_store_what_a_set_would(first: list[tuple[str, str | None]], then: list[Any]) -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection)
    known: set[tuple[str, str]] = set()
    kept: list[tuple[str, str | None]] = []
    for batch in (first, then):
        expected = []
        for source, message_id in batch:
            expected.append(message_id is None or (source, message_id) not in known)
            if expected[-1]:
                kept.append((source, message_id))
            if message_id is not None:
                known.add((source, message_id))
        events = [make_event(source=source, message_id=message_id, received_at=START) for source, message_id in batch]
        assert accept(connection, events) == expected
    assert connection.execute("SELECT source, message_id FROM events ORDER BY id").fetchall() == kept
    connection.close()
