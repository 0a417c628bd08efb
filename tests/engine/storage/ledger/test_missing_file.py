"""The ledger's files deleted, moved, replaced or cut off while it is open: nothing that was accepted is lost."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from itsjustintv_desktop.engine.core.errors import LedgerError, LedgerUnavailableError
from itsjustintv_desktop.engine.storage.ledger import Ledger, connection
from itsjustintv_desktop.engine.storage.ledger import file as ledger_file
from tests.engine.storage.ledger.book import Book, beside, killed
from tests.support.builders import make_event
from tests.support.clock import FakeClock
from tests.support.waiting import until

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="a file that is open cannot be deleted there"),
    pytest.mark.expected_errors("cannot be written", "put aside", "could not be begun"),
]


def deleted(suffix: str) -> Callable[[Path], None]:
    return lambda path: beside(suffix)(path).unlink()


def all_deleted(path: Path) -> None:
    for file in list(path.parent.iterdir()):
        file.unlink()


def replaced(suffix: str) -> Callable[[Path], None]:
    def act(path: Path) -> None:
        other = path.with_name("other")
        other.write_bytes(b"restored from elsewhere" * 500)
        other.replace(beside(suffix)(path))

    return act


def replaced_by_an_old_copy(path: Path) -> None:
    other = path.with_name("other")
    shutil.copy(path, other)
    other.replace(path)


def renamed(path: Path) -> None:
    path.rename(path.with_name("ledger.bak"))


def folder_moved(path: Path) -> None:
    path.parent.rename(path.parent.with_name(f"moved-{len(list(path.parent.parent.iterdir()))}"))


def folder_removed(path: Path) -> None:
    shutil.rmtree(path.parent)


def folder_swapped(path: Path) -> None:
    folder_moved(path)
    path.parent.mkdir()


def a_folder_there(path: Path) -> None:
    path.unlink()
    path.mkdir()


def a_link_there(path: Path) -> None:
    path.rename(path.with_name("real"))
    path.symlink_to("real")


def a_pipe_there(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def cut(suffix: str) -> Callable[[Path], None]:
    return lambda path: os.truncate(beside(suffix)(path), 0)


def _case(line: str, act: Callable[[Path], None]) -> Any:
    seen = (
        'a notice and the health say "The ledger was deleted or replaced"; it is copied to a new file, nothing is lost'
    )
    return pytest.param(act, id=line, marks=pytest.mark.fault(f"ledger: {line}, while it runs", seen=seen))


GONE = [
    _case("deleted", deleted("")),
    _case("its -wal deleted", deleted("-wal")),
    _case("its -shm deleted", deleted("-shm")),
    _case("all its files deleted", all_deleted),
    _case("replaced by another file", replaced("")),
    _case("its -wal replaced", replaced("-wal")),
    _case("an older copy put back", replaced_by_an_old_copy),
    _case("renamed", renamed),
    _case("the data directory moved", folder_moved),
    _case("the data directory removed", folder_removed),
    _case("the data directory swapped", folder_swapped),
    _case("a folder in its place", a_folder_there),
    _case("a link in its place", a_link_there),
    _case("a pipe in its place", a_pipe_there),
]


@pytest.mark.parametrize("act", GONE)
async def test_nothing_is_lost(
    path: Path, tmp_path: Path, ledger: Ledger, act: Callable[[Path], None], notices: list[str]
) -> None:
    for number in range(300):
        ledger.accept(make_event(message_id=f"before-{number}", broadcaster_name="x" * 3000), lambda _: None)
    assert await ledger.accept_now(make_event(message_id="last"))
    act(path)
    assert await ledger.accept_now(make_event(message_id="after")), "it goes on at once"
    assert not await ledger.accept_now(make_event(message_id="last")), "what was known is known"
    assert killed(path, tmp_path) == [*(f"before-{number}" for number in range(300)), "last", "after"]
    assert ledger.failure is None
    await until(lambda: notices)
    assert len(notices) == 1
    assert notices[0].startswith("The ledger was deleted or replaced while the program ran.")
    assert ledger.lately == notices[0]
    for file in path.parent.glob("ledger.db*"):
        assert file.name.startswith("ledger.db.replaced-") or file.stat().st_mode & 0o777 == 0o600
    act(path)  # and again
    assert await ledger.accept_now(make_event(message_id="again"))
    assert killed(path, tmp_path)[-2:] == ["after", "again"]


ACTS = [pytest.param(case.values[0], id=case.id) for case in GONE]


async def test_what_was_copied_is_not_kept_besides(path: Path, ledger: Ledger) -> None:
    for number in range(5):
        assert await ledger.accept_now(make_event(message_id=f"m{number}"))
        path.with_name("ledger.db-wal").unlink()
    assert await ledger.accept_now(make_event(message_id="last"))
    assert sorted(file.name for file in path.parent.iterdir()) == ["ledger.db", "ledger.db-shm", "ledger.db-wal"]


async def test_what_took_its_place_is_kept(path: Path, ledger: Ledger) -> None:
    replaced("")(path)
    assert await ledger.accept_now(make_event(message_id="after"))
    (kept,) = path.parent.glob("ledger.db.replaced-*")
    assert kept.read_bytes() == b"restored from elsewhere" * 500


@pytest.mark.usefixtures("quick_looks")
@pytest.mark.parametrize("act", ACTS)
async def test_it_is_noticed_while_nothing_happens(path: Path, tmp_path: Path, ledger: Ledger, act: Any) -> None:
    assert await ledger.accept_now(make_event(message_id="last"))
    act(path)
    await until(lambda: ledger.lately is not None, timeout=10)
    assert killed(path, tmp_path) == ["last"]


@pytest.mark.parametrize("act", ACTS)
async def test_it_is_noticed_at_the_end(path: Path, clock: FakeClock, ledger: Ledger, act: Any) -> None:
    assert await ledger.accept_now(make_event(message_id="last"))
    act(path)
    await ledger.close()
    again = Ledger(path, clock)
    await again.open()
    assert [record.event.message_id for record in await again.unfinished()] == ["last"]
    await again.close()


@pytest.mark.fault(
    "ledger: cut off while it runs", seen="a notice names the file it was put aside as; what can be read goes on"
)
async def test_cut_off(path: Path, tmp_path: Path, ledger: Ledger, notices: list[str]) -> None:
    for number in range(50):
        assert await ledger.accept_now(make_event(message_id=f"before-{number}"))
    os.truncate(path, 0)
    assert await ledger.accept_now(make_event(message_id="after"))
    # SQLite had all of it in memory.
    assert killed(path, tmp_path) == [*(f"before-{number}" for number in range(50)), "after"]
    assert "damaged" in notices[0]


@pytest.mark.fault("ledger: its -shm cut off, while it runs", seen="nothing: it is made anew")
@pytest.mark.parametrize("left", [0, 40, 4096])
async def test_its_index_cut_off(path: Path, tmp_path: Path, ledger: Ledger, left: int) -> None:
    """SQLite has the file mapped: touching what is missing would end the process, and zeros would hide the log."""
    for number in range(50):
        assert await ledger.accept_now(make_event(message_id=f"before-{number}"))
    os.truncate(beside("-shm")(path), left)
    assert not await ledger.accept_now(make_event(message_id="before-3"))
    assert await ledger.accept_now(make_event(message_id="after"))
    assert killed(path, tmp_path) == [*(f"before-{number}" for number in range(50)), "after"]
    assert ledger.failure is None


async def test_what_is_under_way_goes_on(path: Path, ledger: Ledger, clock: FakeClock) -> None:
    book = Book(ledger, clock)
    delivery = await book.delivery()
    claimed = await book.claimed(delivery)
    path.unlink()
    await book.finish(claimed, state := (await ledger.delivery(delivery)).state)
    assert (await ledger.delivery(delivery)).state == state
    await until(lambda: ledger.lately is not None)
    assert (await ledger.tally()) is not None


async def test_while_it_cannot_be_copied_events_are_refused_and_work_goes_on(
    path: Path, tmp_path: Path, ledger: Ledger, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = Book(ledger, clock)
    assert await ledger.accept_now(make_event(message_id="before"))
    delivery = await book.delivery()
    real = connection.unfinished

    def full(_: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ledger_file, "unfinished", full)
    shutil.rmtree(path.parent)
    for number in range(3):
        with pytest.raises(LedgerError):
            await ledger.accept_now(make_event(message_id=f"refused-{number}"))
    assert ledger.failure is not None
    assert "do not end the program" in ledger.failure.message
    assert isinstance(ledger.failure, LedgerUnavailableError)
    assert (await book.claimed(delivery)).id == delivery, "what was accepted is announced all the same"
    assert ledger.failure is not None
    monkeypatch.setattr(ledger_file, "unfinished", real)
    await until(lambda: ledger.failure is None, timeout=10, what="it is tried again by itself")
    assert await ledger.accept_now(make_event(message_id="after"))
    assert killed(path, tmp_path)[0] == "before"
    assert "refused-0" not in killed(path, tmp_path)


@pytest.mark.parametrize("moment", ["finished", "set_aside", "close", "take_up"])
async def test_killed_in_between(
    path: Path, tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Whatever moment the end comes at: the next start finds everything, once there is a copy."""
    ledger = Ledger(path, clock)
    await ledger.open()
    assert await ledger.accept_now(make_event(message_id="before"))
    path.unlink()
    real: Any = getattr(ledger_file.LedgerFile if moment == "close" else ledger_file, moment)

    def dies(*arguments: Any) -> Any:
        real(*arguments)
        shutil.copytree(path.parent, tmp_path / "dead")
        raise OSError(5, "killed")

    monkeypatch.setattr(ledger_file.LedgerFile if moment == "close" else ledger_file, moment, dies)
    with pytest.raises(LedgerError):
        await ledger.accept_now(make_event(message_id="during"))
    monkeypatch.undo()
    again = Ledger(tmp_path / "dead" / "ledger.db", clock)
    await again.open()
    assert [record.event.message_id for record in await again.unfinished()] == ["before"]
    await again.close()
    await ledger.close()


async def test_many_at_once(path: Path, tmp_path: Path, ledger: Ledger) -> None:
    """Deleted again and again under load: what was said to be stored is stored."""
    stored: list[str] = []

    def settle(message: str) -> Callable[[bool | LedgerError], None]:
        return lambda outcome: stored.append(message) if outcome is True else None

    until_ = time.monotonic() + 1.0
    number = 0
    while time.monotonic() < until_:
        for _ in range(20):
            ledger.accept(make_event(message_id=(message := f"m{number}")), settle(message))
            number += 1
        await asyncio.sleep(0)
        if number % 1000 == 0:
            path.with_name("ledger.db-wal").unlink(missing_ok=True)
    await until(lambda: len(stored) == number)
    assert await ledger.accept_now(make_event(message_id="last"))
    assert killed(path, tmp_path) == [*stored, "last"]


def test_sqlite_is_as_the_copying_takes_it(tmp_path: Path) -> None:
    """A backup of a database that was deleted has what its write-ahead log held."""
    path = tmp_path / "some.db"
    with sqlite3.connect(path, isolation_level=None) as one, sqlite3.connect(tmp_path / "copy.db") as copy:
        one.execute("PRAGMA journal_mode = WAL")
        one.execute("CREATE TABLE t(x)")
        one.execute("INSERT INTO t VALUES (1)")
        for file in tmp_path.glob("some.db*"):
            file.unlink()
        one.backup(copy)
        assert copy.execute("SELECT x FROM t").fetchall() == [(1,)]
    one.close()
    copy.close()
