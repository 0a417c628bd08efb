"""The thread: groups of jobs, errors in one of them, and its end."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from typing import Any

import pytest

from itsjustintv_desktop.engine.core.errors import LedgerError, LedgerUnavailableError, NotFoundError, UsageError
from itsjustintv_desktop.engine.core.models import DeliveryState
from itsjustintv_desktop.engine.storage.ledger import Ledger
from tests.engine.storage.ledger.book import Book
from tests.support.builders import make_event
from tests.support.waiting import until


def put(key: str, error: BaseException | None = None) -> Any:
    def job(connection: sqlite3.Connection) -> str:
        connection.execute("INSERT INTO meta(key, value) VALUES (?, 'x')", (key,))
        if error is not None:
            raise error
        return key

    return job


async def test_an_error_in_one_job_undoes_that_one_only(ledger: Ledger) -> None:
    jobs = [put("a"), put("b", UsageError("no")), put("c"), put("d", ZeroDivisionError()), put("e")]
    outcomes = await asyncio.gather(*(ledger._writer.run(job) for job in jobs), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [str, UsageError, str, ZeroDivisionError, str]
    assert [await ledger.meta(key) for key in "abcde"] == ["x", None, "x", None, "x"]
    assert ledger.failure is None


async def test_wishes_that_are_refused_disturb_no_others(ledger: Ledger, book: Book) -> None:
    ids = [await book.delivery() for _ in range(3)]
    outcomes = await asyncio.gather(
        ledger.drop(ids[0]), ledger.drop(99), ledger.resend(ids[1]), ledger.drop(ids[2]), return_exceptions=True
    )
    assert [type(outcome).__name__ for outcome in outcomes] == [
        "DeliveryView",
        NotFoundError.__name__,
        UsageError.__name__,
        "DeliveryView",
    ]
    assert [(await ledger.delivery(each)).state for each in ids] == [
        DeliveryState.DROPPED,
        DeliveryState.PENDING,
        DeliveryState.DROPPED,
    ]


async def test_an_answer_comes_after_the_commit(ledger: Ledger) -> None:
    """Nothing a caller was told can be lost: rolling back the group is still possible until then."""
    seen: list[bool] = []

    def look(connection: sqlite3.Connection) -> None:
        seen.append(connection.in_transaction)

    first = asyncio.ensure_future(ledger._writer.run(put("a")))
    second = asyncio.ensure_future(ledger._writer.run(look))
    await asyncio.gather(first, second)
    assert seen == [True]


@pytest.mark.expected_errors("cannot be written")
@pytest.mark.parametrize("error", [sqlite3.OperationalError("disk I/O error"), MemoryError()])
async def test_a_group_that_cannot_be_committed_fails_as_a_whole(ledger: Ledger, error: BaseException) -> None:
    together = threading.Event()
    held = asyncio.ensure_future(ledger._writer.run(lambda _: together.wait(30)))
    jobs = [put("a"), put("b", error), put("c")]
    waiting = asyncio.gather(*(ledger._writer.run(job) for job in jobs), return_exceptions=True)
    await asyncio.sleep(0)  # all of them wait behind the first
    together.set()
    outcomes = await waiting
    await asyncio.gather(held, return_exceptions=True)
    assert isinstance(outcomes[0], LedgerUnavailableError)
    assert isinstance(outcomes[1], LedgerUnavailableError)
    assert outcomes[2] == "c" or isinstance(outcomes[2], LedgerUnavailableError)
    assert await ledger.meta("a") is None
    assert ledger.failure is None, "the next success heals"
    assert ledger.alive


@pytest.mark.expected_errors("the ledger thread broke", "cannot be written")
async def test_when_the_thread_dies_nobody_waits_for_ever(ledger: Ledger) -> None:
    heard: list[bool | LedgerError] = []
    dying = asyncio.ensure_future(ledger._writer.run(put("a", SystemExit())))
    behind = asyncio.ensure_future(ledger._writer.run(put("b")))
    await asyncio.sleep(0)
    ledger.accept(make_event(), heard.append)
    outcomes = await asyncio.wait_for(asyncio.gather(dying, behind, return_exceptions=True), 5)
    assert all(isinstance(outcome, LedgerError) for outcome in outcomes)
    await until(lambda: heard)
    await until(lambda: not ledger.alive)
    assert ledger.failure is not None
    assert "Restart" in ledger.failure.message
    with pytest.raises(LedgerUnavailableError):
        await ledger.accept_now(make_event())
    with pytest.raises(LedgerUnavailableError):
        await ledger.counts()


async def test_closing_ends_what_is_queued_first(ledger: Ledger) -> None:
    jobs = [asyncio.ensure_future(ledger._writer.run(put(f"k{number}"))) for number in range(50)]
    accepted = [asyncio.ensure_future(ledger.accept_now(make_event())) for _ in range(50)]
    await asyncio.sleep(0)
    await ledger.close()
    assert await asyncio.gather(*jobs) == [f"k{number}" for number in range(50)]
    assert await asyncio.gather(*accepted) == [True] * 50
    assert not ledger.alive
    assert "ledger" not in [thread.name for thread in threading.enumerate()]
    await ledger.close()


async def test_a_caller_that_gives_up_does_not_undo_the_work(ledger: Ledger) -> None:
    task = asyncio.ensure_future(ledger._writer.run(put("a")))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert await ledger.meta("a") == "x"
