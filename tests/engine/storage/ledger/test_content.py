"""A sound file with rows in it that nobody wrote: the program starts, and goes on with what can be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.engine.delivery.destination_queues import DestinationQueues
from itsjustintv_desktop.engine.storage.ledger import Ledger
from itsjustintv_desktop.engine.twitch.profiles import Profiles
from tests.engine.storage.ledger.book import Book, raw
from tests.support.builders import make_event
from tests.support.clock import FakeClock

pytestmark = pytest.mark.expected_errors("put aside", "cannot be written")

_NO_TEXT = "CAST(x'68616c6c6fff' AS TEXT)"
_FAULT = pytest.mark.fault(
    "ledger: rows damaged, the file is sound", seen="a notice names the file it was put aside as; the rest goes on"
)


def damage(path: Path, *statements: str) -> None:
    """As the disk would do it: the declared NOT NULL does not keep it away."""
    with raw(path) as connection:
        schema = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table'").fetchall()
        connection.execute("PRAGMA writable_schema = 1")
        connection.execute("UPDATE sqlite_schema SET sql = replace(sql, ' NOT NULL', '') WHERE type = 'table'")
    with raw(path) as connection:
        for statement in statements:
            assert connection.execute(statement).rowcount, statement
        connection.execute("PRAGMA writable_schema = 1")
        connection.executemany(
            "UPDATE sqlite_schema SET sql = ? WHERE name = ?", [(text, name) for name, text in schema]
        )


@_FAULT
@pytest.mark.parametrize(
    "statement",
    [
        f"UPDATE events SET broadcaster_name = {_NO_TEXT} WHERE message_id = 'damaged'",
        "UPDATE events SET received_at = 'abc' WHERE message_id = 'damaged'",
        "UPDATE events SET received_at = NULL WHERE message_id = 'damaged'",
        "UPDATE events SET state = 'acceptex' WHERE message_id = 'damaged'",
        f"UPDATE deliveries SET destination = {_NO_TEXT}",
        f"UPDATE deliveries SET last_error = {_NO_TEXT}",
        "UPDATE deliveries SET next_at = 'abc'",
        "UPDATE deliveries SET next_at = NULL",
        "UPDATE deliveries SET state = 'pendinx'",
        "UPDATE deliveries SET attempts = NULL",
        f"UPDATE breakers SET destination = {_NO_TEXT}",
        "UPDATE breakers SET state = NULL",
        "UPDATE breakers SET state = 7",
        "UPDATE breakers SET state = x'ff00'",
        "UPDATE profiles SET body = NULL",
        "UPDATE profiles SET body = x'7b22757365725f6964223a2022ff227d'",
        f"UPDATE meta SET value = {_NO_TEXT} WHERE key = 'note'",
        "UPDATE meta SET value = NULL WHERE key = 'note'",
    ],
)
async def test_every_start_works(path: Path, clock: FakeClock, statement: str, caplog: Any) -> None:
    ledger = Ledger(path, clock)
    await ledger.open()
    await Book(ledger, clock).delivery()
    assert await ledger.accept_now(make_event(message_id="damaged"))
    assert await ledger.accept_now(make_event(message_id="sound"))
    await ledger.save_breaker("main", b"{}")
    await ledger.save_profiles([("1001", b'{"user_id": "1001"}')])
    await ledger.set_meta("note", "1")
    await ledger.close()
    damage(path, statement)
    for start in range(2):
        ledger = Ledger(path, clock)
        await ledger.open()
        DestinationQueues().restore(await ledger.load_breakers())
        await ledger.meta("note")
        await Profiles(ledger, tasks=Tasks(), clock=clock).load()
        await ledger.recover(clock.now() + 60)
        await ledger.claim(10, {}, 10)
        await ledger.feed(200)
        await ledger.deliveries()
        events = [record.event.message_id for record in await ledger.events()]
        assert "sound" in [record.event.message_id for record in await ledger.unfinished()]
        assert "sound" in events
        assert await ledger.accept_now(make_event(message_id=f"after-{start}"))
        assert ledger.failure is None
        await ledger.close()
    assert "hallo" not in caplog.text, "nothing that is stored is logged"
