"""The kept counts are those of the rows, whatever happens to a delivery."""

from __future__ import annotations

from pathlib import Path

import pytest

from itsjustintv_desktop.engine.core.models import DeliveryState
from itsjustintv_desktop.engine.storage.ledger import Ledger, migrations
from itsjustintv_desktop.engine.storage.ledger.migrations import MIGRATIONS
from tests.engine.storage.ledger.book import FAILED, Book, raw
from tests.support.clock import FakeClock

S = DeliveryState
Counted = dict[tuple[str, str], int]


def kept_and_counted(path: Path) -> tuple[Counted, Counted]:
    with raw(path) as connection:
        kept = connection.execute("SELECT destination, state, count FROM tally WHERE count != 0").fetchall()
        counted = connection.execute("SELECT destination, state, count(*) FROM deliveries GROUP BY 1, 2").fetchall()
    return {(row[0], row[1]): row[2] for row in kept}, {(row[0], row[1]): row[2] for row in counted}


async def lived(path: Path, clock: FakeClock) -> None:
    """Some delivered, some waiting, some dropped, and the destination renamed in between."""
    ledger = Ledger(path, clock)
    await ledger.open()
    book = Book(ledger, clock)
    for number in range(6):
        await book.announced("main", "other", message_id=f"m{number}", stream_id=f"s{number}")
    first, second, third, *_ = await book.claim(other=0)
    await book.finish(first, S.DELIVERED)
    await book.finish(second, S.PENDING, FAILED, next_at=clock.now() + 60)
    await book.finish(third, S.DEAD, FAILED)
    while await ledger.rename_waiting("main", "friends"):
        pass
    position: int | None = 0
    while position is not None:
        position = await ledger.rename_finished("main", "friends", position)
    clock.advance(120)
    for claimed in await book.claim(other=0):
        await book.finish(claimed, S.DELIVERED)
    await ledger.close()


async def test_a_renamed_destination_takes_its_counts_along(path: Path, clock: FakeClock) -> None:
    await lived(path, clock)
    kept, counted = kept_and_counted(path)
    assert kept == counted
    assert ("friends", "delivered") in kept


async def test_counts_left_behind_by_an_earlier_version_are_counted_anew(
    path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(migrations, "MIGRATIONS", (*MIGRATIONS[:5], *MIGRATIONS[6:]))
        await lived(path, clock)
        kept, counted = kept_and_counted(path)
        assert kept != counted
    with raw(path) as connection:
        # What later versions add comes back with them.
        connection.execute("ALTER TABLE deliveries DROP COLUMN lost")
        connection.execute("ALTER TABLE broadcasts DROP COLUMN known_at_event")
        connection.execute("PRAGMA user_version = 5")
    ledger = Ledger(path, clock)
    await ledger.open()
    await ledger.close()
    kept, counted = kept_and_counted(path)
    assert kept == counted


async def test_an_old_file_with_rows_is_brought_up_and_counted(
    path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Version 2 was the last without counts, without told_elsewhere and with another index by stream."""
    with raw(path) as connection:
        for statements in MIGRATIONS[:2]:
            for statement in statements:
                connection.execute(statement)
        for number in range(1, 61):
            connection.execute(
                "INSERT INTO events(id, source, kind, message_id, received_at, broadcaster_id, broadcaster_login, "
                "broadcaster_name, stream_id, started_at, subscription_id, detail, test, state) "
                "VALUES (?, 'twitch', 'stream.online', ?, ?, '100', 'alice', 'Alice', ?, ?, '', '', 0, ?)",
                (number, f"m{number}", 1.0, f"s{number}", 1.0, "accepted" if number == 60 else "announced"),
            )
            connection.execute(
                "INSERT INTO deliveries(webhook_id, event_id, streamer, destination, state, next_at, born_at, "
                "created_at) VALUES (?, ?, 'alice', ?, ?, 1, 1, 1)",
                (f"w{number}", number, f"d{number % 3}", ("pending", "delivered", "dead", "sending")[number % 4]),
            )
        connection.execute("PRAGMA user_version = 2")
    ledger = Ledger(path, clock)
    await ledger.open()
    assert ledger.failure is None
    assert [record.id for record in await ledger.unfinished(after=0, limit=9)] == [60]
    assert (await ledger.counts()).by_state["dead"] == 15
    await ledger.close()
    kept, counted = kept_and_counted(path)
    assert kept == counted
    assert sum(kept.values()) == 60
