"""Statements about many things come in few sizes: each stays prepared, with the values it had last."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsjustintv_desktop.engine.core.models import EventState
from itsjustintv_desktop.engine.storage.ledger import EventOutcome, broadcasting, importing
from itsjustintv_desktop.engine.storage.ledger.accepting import TOGETHER, accept
from itsjustintv_desktop.engine.storage.ledger.announcing import announced_to, settle_many
from itsjustintv_desktop.engine.storage.ledger.migrations import migrate
from itsjustintv_desktop.engine.storage.ledger.queries import deliveries_of
from itsjustintv_desktop.engine.storage.ledger.records import pad_to, statement_size
from tests.support.builders import make_event
from tests.support.clock import START


class Listening(sqlite3.Connection):
    """Keeps the text of all it is told: each is a statement that stays prepared."""

    statements: set[str]

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        self.statements.add(sql)
        return super().execute(sql, parameters)


@pytest.fixture
def connection() -> Iterator[Listening]:
    made = sqlite3.connect(":memory:", isolation_level=None, factory=Listening)
    made.statements = set()
    migrate(made)
    made.statements.clear()
    yield made
    made.close()


@given(st.integers(0, 100_000))
def test_a_rung_is_less_than_a_quarter_above(count: int) -> None:
    assert count <= statement_size(count)
    assert statement_size(count) * 4 < count * 5 or statement_size(count) == count
    assert statement_size(statement_size(count)) == statement_size(count)


@given(st.lists(st.integers(), max_size=300))
def test_padding_adds_nothing_new(values: list[int]) -> None:
    assert set(pad_to(values)) == set(values)
    assert pad_to(values)[: len(values)] == tuple(values)
    assert len(pad_to(values)) == statement_size(len(values))


def test_batches_of_every_size_are_stored_by_few_statements(connection: Listening) -> None:
    total = 0
    for count in range(1, TOGETHER + 1):
        events = [
            make_event(message_id=None, received_at=START, stream_id=str(total + number)) for number in range(count)
        ]
        assert accept(connection, events) == [True] * count
        total += count
    stored = [stream for (stream,) in connection.execute("SELECT stream_id FROM events ORDER BY id")]
    assert stored == [str(number) for number in range(total)]
    assert len(connection.statements) <= 21


def test_what_a_big_batch_cannot_store_takes_no_other_with_it(connection: Listening) -> None:
    # An event with nothing in it looks like what fills a batch up.
    bad = make_event(source=None, message_id=None, kind=None)
    events = [*(make_event(message_id=f"m{number}") for number in range(32)), bad]
    outcomes = accept(connection, events)
    assert outcomes[:-1] == [True] * 32
    assert not isinstance(outcomes[-1], bool)
    assert connection.execute("SELECT count(*) FROM events").fetchone() == (32,)


def test_any_number_is_settled_by_few_statements(connection: Listening) -> None:
    for count in range(1, 26):
        accept(connection, [make_event(message_id=f"{count} {number}") for number in range(count)])
        ids = [each for (each,) in connection.execute("SELECT id FROM events WHERE state = 'accepted'")]
        assert len(ids) == count
        connection.statements = {each for each in connection.statements if each.startswith("WITH")}
        settle_many(connection, [_settlement(each) for each in ids], START)
    assert len(connection.statements) <= 15
    settled = connection.execute("SELECT count(*) FROM events WHERE state = 'suppressed' AND settled_at = ?", (START,))
    assert settled.fetchone() == (sum(range(26)),)


def test_any_number_is_looked_up_by_few_statements(connection: Listening) -> None:
    connection.execute(
        "INSERT INTO once(destination, broadcaster_id, stream_id, event_id, at) VALUES ('d','b','7',1,0)"
    )
    connection.execute("INSERT INTO broadcasts(broadcaster_id, stream_id, started_at, seen_at) VALUES ('7','s',0,0)")
    connection.execute("INSERT INTO told_elsewhere(key, until) VALUES (x'07', 0)")
    connection.statements.clear()
    for count in range(1, 201):
        found = 7 if count > 7 else None
        assert announced_to(connection, [("d", "b", str(n)) for n in range(count)]) == (
            {("d", "b", "7")} if found else set()
        )
        running = broadcasting.running(connection, [str(n) for n in range(count)])
        assert [each.broadcaster_id for each in running] == (["7"] if found else [])
        assert importing.told(connection, [bytes([n]) for n in range(count)]) == ({b"\x07"} if found else set())
        assert deliveries_of(connection, list(range(count))) == []
    assert len(connection.statements) <= 4 * 27 + 1


def _settlement(event_id: int) -> EventOutcome:
    return EventOutcome(event_id=event_id, state=EventState.SUPPRESSED, reason="filtered", explanation="It was.")


def test_a_batch_is_one_statement_and_not_one_for_each(connection: Listening) -> None:
    executed: list[str] = []
    connection.set_trace_callback(executed.append)
    for count in (*range(1, TOGETHER + 1), TOGETHER + 1, 2 * TOGETHER, 2 * TOGETHER + 1):
        executed.clear()
        assert (
            accept(connection, [make_event(message_id=f"{count} {number}") for number in range(count)])
            == [True] * count
        )
        assert len([sql for sql in executed if sql.startswith("INSERT INTO events")]) == -(-count // 64)


def test_known_messages_are_known_whatever_was_stored_elsewhere_since(connection: Listening) -> None:
    events = [make_event(message_id=f"m{number}") for number in range(3)]
    assert accept(connection, events) == [True] * 3
    connection.execute("CREATE TEMP TABLE elsewhere(value)")
    connection.execute("INSERT INTO elsewhere VALUES (1)")  # lastrowid is 1 now
    assert accept(connection, events) == [False] * 3
    assert accept(connection, [events[0], make_event(message_id="new"), events[0]]) == [False, True, False]


@pytest.mark.parametrize("count", [1, 299, 300, 301, 302, 600, 650])
def test_every_one_of_many_look_ups_is_found(connection: Listening, count: int) -> None:
    streams = [("main", "7", f"s{number}") for number in range(count)]
    connection.executemany(
        "INSERT INTO once(destination, broadcaster_id, stream_id, event_id, at) VALUES (?,?,?,0,0)", streams
    )
    assert announced_to(connection, streams) == set(streams)
