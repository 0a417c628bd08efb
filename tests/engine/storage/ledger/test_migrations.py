from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.core.errors import LedgerTooNewError
from itsjustintv_desktop.engine.storage.ledger import Ledger, migrations
from itsjustintv_desktop.engine.storage.ledger.migrations import MIGRATIONS
from tests.engine.storage.ledger.book import raw
from tests.support.builders import make_event
from tests.support.clock import FakeClock


def schema(path: Path) -> list[tuple[str, str]]:
    with raw(path) as connection:
        return sorted(connection.execute("SELECT name, coalesce(sql, '') FROM sqlite_schema").fetchall())


def version(path: Path) -> int:
    with raw(path) as connection:
        found: int = connection.execute("PRAGMA user_version").fetchone()[0]
        return found


async def opened_and_used(path: Path, clock: FakeClock) -> None:
    ledger = Ledger(path, clock)
    await ledger.open()
    assert await ledger.accept_now(make_event())
    assert ledger.failure is None
    await ledger.close()


@pytest.mark.parametrize("number", range(len(MIGRATIONS) + 1))
async def test_every_older_version_is_brought_up(tmp_path: Path, clock: FakeClock, number: int) -> None:
    path, fresh = tmp_path / "old.db", tmp_path / "fresh.db"
    with raw(path) as connection:
        for statements in MIGRATIONS[:number]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {number}")
    await opened_and_used(path, clock)
    await opened_and_used(fresh, clock)
    assert version(path) == version(fresh) == len(MIGRATIONS)
    assert schema(path) == schema(fresh)


async def test_an_empty_file_is_a_new_ledger(path: Path, clock: FakeClock) -> None:
    path.touch()
    await opened_and_used(path, clock)


async def test_a_step_that_comes_later_keeps_what_there_is(
    path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await opened_and_used(path, clock)
    step = ("ALTER TABLE events ADD COLUMN mood TEXT NOT NULL DEFAULT 'fine'", "CREATE TABLE extra(x)")
    monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS, step))
    await opened_and_used(path, clock)
    assert version(path) == len(MIGRATIONS) + 1
    with raw(path) as connection:
        assert connection.execute("SELECT mood FROM events").fetchall() == [("fine",), ("fine",)]


async def test_what_was_there_before_is_in_the_tally(
    path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier, raw(path) as connection:
        earlier.setattr(migrations, "MIGRATIONS", MIGRATIONS[:3])
        migrations.migrate(connection)
        connection.executemany(
            "INSERT INTO deliveries(webhook_id, event_id, streamer, destination, state, born_at, created_at) "
            "VALUES (?, 1, 'alice', ?, ?, 0, 0)",
            [("1", "main", "dead"), ("2", "main", "dead"), ("3", "spare", "delivered")],
        )
        connection.commit()
    ledger = Ledger(path, clock)
    await ledger.open()
    try:
        assert (await ledger.counts()).by_state == {"dead": 2, "delivered": 1}
        assert (await ledger.tally()).waiting == {}
    finally:
        await ledger.close()


async def test_a_step_that_fails_leaves_the_version_before(
    path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await opened_and_used(path, clock)
    before = schema(path)
    monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS, ("CREATE TABLE extra(x)", "this is no SQL")))
    ledger = Ledger(path, clock)
    with pytest.raises(Exception, match="The ledger cannot be used"):
        await ledger.open()
    assert (version(path), schema(path)) == (len(MIGRATIONS), before)
    monkeypatch.undo()
    await opened_and_used(path, clock)


async def test_a_newer_ledger_is_refused_and_left_alone(path: Path, clock: FakeClock) -> None:
    await opened_and_used(path, clock)
    with raw(path) as connection:
        connection.execute("PRAGMA user_version = 99")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = path.read_bytes()
    with pytest.raises(LedgerTooNewError, match="newer version") as caught:
        await Ledger(path, clock).open()
    assert "99" in caught.value.message
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir() if "damaged" in file.name] == []


_KILLED = """
import os, sqlite3, sys
from itsjustintv_desktop.engine.storage.ledger import migrations
steps = migrations.MIGRATIONS[int(sys.argv[2])]
half = (*steps[: len(steps) // 2], "SELECT die()")
migrations.MIGRATIONS = (*migrations.MIGRATIONS[: int(sys.argv[2])], half)
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA journal_mode = WAL")
connection.create_function("die", 0, lambda: os._exit(9))
migrations.migrate(connection)
"""


@pytest.mark.parametrize("number", range(len(MIGRATIONS)))
async def test_killed_in_the_middle_of_a_step_it_starts_over(path: Path, clock: FakeClock, number: int) -> None:
    run = subprocess.run([sys.executable, "-c", _KILLED, str(path), str(number)], timeout=30, check=False)
    assert run.returncode == 9
    assert version(path) == number
    await opened_and_used(path, clock)
    assert version(path) == len(MIGRATIONS)
