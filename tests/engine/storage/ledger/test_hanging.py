"""A disk that hangs: the thread stands in a write, and everybody else must be told instead of waiting with it."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.core.errors import LedgerUnavailableError
from itsjustintv_desktop.engine.storage.ledger import Ledger, writer
from tests.engine.storage.ledger.book import Book, raw
from tests.support.builders import make_event
from tests.support.clock import FakeClock
from tests.support.waiting import until


class Disk:
    """Stands still, in a job of the thread, until it is let go."""

    def __init__(self) -> None:
        self.goes_on = threading.Event()
        self.stands = threading.Event()

    def hang(self, connection: sqlite3.Connection) -> None:
        connection.execute("INSERT OR REPLACE INTO meta(key, value) VALUES ('test', '1')")
        self.stands.set()
        self.goes_on.wait(30)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    monkeypatch.setattr(writer, "HANG_SECONDS", 0.3)
    made = Disk()
    yield made
    made.goes_on.set()


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    made = Ledger(tmp_path / "ledger.db", FakeClock())
    await made.open()
    yield made
    await made.close()


async def test_whoever_comes_is_refused_at_once_and_it_heals_by_itself(ledger: Ledger, disk: Disk) -> None:
    hanging = asyncio.ensure_future(ledger._writer.run(disk.hang))
    await until(lambda: ledger.failure)
    assert ledger.failure is not None
    assert "has not finished a write for" in ledger.failure.message
    assert ledger.alive
    assert ledger.failing_since is not None
    for _ in range(3):
        with pytest.raises(LedgerUnavailableError, match="not finished a write"):
            await ledger.accept_now(make_event())
        with pytest.raises(LedgerUnavailableError, match="not finished a write"):
            await ledger.counts()
    disk.goes_on.set()
    await hanging
    await until(lambda: ledger.failure is None)
    assert ledger.hanging is None
    assert await ledger.accept_now(make_event())


async def test_who_waited_before_it_was_noticed_hears_afterwards(ledger: Ledger, disk: Disk) -> None:
    hanging = asyncio.ensure_future(ledger._writer.run(disk.hang))
    await until(disk.stands.is_set)
    accepted = asyncio.ensure_future(ledger.accept_now(make_event(message_id="m")))
    await until(lambda: ledger.hanging)
    assert not accepted.done()
    disk.goes_on.set()
    await hanging
    assert await accepted is True


async def test_work_that_is_quick_is_no_hang(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "HANG_SECONDS", 0.05)
    for number in range(50):
        await ledger.accept_now(make_event(message_id=str(number)))
        assert ledger.hanging is None
    await asyncio.sleep(0.1)
    assert ledger.hanging is None, "it has nothing to do"


@pytest.mark.expected_errors("cannot be written")
async def test_reading_does_not_make_a_ledger_well_that_cannot_be_written(
    tmp_path: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watchdog reads every few seconds: a full disk must not look well because of that."""
    before = ledger.changed_at
    with raw(tmp_path / "ledger.db") as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerUnavailableError):
            await ledger.accept_now(make_event())
        other.execute("ROLLBACK")
    probes: list[int] = []
    monkeypatch.setattr(ledger._writer, "_probe", lambda: probes.append(1))
    await ledger.progress()
    await ledger.counts()
    assert ledger.failure is not None
    await until(lambda: probes, what="it is tried, though others read")
    monkeypatch.undo()
    await until(lambda: ledger.failure is None)
    assert ledger.changed_at > before


async def test_the_pulse_shows_what_waits(ledger: Ledger) -> None:
    clock = FakeClock()
    book = Book(ledger, clock)
    assert (await ledger.progress()).unfinished is None
    event = await book.event()
    first = await book.delivery("main")
    await book.delivery("other")
    pulse = await ledger.progress()
    assert (pulse.unfinished, pulse.sending, set(pulse.due)) == (event, 0, {"main", "other"})
    await book.claimed(first)
    pulse = await ledger.progress()
    assert (pulse.sending, set(pulse.due)) == (1, {"other"})
