"""The ledger's tables, as steps that `PRAGMA user_version` counts. A step is never edited once released."""

from __future__ import annotations

import sqlite3

from itsjustintv_desktop.engine.core.errors import LedgerTooNewError

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
        """CREATE TABLE events(
            id INTEGER PRIMARY KEY,
            source TEXT NOT NULL, kind TEXT NOT NULL, message_id TEXT, received_at REAL NOT NULL,
            broadcaster_id TEXT NOT NULL, broadcaster_login TEXT NOT NULL, broadcaster_name TEXT NOT NULL,
            stream_id TEXT NOT NULL, started_at REAL, subscription_id TEXT NOT NULL, detail TEXT NOT NULL,
            test INTEGER NOT NULL, state TEXT NOT NULL DEFAULT 'accepted',
            reason TEXT, explanation TEXT, streamer TEXT, payload BLOB, settled_at REAL)""",
        "CREATE UNIQUE INDEX events_message ON events(message_id, source) WHERE message_id IS NOT NULL",
        "CREATE INDEX events_todo ON events(id) WHERE state = 'accepted'",
        "CREATE INDEX events_age ON events(received_at)",
        "CREATE INDEX events_noted ON events(received_at) WHERE state = 'noted'",
        "CREATE INDEX events_feed ON events(id) WHERE state = 'announced'",
        # A stream is announced once a destination; the row is born in the transaction that makes the delivery.
        """CREATE TABLE once(
            destination TEXT NOT NULL, broadcaster_id TEXT NOT NULL, stream_id TEXT NOT NULL,
            event_id INTEGER NOT NULL, at REAL NOT NULL,
            PRIMARY KEY(destination, broadcaster_id, stream_id)) WITHOUT ROWID""",
        "CREATE INDEX once_age ON once(at)",
        """CREATE TABLE deliveries(
            id INTEGER PRIMARY KEY, webhook_id TEXT NOT NULL UNIQUE,
            event_id INTEGER NOT NULL REFERENCES events(id), streamer TEXT NOT NULL, destination TEXT NOT NULL,
            state TEXT NOT NULL DEFAULT 'pending', attempts INTEGER NOT NULL DEFAULT 0,
            next_at REAL, born_at REAL NOT NULL, forced INTEGER NOT NULL DEFAULT 0,
            last_status INTEGER, last_error TEXT, created_at REAL NOT NULL, settled_at REAL)""",
        "CREATE INDEX deliveries_due ON deliveries(destination, next_at) WHERE state = 'pending'",
        "CREATE INDEX deliveries_age ON deliveries(born_at) WHERE state = 'pending'",
        "CREATE INDEX deliveries_state ON deliveries(state, id)",
        "CREATE INDEX deliveries_event ON deliveries(event_id)",
        """CREATE TABLE attempts(
            delivery_id INTEGER NOT NULL REFERENCES deliveries(id), number INTEGER NOT NULL,
            started_at REAL NOT NULL, duration REAL, status INTEGER, error TEXT, answer TEXT,
            PRIMARY KEY(delivery_id, number)) WITHOUT ROWID""",
        "CREATE TABLE breakers(destination TEXT PRIMARY KEY, state BLOB NOT NULL) WITHOUT ROWID",
        "CREATE TABLE profiles(user_id TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID",
    ),
    (
        # What we made at Twitch, and with which secret (a fingerprint: Twitch never tells the secret again).
        """CREATE TABLE subscriptions(
            id TEXT PRIMARY KEY, type TEXT NOT NULL, user_id TEXT NOT NULL, target TEXT NOT NULL,
            fingerprint TEXT NOT NULL, created_at REAL NOT NULL) WITHOUT ROWID""",
        # Callbacks and conduits ever used: what points at one of them is ours to delete.
        "CREATE TABLE targets(target TEXT PRIMARY KEY, used_at REAL NOT NULL) WITHOUT ROWID",
        # The last few broadcasts of each channel, for catching up and for encoders that crash. Times are Twitch's.
        """CREATE TABLE broadcasts(
            broadcaster_id TEXT NOT NULL, stream_id TEXT NOT NULL, started_at REAL NOT NULL, seen_at REAL NOT NULL,
            ended_at REAL, PRIMARY KEY(broadcaster_id, stream_id)) WITHOUT ROWID""",
        "CREATE INDEX events_stream ON events(broadcaster_id, stream_id)",
        "CREATE INDEX deliveries_tried ON deliveries(destination, id) WHERE attempts > 0",
    ),
    (
        # Written when an event is settled: an index in no order, fed by every accept, cost a third of its time.
        "DROP INDEX events_stream",
        """CREATE INDEX events_stream ON events(broadcaster_id, stream_id)
            WHERE state != 'accepted' AND kind = 'stream.online'""",
    ),
    (
        # Streams that the Go service announced before it was replaced, by its own hashes: see importing.py.
        "CREATE TABLE told_elsewhere(key BLOB PRIMARY KEY, until REAL NOT NULL) WITHOUT ROWID",
    ),
    (
        # How many deliveries each destination has in each state, so that 100,000 of them are counted at once.
        """CREATE TABLE tally(
            destination TEXT NOT NULL, state TEXT NOT NULL, count INTEGER NOT NULL,
            PRIMARY KEY(destination, state)) WITHOUT ROWID""",
        "INSERT INTO tally SELECT destination, state, count(*) FROM deliveries GROUP BY destination, state",
        """CREATE TRIGGER tally_made AFTER INSERT ON deliveries BEGIN
            INSERT INTO tally VALUES (new.destination, new.state, 1) ON CONFLICT DO UPDATE SET count = count + 1;
            END""",
        """CREATE TRIGGER tally_changed AFTER UPDATE OF state ON deliveries WHEN old.state != new.state BEGIN
            UPDATE tally SET count = count - 1 WHERE destination = old.destination AND state = old.state;
            INSERT INTO tally VALUES (new.destination, new.state, 1) ON CONFLICT DO UPDATE SET count = count + 1;
            END""",
        """CREATE TRIGGER tally_gone AFTER DELETE ON deliveries BEGIN
            UPDATE tally SET count = count - 1 WHERE destination = old.destination AND state = old.state;
            END""",
        # What the feed shows beside announcements. Written when an event is settled, not when it is accepted.
        """CREATE INDEX events_told ON events(state, id)
            WHERE state = 'suppressed' OR reason IN ('revoked', 'ledger_damaged')""",
        "CREATE INDEX events_tests ON events(id) WHERE test",
        # What goes out while announcements are paused, found without reading through all that waits.
        """CREATE INDEX deliveries_forced ON deliveries(destination, next_at)
            WHERE state = 'pending' AND forced = 1""",
    ),
    (
        # A destination that gets another name takes its counts along; those that were left behind are counted anew.
        "DROP TRIGGER tally_changed",
        """CREATE TRIGGER tally_changed AFTER UPDATE OF state, destination ON deliveries
            WHEN old.state != new.state OR old.destination != new.destination BEGIN
            UPDATE tally SET count = count - 1 WHERE destination = old.destination AND state = old.state;
            INSERT INTO tally VALUES (new.destination, new.state, 1) ON CONFLICT DO UPDATE SET count = count + 1;
            END""",
        "DELETE FROM tally",
        "INSERT INTO tally SELECT destination, state, count(*) FROM deliveries GROUP BY destination, state",
    ),
    (
        # Attempts whose response was lost: each of them may have arrived.
        "ALTER TABLE deliveries ADD COLUMN lost INTEGER NOT NULL DEFAULT 0",
    ),
    (
        # The last event stored before, or when, the broadcast became known: later ones about an earlier start come too
        # late. NULL: its start was not said by the source, so nothing is judged by it.
        "ALTER TABLE broadcasts ADD COLUMN known_at_event INTEGER",
    ),
)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the file to the present version, each step in one transaction. Raises LedgerTooNewError."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(MIGRATIONS):
        raise LedgerTooNewError(
            f"The ledger was written by a newer version of this program (its format is {version}, "
            f"this version knows {len(MIGRATIONS)}). Install the newer version again; nothing was changed."
        )
    for number, statements in enumerate(MIGRATIONS[version:], start=version + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in statements:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
