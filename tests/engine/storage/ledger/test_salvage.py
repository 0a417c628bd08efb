"""What can be read of a damaged ledger is saved, and nothing is announced twice because of the damage."""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from itsjustintv_desktop.engine.core.models import DeliveryState
from itsjustintv_desktop.engine.storage.ledger import FEED, Ledger
from itsjustintv_desktop.engine.storage.ledger.pages import Pages
from tests.engine.storage.ledger.book import FAILED, Book, raw
from tests.support.builders import make_event
from tests.support.clock import FakeClock
from tests.support.waiting import until

PAGE = 4096
STATES = list(DeliveryState)
pytestmark = pytest.mark.expected_errors("put aside", "cannot be written")


class Whole(NamedTuple):
    """A ledger before it is damaged."""

    path: Path
    events: dict[int, tuple[Any, ...]]
    deliveries: dict[int, tuple[Any, ...]]
    page_of: dict[tuple[str, int], int]
    """Where each row stands."""


def _rows(path: Path, table: str) -> dict[int, tuple[Any, ...]]:
    with raw(path) as connection:
        return {row[0]: row for row in connection.execute(f"SELECT * FROM {table}")}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    return asyncio.run(_made(tmp_path_factory.mktemp("whole") / "ledger.db"))


async def _made(path: Path) -> Whole:
    clock = FakeClock()
    ledger = Ledger(path, clock)
    await ledger.open()
    book = Book(ledger, clock)
    for number in range(200):
        details = {"message_id": f"m{number}", "stream_id": f"s{number}", "broadcaster_name": "x" * (number * 7 % 900)}
        if number % 4 == 0:
            await book.event(**details)
        elif number % 4 == 1:
            payload = random.Random(number).randbytes(9000).hex()  # longer than a page
            event_id = await book.event(**details)
            await ledger.announce(event_id, streamer="alice", payload=f'"{payload}"'.encode(), destinations=["a", "b"])
        else:
            delivery = await book.delivery("a", **details)
            claimed = await book.claimed(delivery)
            state = STATES[number % len(STATES)]
            if state is DeliveryState.PENDING:
                await book.finish(claimed, state, FAILED, next_at=clock.now() + 60)
            elif state is not DeliveryState.SENDING:
                await book.finish(claimed, state)
    await ledger.set_meta("some", "thing")
    await ledger.announced_to([])
    await ledger.purge(0, 0, 0)
    await ledger.close()
    page_of: dict[tuple[str, int], int] = {}
    with Pages(path) as pages:
        roots = pages.roots()
        for table in ("events", "deliveries"):
            for number, rows in pages.tree(roots[table]):
                page_of.update({(table, row.rowid or 0): number for row in rows})
    events, deliveries = _rows(path, "events"), _rows(path, "deliveries")
    assert {key for table, key in page_of if table == "events"} == events.keys()
    assert {key for table, key in page_of if table == "deliveries"} == deliveries.keys()
    return Whole(path, events, deliveries, page_of)


async def _opened(path: Path, clock: FakeClock, *, force: bool = False) -> Ledger:
    """Opened, and made to meet its damage."""
    notices: list[str] = []
    ledger = Ledger(path, clock, on_notice=notices.append)
    await ledger.open()
    if not list(path.parent.glob("*damaged*")) and force:

        def meet(connection: sqlite3.Connection) -> None:
            raise sqlite3.DatabaseError("file is not a database")

        with pytest.raises(Exception, match="damaged"):
            await ledger._writer.run(meet)
    await until(lambda: notices)
    _, _, saved = notices[0].partition("Saved from it: ")
    assert bool(saved) is bool(len(await ledger.events()) > 1)
    return ledger


async def _check(whole: Whole, ledger: Ledger, path: Path, damaged: set[int], cut: int) -> None:
    events, deliveries = _rows(path, "events"), _rows(path, "deliveries")
    lost = {page for page in whole.page_of.values() if page in damaged or page > cut}
    for (table, key), page in whole.page_of.items():
        if page in lost:
            continue
        if table == "events":
            assert key in events, "a row on a sound page is missing"
            assert events[key][1:13] == whole.events[key][1:13]
        else:
            was = whole.deliveries[key]
            anew = was[5] == "pending" and was[6] == 0 and events.get(was[2], (None,) * 14)[13] == "accepted"
            assert key in deliveries or anew
    for key, row in deliveries.items():
        was = whole.deliveries[key]
        assert row[1:3] == was[1:3], "the same webhook-id"
        if row[5] != was[5]:
            assert row[5] == "dead"
            assert "could not be read" in row[11]
    for key, row in events.items():
        assert key in whole.events or row[1] == "ledger"
    # What was sent, or may have been, is not sent again if anything of it is left.
    for key, was in whole.deliveries.items():
        event = events.get(was[2])
        if event is None or event[1] == "ledger" or (was[5] == "pending" and was[6] == 0):
            continue
        if key in deliveries or event[13] == "announced":
            assert await ledger.announced_to([(was[4], event[5], event[8])]), was
    with raw(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        counted = connection.execute("SELECT destination, state, count(*) FROM deliveries GROUP BY 1, 2").fetchall()
        tally = connection.execute("SELECT * FROM tally WHERE count ORDER BY 1, 2").fetchall()
        assert sorted(counted) == sorted(tally)
        waiting = connection.execute(
            "SELECT count(*) FROM deliveries d JOIN events e ON e.id = d.event_id "
            "WHERE d.state IN ('pending', 'sending') AND e.payload IS NULL"
        ).fetchone()
        assert waiting == (0,), "what cannot be sent does not wait"


@pytest.mark.fault(
    "ledger: pages damaged anywhere",
    seen='a notice says what was "Saved from it"; events and deliveries that can be read go on, none is sent twice',
)
@pytest.mark.parametrize("seed", range(25))
async def test_random_pages(whole: Whole, tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    path = tmp_path / "ledger.db"
    data = bytearray(whole.path.read_bytes())
    pages = len(data) // PAGE
    damaged = set(dice.sample(range(1, pages + 1), dice.choice([1, 3, 10, pages // 2])))
    for number in damaged:
        filling = dice.choice([bytes(PAGE), dice.randbytes(PAGE), b"\xff" * PAGE])
        data[(number - 1) * PAGE : number * PAGE] = filling
    path.write_bytes(data)
    ledger = await _opened(path, FakeClock(), force=True)
    try:
        await _check(whole, ledger, path, damaged, pages)
    finally:
        await ledger.close()


@pytest.mark.fault(
    "ledger: cut off anywhere",
    seen='a notice says what was "Saved from it"; events and deliveries that can be read go on, none is sent twice',
)
@pytest.mark.parametrize("seed", range(10))
async def test_random_cuts(whole: Whole, tmp_path: Path, seed: int) -> None:
    path = tmp_path / "ledger.db"
    data = whole.path.read_bytes()
    size = random.Random(seed).randrange(100, len(data))
    path.write_bytes(data[:size])
    ledger = await _opened(path, FakeClock(), force=True)
    try:
        await _check(whole, ledger, path, set(), size // PAGE)
    finally:
        await ledger.close()


@pytest.mark.parametrize("seed", range(25))
async def test_random_bytes(whole: Whole, tmp_path: Path, seed: int) -> None:
    """A few bytes here and there: rows are never made up."""
    dice = random.Random(1000 + seed)
    path = tmp_path / "ledger.db"
    data = bytearray(whole.path.read_bytes())
    for _ in range(dice.choice([5, 50, 500])):
        data[dice.randrange(len(data))] = dice.randrange(256)
    path.write_bytes(data)
    ledger = await _opened(path, FakeClock(), force=True)
    try:
        records = await ledger.events()
        assert records[0].event.kind == "ledger.begun"
        for name in await ledger.delivery_destinations():
            assert await ledger.deliveries(destination=name)
        assert isinstance(await ledger.feed(200), list)
        claimed = (await ledger.claim(1000, {}, 1000)).deliveries
        assert all(one.payload for one in claimed)
    finally:
        await ledger.close()


async def test_what_stood_in_the_log_alone_counts(tmp_path: Path) -> None:
    clock = FakeClock()
    ledger = Ledger(tmp_path / "ledger.db", clock)
    await ledger.open()
    book = Book(ledger, clock)
    sent = await book.ended(DeliveryState.DELIVERED)
    waiting = await book.delivery()
    dead = tmp_path / "dead"
    dead.mkdir()
    for name in ("ledger.db", "ledger.db-wal"):
        shutil.copy(tmp_path / name, dead)
    await ledger.close()
    (dead / "ledger.db").write_bytes(b"\xff" * PAGE)  # its log is whole
    again = Ledger(dead / "ledger.db", clock)
    await again.open()
    assert (await again.delivery(sent)).state is DeliveryState.DELIVERED
    assert (await again.delivery(waiting)).state is DeliveryState.PENDING
    await again.close()


async def test_settings_counters_and_pauses_go_along(whole: Whole, tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    data = bytearray(whole.path.read_bytes())
    page = whole.page_of["events", 1]
    data[(page - 1) * PAGE : page * PAGE] = b"\xff" * PAGE
    path.write_bytes(data)
    ledger = await _opened(path, FakeClock(), force=True)
    assert await ledger.meta("some") == "thing"
    await ledger.close()


async def test_an_announced_stream_whose_deliveries_are_lost_is_not_announced_again(tmp_path: Path) -> None:
    clock = FakeClock()
    path = tmp_path / "ledger.db"
    ledger = Ledger(path, clock)
    await ledger.open()
    book = Book(ledger, clock)
    await book.announced("main", stream_id="old")
    await ledger.save_breaker("main", b"{}")
    await ledger.close()
    with raw(path) as connection:
        lost = [
            row[0]
            for row in connection.execute("SELECT rootpage FROM sqlite_schema WHERE name IN ('once', 'deliveries')")
        ]
    data = bytearray(path.read_bytes())
    for number in lost:
        data[(number - 1) * PAGE : number * PAGE] = b"\xff" * PAGE
    path.write_bytes(data)
    ledger = await _opened(path, clock, force=True)
    event = make_event()
    assert await ledger.announced_to([("main", event.broadcaster_id, "old")])
    assert await ledger.announced_to([(FEED, event.broadcaster_id, "old")])
    await ledger.close()


async def test_a_delivery_never_tried_whose_payload_is_lost_is_made_anew(tmp_path: Path) -> None:
    clock = FakeClock()
    path = tmp_path / "ledger.db"
    ledger = Ledger(path, clock)
    await ledger.open()
    book = Book(ledger, clock)
    await book.announced("main", stream_id="waiting", message_id="waiting")
    tried = await book.delivery("other", stream_id="tried", message_id="tried")
    await book.finish(await book.claimed(tried), DeliveryState.PENDING, FAILED, next_at=clock.now())
    await ledger.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE events SET payload = x'00112233'")
        connection.commit()
    ledger = await _opened(path, clock, force=True)
    assert [record.event.message_id for record in await ledger.unfinished()] == ["waiting"]
    (left,) = await ledger.deliveries()
    assert (left.id, left.state) == (tried, DeliveryState.DEAD)
    assert left.last_error == "Its announcement could not be read from the damaged ledger."
    record = (await ledger.unfinished())[0]
    made = await ledger.announce(record.id, streamer="alice", payload=b"{}", destinations=["main"])
    assert made.created
    await ledger.close()
