"""The write-ahead log overwritten or truncated in place while it is open: nothing accepted is lost or doubled."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from itsjustintv_desktop.engine.core.errors import LedgerError
from itsjustintv_desktop.engine.core.models import DeliveryState, StreamEvent
from itsjustintv_desktop.engine.storage.ledger import Ledger, accepting, walcopy, writer
from tests.engine.storage.ledger.book import Book, killed, over, raw, shm, wal, zeroed
from tests.support.builders import make_event
from tests.support.clock import FakeClock
from tests.support.waiting import until

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="the tests of it copy files that are open"),
    pytest.mark.expected_errors("cannot be written", "put aside"),
]


@pytest.fixture
async def ledger(path: Path, clock: FakeClock, notices: list[str]) -> AsyncIterator[Ledger]:
    new = Ledger(path, clock)
    await new.open()
    await new.close()
    # From here on the log has nothing but what these tests write.
    made = Ledger(path, clock, on_notice=notices.append)
    await made.open()
    yield made
    await made.close()


def header_zeroed(path: Path) -> None:
    over(path, 0, 32)


def noise_in_the_middle(path: Path) -> None:
    over(path, wal(path).stat().st_size // 2, 200, b"noise")


def last_commit_zeroed(path: Path) -> None:
    size = wal(path).stat().st_size
    over(path, size - 4120, 4120)


def truncated(path: Path) -> None:
    os.truncate(wal(path), 0)


def cut_in_half(path: Path) -> None:
    os.truncate(wal(path), wal(path).stat().st_size // 2)


def an_older_one_written_over_it(path: Path) -> None:
    other = path.parent.parent / "other" / "ledger.db"
    other.parent.mkdir()
    with closing(sqlite3.connect(other, isolation_level=None)) as made:
        made.execute("PRAGMA journal_mode = WAL")
        made.execute("CREATE TABLE t(x)")
        wal(path).write_bytes(wal(other).read_bytes())
    shutil.rmtree(other.parent)


def truncated_with_its_index(path: Path) -> None:
    truncated(path)
    os.truncate(shm(path), 0)


ACTS = [
    zeroed, header_zeroed, noise_in_the_middle, last_commit_zeroed, truncated, cut_in_half,
    an_older_one_written_over_it, truncated_with_its_index,
]  # fmt: skip
IN_USE = [act for act in ACTS if act is not truncated_with_its_index]
"""The index cut off just while SQLite uses it ends the program: it is mapped into memory."""
PARTIAL = [noise_in_the_middle, last_commit_zeroed, cut_in_half]
_SEEN = (
    'a notice and the health say "The ledger\'s write-ahead log was overwritten"; it is written again from memory, '
    "nothing is lost"
)


def _name(act: Callable[[Any], None]) -> str:
    return act.__name__.strip("_").replace("_", " ")


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(act, marks=pytest.mark.fault(f"ledger: its -wal {_name(act)}, while it runs", seen=_SEEN))
        for act in ACTS
    ],
    ids=map(_name, ACTS),
)
async def test_nothing_is_lost(
    path: Path, tmp_path: Path, ledger: Ledger, act: Callable[[Path], None], notices: list[str]
) -> None:
    for number in range(100):
        assert await ledger.accept_now(make_event(message_id=f"before-{number}", broadcaster_name="x" * 500))
    await asyncio.sleep(0.02)  # another tick of the file system's clock
    act(path)
    assert await ledger.accept_now(make_event(message_id="after"))
    assert not await ledger.accept_now(make_event(message_id="before-99")), "what was known is known"
    assert killed(path, tmp_path) == [*(f"before-{number}" for number in range(100)), "after"]
    assert ledger.failure is None
    await until(lambda: notices)
    assert len(notices) == 1
    assert notices[0].startswith("The ledger's write-ahead log was overwritten while the program ran. It was")
    act(path)  # and again
    assert await ledger.accept_now(make_event(message_id="again"))
    assert killed(path, tmp_path)[-2:] == ["after", "again"]


@pytest.mark.usefixtures("quick_looks")
@pytest.mark.parametrize("act", ACTS, ids=map(_name, ACTS))
async def test_it_is_noticed_while_nothing_happens(
    path: Path, tmp_path: Path, ledger: Ledger, act: Callable[[Path], None]
) -> None:
    for number in range(5):
        assert await ledger.accept_now(make_event(message_id=f"m{number}"))
    await asyncio.sleep(0.02)
    act(path)
    await until(lambda: ledger.lately is not None and ledger.failure is None, timeout=10)
    assert killed(path, tmp_path) == [f"m{number}" for number in range(5)]


@pytest.mark.parametrize("act", IN_USE, ids=map(_name, IN_USE))
@pytest.mark.parametrize("moment", ["before", "after"])
async def test_between_the_look_and_the_acknowledgement(
    path: Path,
    tmp_path: Path,
    ledger: Ledger,
    act: Callable[[Path], None],
    moment: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for number in range(20):
        assert await ledger.accept_now(make_event(message_id=f"before-{number}", broadcaster_name="x" * 500))
    real = accepting.accept

    def accept(connection: sqlite3.Connection, events: Sequence[StreamEvent]) -> Any:
        if moment == "before":
            act(path)
        outcomes = real(connection, events)
        if moment == "after":
            act(path)
        return outcomes

    monkeypatch.setattr(writer, "accept", accept)
    # Refused or accepted: what is lost must not have been acknowledged, and what is refused is handed in again.
    with suppress(LedgerError):
        await ledger.accept_now(make_event(message_id="during"))
    monkeypatch.undo()
    await ledger.accept_now(make_event(message_id="during"))
    if act in PARTIAL:
        await until(lambda: ledger.lately is not None and ledger.failure is None, timeout=10)
    assert killed(path, tmp_path) == [*(f"before-{number}" for number in range(20)), "during"]
    assert ledger.failure is None


async def test_an_outcome_is_not_forgotten(path: Path, ledger: Ledger, clock: FakeClock) -> None:
    """A delivery that was made must not be made again."""
    book = Book(ledger, clock)
    delivery = await book.delivery()
    claimed = await book.claimed(delivery)
    zeroed(path)
    await book.finish(claimed, state := (await ledger.delivery(delivery)).state)
    zeroed(path)
    assert (await ledger.delivery(delivery)).state == state
    assert await ledger.accept_now(make_event(message_id="after"))
    assert (await ledger.delivery(delivery)).state == state


async def test_more_than_the_log_holds(path: Path, tmp_path: Path, ledger: Ledger, notices: list[str]) -> None:
    """SQLite begins its log anew every few megabytes; nobody else did that."""
    known: list[str] = []
    for round_ in range(40):
        for number in range(100):
            known.append(f"m{round_}-{number}")
            ledger.accept(make_event(message_id=known[-1], broadcaster_name="x" * 3000), lambda _: None)
        known.append(f"last-{round_}")
        assert await ledger.accept_now(make_event(message_id=known[-1]))
    assert not notices
    await asyncio.sleep(0.02)
    zeroed(path)
    assert await ledger.accept_now(make_event(message_id="after"))
    assert killed(path, tmp_path) == [*known, "after"]
    assert len(notices) == 1


async def test_what_an_earlier_run_left_in_the_log(
    path: Path, tmp_path: Path, ledger: Ledger, clock: FakeClock
) -> None:
    for number in range(50):
        assert await ledger.accept_now(make_event(message_id=f"m{number}"))
    other = tmp_path / "other"
    other.mkdir()
    for name in ("ledger.db", "ledger.db-wal"):
        shutil.copy(path.with_name(name), other)
    again = Ledger(other / "ledger.db", clock)
    await again.open()
    zeroed(other / "ledger.db")
    assert await again.accept_now(make_event(message_id="first"))
    zeroed(other / "ledger.db")
    assert await again.accept_now(make_event(message_id="after"))
    assert killed(other / "ledger.db", tmp_path) == [*(f"m{number}" for number in range(50)), "first", "after"]
    await again.close()


def once_after_a_commit(monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
    """Between the commit and the look at what became of it."""
    real = writer.Writer._wrote

    def wrote(self: writer.Writer, rows: int) -> None:
        monkeypatch.setattr(writer.Writer, "_wrote", real)
        act()
        real(self, rows)

    monkeypatch.setattr(writer.Writer, "_wrote", wrote)


@pytest.mark.parametrize("act", ACTS, ids=map(_name, ACTS))
async def test_an_outcome_that_was_overwritten_is_stored_again(
    path: Path, tmp_path: Path, ledger: Ledger, clock: FakeClock, act: Callable[[Path], None], monkeypatch: Any
) -> None:
    book = Book(ledger, clock)
    delivery = await book.delivery()
    claimed = await book.claimed(delivery)
    once_after_a_commit(monkeypatch, lambda: act(path))
    await book.finish(claimed, DeliveryState.DELIVERED)
    if act in PARTIAL:
        await until(lambda: ledger.lately is not None, timeout=10)
    killed(path, tmp_path)
    with raw(tmp_path / "after-a-kill" / "ledger.db") as found:
        assert found.execute("SELECT state, attempts FROM deliveries").fetchall() == [("delivered", 1)]
    assert (await ledger.delivery(delivery)).state is DeliveryState.DELIVERED


def without_its_time(path: Path, act: Callable[[Path], None]) -> None:
    """So fast that the time of the file does not change."""
    before = wal(path).stat()
    act(path)
    os.utime(wal(path), ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.fault("ledger: its -wal damaged under load, and copied into the database", seen=_SEEN)
async def test_damage_that_was_copied_into_the_database(
    path: Path, tmp_path: Path, ledger: Ledger, notices: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite copies its log without a look at the checksums, and then begins it anew."""
    monkeypatch.setattr(walcopy, "_COMPARE_SECONDS", 1e9)
    known = [f"before-{number}" for number in range(100)]
    for message in known:
        assert await ledger.accept_now(make_event(message_id=message, broadcaster_name="x" * 500))
    real = accepting.accept

    def accept(connection: sqlite3.Connection, events: Sequence[StreamEvent]) -> Any:
        size = wal(path).stat().st_size
        over(path, 32 + 4120, size // 2, b"noise")
        outcomes = real(connection, events)
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        return outcomes

    monkeypatch.setattr(writer, "accept", accept)
    with suppress(LedgerError):
        await ledger.accept_now(make_event(message_id="during"))
    monkeypatch.setattr(writer, "accept", real)
    await ledger.accept_now(make_event(message_id="during"))
    for message in ("one", "two", "three"):
        assert await ledger.accept_now(make_event(message_id=message))
    assert killed(path, tmp_path) == [*known, "during", "one", "two", "three"]
    assert [record.event.message_id for record in await ledger.unfinished()] == killed(path, tmp_path)
    assert len(notices) == 1
    assert not list(path.parent.glob("*.damaged-*"))


async def test_damage_that_sqlite_meets_first(
    path: Path, ledger: Ledger, notices: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walcopy, "_COMPARE_SECONDS", 1e9)
    known = [f"before-{number}" for number in range(100)]
    for message in known:
        assert await ledger.accept_now(make_event(message_id=message, broadcaster_name="x" * 500))
    without_its_time(path, lambda path: over(path, 32, wal(path).stat().st_size - 2 * 4120, b"noise"))
    with suppress(LedgerError):  # a job that reads another page than the last may do without those that are damaged
        await ledger._writer.run(lambda connection: connection.execute("PRAGMA shrink_memory").fetchone())
    assert [record.event.message_id for record in await ledger.unfinished()] == known
    assert len(notices) == 1
    assert "written again" in notices[0]
    assert not list(path.parent.glob("*.damaged-*"))


async def test_hammered_under_load(path: Path, tmp_path: Path, ledger: Ledger) -> None:
    """Again and again at any moment, while SQLite begins its log anew: what was said to be stored is stored."""
    stored: set[str] = set()
    refused: list[str] = []
    number = 0
    until_ = time.monotonic() + 2.0

    def settle(message: str) -> Callable[[bool | LedgerError], None]:
        return lambda outcome: refused.append(message) if isinstance(outcome, LedgerError) else stored.add(message)

    def hammer() -> None:
        chance = random.Random(7)
        while time.monotonic() < until_:
            time.sleep(0.005 + 0.03 * chance.random())
            with suppress(OSError):
                chance.choice([zeroed, header_zeroed, last_commit_zeroed, truncated, cut_in_half])(path)

    hammering = asyncio.create_task(asyncio.to_thread(hammer))
    while not hammering.done() or len(stored) < number:
        again, refused[:] = refused[:], []
        if not again and not hammering.done() and number - len(stored) < 200:
            again = [f"m{number + each}" for each in range(20)]
            number += 20
        for message in again:
            ledger.accept(make_event(message_id=message, broadcaster_name="x" * 3000), settle(message))
        await asyncio.sleep(0.001)
    await until(lambda: ledger.failure is None)
    assert await ledger.accept_now(make_event(message_id="last"))
    kept, now = ledger._writer._file._wal, time.monotonic()
    await until(lambda: kept is not None and kept._compared_at > now, what="all of the log was compared")
    assert sorted(killed(path, tmp_path)) == sorted({*stored, "last"})
    assert number >= 40
    assert not list(path.parent.glob("*.damaged-*"))


@pytest.mark.fault(
    "ledger: its -wal truncated on a full disk, while it runs",
    seen='Twitch hears 503; the health says "could not be written again" until there is room; nothing is lost',
)
async def test_it_cannot_be_written_again_yet(
    path: Path, tmp_path: Path, ledger: Ledger, clock: FakeClock, notices: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    book = Book(ledger, clock)
    delivery = await book.delivery()
    claimed = await book.claimed(delivery)
    truncated(path)

    def full(_: walcopy.WalCopy) -> bool:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(walcopy.WalCopy, "repair", full)
    for number in range(3):
        with pytest.raises(LedgerError):
            await ledger.accept_now(make_event(message_id=f"refused-{number}"))
    with pytest.raises(LedgerError):
        await book.finish(claimed, DeliveryState.DELIVERED)
    assert ledger.failure is not None
    assert "could not be written again: the disk is full" in ledger.failure.message
    assert not notices
    monkeypatch.undo()
    await until(lambda: ledger.failure is None, timeout=10, what="it is tried again by itself")
    assert len(notices) == 1
    await book.finish(claimed, DeliveryState.DELIVERED)
    assert (await ledger.delivery(delivery)).state is DeliveryState.DELIVERED
    assert await ledger.accept_now(make_event(message_id="after"))
    assert killed(path, tmp_path)[1:] == ["after"]


async def test_overwritten_and_its_index_deleted(
    path: Path, tmp_path: Path, ledger: Ledger, notices: list[str]
) -> None:
    assert await ledger.accept_now(make_event(message_id="before"))
    zeroed(path)
    shm(path).unlink()
    assert await ledger.accept_now(make_event(message_id="after"))
    assert killed(path, tmp_path) == ["before", "after"]
    assert [notice.split(" while")[0] for notice in notices] == [
        "The ledger's write-ahead log was overwritten", "The ledger was deleted or replaced",
    ]  # fmt: skip


async def test_touched_but_not_changed(path: Path, ledger: Ledger, notices: list[str]) -> None:
    assert await ledger.accept_now(make_event(message_id="before"))
    os.utime(wal(path))
    assert await ledger.accept_now(make_event(message_id="after"))
    assert ledger.lately is None
    assert not notices
