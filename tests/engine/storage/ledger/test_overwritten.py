"""The write-ahead log overwritten or truncated in place while it is open: nothing accepted is lost or doubled."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from itsjustintv_desktop.engine.errors import LedgerError
from itsjustintv_desktop.engine.models import StreamEvent
from itsjustintv_desktop.engine.storage.ledger import Ledger, accepting, writer
from tests.engine.storage.ledger.book import Book
from tests.engine.storage.ledger.test_missing_file import killed
from tests.support.clock import FakeClock
from tests.support.events import online
from tests.support.waiting import until

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="the tests of it copy files that are open"),
    pytest.mark.expected_errors("cannot be written", "put aside"),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder / "ledger.db"


@pytest.fixture
def notices() -> list[str]:
    return []


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


def wal(path: Path) -> Path:
    return path.with_name("ledger.db-wal")


def over(path: Path, begin: int, length: int, content: bytes = b"\0") -> None:
    with wal(path).open("r+b") as file:
        file.seek(begin)
        file.write((content * length)[:length])


def zeroed(path: Path) -> None:
    over(path, 0, wal(path).stat().st_size)


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


ACTS = [
    zeroed, header_zeroed, noise_in_the_middle, last_commit_zeroed, truncated, cut_in_half, an_older_one_written_over_it
]  # fmt: skip
PARTIAL = [noise_in_the_middle, last_commit_zeroed, cut_in_half]
_SEEN = (
    'a notice and the health say "The ledger\'s write-ahead log was overwritten"; the ledger is copied to a new file, '
    "nothing is lost"
)


def _name(act: Callable[[Path], None]) -> str:
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
        assert await ledger.accept_now(online(message_id=f"before-{number}", broadcaster_name="x" * 500))
    await asyncio.sleep(0.02)  # another tick of the file system's clock
    act(path)
    assert await ledger.accept_now(online(message_id="after"))
    assert not await ledger.accept_now(online(message_id="before-99")), "what was known is known"
    assert killed(path, tmp_path) == [*(f"before-{number}" for number in range(100)), "after"]
    assert ledger.failure is None
    await until(lambda: notices)
    assert len(notices) == 1
    assert notices[0].startswith("The ledger's write-ahead log was overwritten while the program ran. All of")
    act(path)  # and again
    assert await ledger.accept_now(online(message_id="again"))
    assert killed(path, tmp_path)[-2:] == ["after", "again"]


@pytest.mark.usefixtures("quick_looks")
@pytest.mark.parametrize("act", ACTS, ids=map(_name, ACTS))
async def test_it_is_noticed_while_nothing_happens(
    path: Path, tmp_path: Path, ledger: Ledger, act: Callable[[Path], None]
) -> None:
    for number in range(5):
        assert await ledger.accept_now(online(message_id=f"m{number}"))
    await asyncio.sleep(0.02)
    act(path)
    await until(lambda: ledger.lately is not None and ledger.failure is None, timeout=10)
    assert killed(path, tmp_path) == [f"m{number}" for number in range(5)]


@pytest.mark.parametrize("act", ACTS, ids=map(_name, ACTS))
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
        assert await ledger.accept_now(online(message_id=f"before-{number}", broadcaster_name="x" * 500))
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
        await ledger.accept_now(online(message_id="during"))
    monkeypatch.undo()
    await ledger.accept_now(online(message_id="during"))
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
    assert await ledger.accept_now(online(message_id="after"))
    assert (await ledger.delivery(delivery)).state == state


async def test_more_than_the_log_holds(path: Path, tmp_path: Path, ledger: Ledger, notices: list[str]) -> None:
    """SQLite begins its log anew every few megabytes; nobody else did that."""
    known: list[str] = []
    for round_ in range(40):
        for number in range(100):
            known.append(f"m{round_}-{number}")
            ledger.accept(online(message_id=known[-1], broadcaster_name="x" * 3000), lambda _: None)
        known.append(f"last-{round_}")
        assert await ledger.accept_now(online(message_id=known[-1]))
    assert not notices
    await asyncio.sleep(0.02)
    zeroed(path)
    assert await ledger.accept_now(online(message_id="after"))
    assert killed(path, tmp_path) == [*known, "after"]
    assert len(notices) == 1


async def test_what_an_earlier_run_left_in_the_log(
    path: Path, tmp_path: Path, ledger: Ledger, clock: FakeClock
) -> None:
    for number in range(50):
        assert await ledger.accept_now(online(message_id=f"m{number}"))
    other = tmp_path / "other"
    other.mkdir()
    for name in ("ledger.db", "ledger.db-wal"):
        shutil.copy(path.with_name(name), other)
    again = Ledger(other / "ledger.db", clock)
    await again.open()
    assert await again.accept_now(online(message_id="first"))
    zeroed(other / "ledger.db")
    assert await again.accept_now(online(message_id="after"))
    assert killed(other / "ledger.db", tmp_path) == [*(f"m{number}" for number in range(50)), "first", "after"]
    await again.close()


async def test_touched_but_not_changed(path: Path, ledger: Ledger, notices: list[str]) -> None:
    assert await ledger.accept_now(online(message_id="before"))
    os.utime(wal(path))
    assert await ledger.accept_now(online(message_id="after"))
    assert ledger.lately is None
    assert not notices
