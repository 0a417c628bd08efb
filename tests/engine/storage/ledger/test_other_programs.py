"""Other programs that use the ledger as SQLite means it: no false alarm, and what is in memory stays right."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.storage.ledger import Ledger, walcopy
from tests.engine.storage.ledger.book import killed, raw, wal, zeroed
from tests.support.builders import make_event

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the tests of it copy files that are open")


def checkpoint(mode: str) -> Callable[[sqlite3.Connection], None]:
    def act(other: sqlite3.Connection) -> None:
        assert other.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()[0] == 0

    return act


def twice_truncated(other: sqlite3.Connection) -> None:
    checkpoint("TRUNCATE")(other)
    checkpoint("TRUNCATE")(other)


def packed(other: sqlite3.Connection) -> None:
    other.execute("VACUUM")
    checkpoint("TRUNCATE")(other)


def written(other: sqlite3.Connection) -> None:
    """So much that the log is begun anew a few times."""
    for number in range(60):
        other.execute("INSERT INTO junk VALUES (?, randomblob(200000))", (number,))
    other.execute("DELETE FROM junk WHERE number >= 0")


def written_into_an_empty_log(other: sqlite3.Connection) -> None:
    checkpoint("TRUNCATE")(other)
    other.execute("INSERT INTO junk VALUES (0, NULL)")


def copied(other: sqlite3.Connection) -> None:
    with closing(sqlite3.connect(":memory:")) as copy:
        other.backup(copy)


OTHERS = [
    *(pytest.param(checkpoint(mode), id=mode) for mode in ("PASSIVE", "FULL", "RESTART", "TRUNCATE")),
    *(
        pytest.param(act, id=act.__name__.replace("_", " "))
        for act in (twice_truncated, packed, written, written_into_an_empty_log, copied)
    ),
]


@pytest.mark.parametrize("act", OTHERS)
async def test_other_programs_that_use_sqlite_are_no_fault(
    path: Path, tmp_path: Path, ledger: Ledger, act: Callable[[sqlite3.Connection], None], notices: list[str]
) -> None:
    with raw(path) as other:
        other.execute("CREATE TABLE junk(number, bytes)")
        other.execute("INSERT INTO junk VALUES (-1, randomblob(2000000))")
        other.execute("PRAGMA wal_checkpoint(RESTART)")
        known = [f"before-{number}" for number in range(20)]
        for message in known:
            assert await ledger.accept_now(make_event(message_id=message))
        other.execute("DELETE FROM junk")
        for number in range(4):
            act(other)
            if number % 2:
                await ledger.meta("a look of ours between")
            known.append(f"after-{number}")
            assert await ledger.accept_now(make_event(message_id=known[-1]))
            assert killed(path, tmp_path) == known
    assert ledger.failure is None
    assert ledger.lately is None
    assert not notices
    zeroed(path)
    assert await ledger.accept_now(make_event(message_id="last"))
    assert killed(path, tmp_path) == [*known, "last"], "and the log is still in memory"
    assert len(notices) == 1


async def test_another_program_that_reads_for_hours(
    path: Path, tmp_path: Path, ledger: Ledger, notices: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log cannot be begun anew meanwhile: it grows, what is kept of it in memory does not."""
    monkeypatch.setattr(walcopy, "_MOST", 1_000_000)
    kept = ledger._writer._file._wal
    assert kept is not None
    known: list[str] = []

    async def more() -> None:
        for number in range(100):
            known.append(f"m{len(known)}")
            ledger.accept(make_event(message_id=known[-1], broadcaster_name="x" * 3000), lambda _: None)
            if number % 10 == 9:
                await ledger.meta("a commit of its own")
                assert len(kept._frames) <= 1_000_000
        assert await ledger.accept_now(make_event(message_id="last" + known[-1]))
        known.append("last" + known[-1])

    with raw(path) as other:
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM events").fetchone()
        for _ in range(20):
            await more()
        assert wal(path).stat().st_size > 5_000_000
    while len(kept._frames) == 0:
        await more()
    zeroed(path)
    assert await ledger.accept_now(make_event(message_id="after"))
    assert killed(path, tmp_path) == [*known, "after"]
    assert len(notices) == 1
