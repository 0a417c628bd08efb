"""A damaged ledger is put aside with all that is in it, never overwritten, and a new one begun."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.core.errors import LedgerCorruptError, LedgerError
from itsjustintv_desktop.engine.core.models import EventState
from itsjustintv_desktop.engine.storage.ledger import Ledger
from itsjustintv_desktop.engine.storage.ledger.connection import BEGUN_ANEW, aside_of, set_aside
from tests.engine.storage.ledger.book import Book, raw
from tests.support.builders import make_event
from tests.support.clock import FakeClock
from tests.support.waiting import until

PAGE = 4096


async def filled(path: Path, clock: FakeClock, events: int = 400) -> None:
    ledger = Ledger(path, clock)
    await ledger.open()
    book = Book(ledger, clock)
    for number in range(events):
        ledger.accept(make_event(message_id=f"old-{number}", broadcaster_name="x" * 300), lambda _: None)
    await book.delivery()
    await ledger.close()
    assert not path.with_name("ledger.db-wal").exists()


def aside(path: Path) -> list[Path]:
    return sorted(file for file in path.parent.iterdir() if ".damaged-" in file.name and file.suffix != "-wal")


def spoil(path: Path, kind: str) -> None:
    whole = path.read_bytes()
    if kind == "garbage":
        path.write_bytes(random.Random(1).randbytes(50_000))
    elif kind == "text":
        path.write_text("this is a text file, and a long one\n" * 1000)
    elif kind == "header":
        path.write_bytes(b"\0" * 100 + whole[100:])
    elif kind == "half":
        path.write_bytes(whole[: len(whole) // 2 // PAGE * PAGE])
    elif kind == "schema":
        path.write_bytes(whole[:100] + b"\xff" * (PAGE - 100) + whole[PAGE:])
    elif kind == "tail":
        path.write_bytes(whole[:PAGE] + b"\xa5" * (len(whole) - PAGE))


@pytest.mark.expected_errors("damaged")
@pytest.mark.parametrize("kind", ["garbage", "text", "header", "half", "schema", "tail"])
async def test_at_opening(path: Path, clock: FakeClock, kind: str) -> None:
    await filled(path, clock)
    spoil(path, kind)
    before = path.read_bytes()
    notices: list[str] = []
    ledger = Ledger(path, clock, on_notice=notices.append)
    await ledger.open()
    assert await ledger.accept_now(make_event(message_id="new"))
    assert ledger.failure is None
    (kept,) = aside(path)
    assert kept.read_bytes() == before
    await until(lambda: notices)
    assert kept.name in notices[0]
    assert "damaged" in notices[0]
    # The new one says in its own history where it begins, and its ids cannot be taken for old ones.
    records = await ledger.events()
    assert [record.event.kind for record in records[:2]] == ["stream.online", "ledger.begun"]
    assert kept.name in (records[1].explanation or "")
    # What stands on pages that are whole is saved.
    saved = len(await ledger.unfinished(limit=1000)) - 1
    assert saved == {"garbage": 0, "text": 0, "tail": 0, "half": 70, "header": 400, "schema": 400}[kind]
    assert ("Saved from it" in notices[0]) is (saved > 0)
    assert records[1].state is EventState.NOTED
    assert records[1].id > 401
    begun = await ledger.meta(BEGUN_ANEW)
    assert begun is not None, "what catching up finds from before is listed, not announced"
    assert float(begun) == pytest.approx(records[1].event.received_at)
    await ledger.close()


@pytest.mark.expected_errors("damaged", "cannot be written")
@pytest.mark.fault(
    "ledger: damaged while it runs",
    seen="a notice names the file it was put aside as; a new one is begun at once, nothing is overwritten",
)
async def test_flipped_pages_while_running(path: Path, clock: FakeClock) -> None:
    await filled(path, clock, events=4000)
    notices: list[str] = []
    ledger = Ledger(path, clock, on_notice=notices.append)
    await ledger.open()
    size = path.stat().st_size
    with path.open("r+b") as file:  # everything but the first page, behind the running program's back
        file.seek(PAGE)
        file.write(b"\x5a" * (size - PAGE))
    # The start looked at all that is unfinished: it would still be in memory.
    await ledger._writer.run(lambda connection: connection.execute("PRAGMA shrink_memory").fetchone())
    (known,) = await ledger._writer.run(
        lambda connection: connection.execute("SELECT count(*), sum(length(broadcaster_name)) FROM events").fetchone()[
            :1
        ]
    )
    assert known == 1, "it is answered from the new one"
    await until(lambda: notices)
    (kept,) = aside(path)
    assert kept.stat().st_size >= size
    assert b"\x5a" * PAGE in kept.read_bytes()
    await until(lambda: ledger.failure is None, what="it heals by itself")
    assert await ledger.accept_now(make_event(message_id="old-1")), "the new one knows nothing"
    assert [record.event.message_id for record in await ledger.unfinished()] == ["old-1"]
    await ledger.close()


@pytest.mark.expected_errors("damaged", "cannot be written")
async def test_an_accept_that_meets_the_damage_is_refused_and_the_next_is_stored(path: Path, clock: FakeClock) -> None:
    await filled(path, clock, events=4000)
    ledger = Ledger(path, clock)
    await ledger.open()
    with path.open("r+b") as file:
        file.seek(PAGE)
        file.write(b"\x5a" * (path.stat().st_size - PAGE))
    outcomes: list[bool | LedgerError] = []
    for number in range(4000):  # a look-up of an old id reads its page of the index sooner or later
        try:
            assert not await ledger.accept_now(make_event(message_id=f"old-{number}"))
        except LedgerCorruptError as error:
            outcomes.append(error)
            break
    assert outcomes
    assert await ledger.accept_now(make_event(message_id="new"))
    assert len(aside(path)) == 1
    await ledger.close()


@pytest.mark.expected_errors("damaged")
async def test_two_damages_in_a_second_are_kept_apart(path: Path, clock: FakeClock) -> None:
    for number in range(3):
        path.write_text(f"garbage {number} " * 1000)
        ledger = Ledger(path, clock)
        await ledger.open()
        await ledger.close()
    assert len(aside(path)) == 3
    assert {kept.read_text()[:9] for kept in aside(path)} == {"garbage 0", "garbage 1", "garbage 2"}


@pytest.mark.expected_errors("damaged")
async def test_the_write_ahead_log_goes_with_its_ledger(path: Path, tmp_path: Path, clock: FakeClock) -> None:
    ledger = Ledger(path, clock)
    await ledger.open()
    assert await ledger.accept_now(make_event(message_id="in-the-log"))
    live = tmp_path / "copy"
    live.mkdir()
    for name in ("ledger.db", "ledger.db-wal"):
        shutil.copy(path.with_name(name), live / name)
    await ledger.close()
    copy = live / "ledger.db"
    log = (live / "ledger.db-wal").read_bytes()
    copy.write_bytes(b"garbage" * 1000)
    kept = aside_of(copy)
    set_aside(copy, kept)
    assert kept.with_name(kept.name + "-wal").read_bytes() == log
    assert not (live / "ledger.db-wal").exists()
    assert not copy.exists()


async def test_a_log_that_was_cut_off_loses_only_what_was_not_committed(
    path: Path, tmp_path: Path, clock: FakeClock
) -> None:
    """What a power cut leaves: SQLite's own recovery, seen through our opening."""
    ledger = Ledger(path, clock)
    await ledger.open()
    for number in range(20):
        assert await ledger.accept_now(make_event(message_id=f"m{number}"))
    live = tmp_path / "copy"
    live.mkdir()
    shutil.copy(path, live / "ledger.db")
    log = path.with_name("ledger.db-wal").read_bytes()
    await ledger.close()
    (live / "ledger.db-wal").write_bytes(log[:-100])
    again = Ledger(live / "ledger.db", clock)
    await again.open()
    assert [record.event.message_id for record in await again.unfinished()] == [f"m{n}" for n in range(19)]
    assert aside(live / "ledger.db") == []
    await again.close()
    with raw(live / "ledger.db") as other:
        assert other.execute("PRAGMA integrity_check").fetchone() == ("ok",)
