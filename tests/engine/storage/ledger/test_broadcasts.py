"""Who was live from when to when, as the ledger remembers it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from itsjustintv_desktop.engine.core.models import EventState
from itsjustintv_desktop.engine.storage.ledger import EventOutcome, Ledger, announcing, broadcasting
from itsjustintv_desktop.engine.storage.ledger.accepting import accept
from itsjustintv_desktop.engine.storage.ledger.broadcasting import ECHO, KEPT, Broadcast, BroadcastStream, End, Sight
from itsjustintv_desktop.engine.storage.ledger.migrations import migrate
from tests.engine.storage.ledger.book import Book
from tests.support.builders import make_event

T = 1_790_000_000.0


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    made = sqlite3.connect(":memory:", isolation_level=None)
    migrate(made)
    yield made
    made.close()


def sight(stream: str, at: float, started: float | None = None, *, told: bool = True) -> Sight:
    began = at if started is None else started
    return Sight(broadcaster_id="1", stream_id=stream, started_at=T + began, at=T + at, told=told)


def end(at: float, stream: str = "") -> End:
    return End(broadcaster_id="1", stream_id=stream, at=T + at)


def rows(connection: sqlite3.Connection) -> list[tuple[str, float, float, float | None]]:
    """Stream, start, last sight, end, the newest first."""
    return [
        (row.stream_id, row.started_at - T, row.seen_at - T, None if row.ended_at is None else row.ended_at - T)
        for row in broadcasting.of_channel(connection, "1")
    ]


def before(connection: sqlite3.Connection, word: Sight) -> str | None:
    (found,) = broadcasting.note(connection, [word])
    return found.stream_id if found else None


def test_a_day_of_a_channel(connection: sqlite3.Connection) -> None:
    assert before(connection, sight("a", 0)) is None
    broadcasting.note(connection, [sight("a", 300, 0, told=False), end(600)])
    assert rows(connection) == [("a", 0, 300, 600)]
    assert before(connection, sight("b", 700)) == "a"
    assert [row.stream_id for row in broadcasting.all_running(connection)] == ["b"]
    assert before(connection, sight("a", 1, 0)) is None, "the same answer whenever it is asked"


def test_the_end_is_the_last_sight_if_it_was_never_told(connection: sqlite3.Connection) -> None:
    broadcasting.note(connection, [sight("a", 0), sight("a", 300, 0, told=False)])
    (found,) = broadcasting.note(connection, [sight("b", 500)])
    assert found is not None
    assert (found.ended_at, found.last_known) == (None, T + 300)


def test_a_late_word_about_the_end_of_the_one_before(connection: sqlite3.Connection) -> None:
    broadcasting.note(connection, [sight("a", 0), sight("b", 502, 500)])
    for _ in range(2):  # once more after a kill
        broadcasting.note(connection, [end(504)])
    assert rows(connection) == [("b", 500, 502, None), ("a", 0, 0, 500)]
    broadcasting.note(connection, [end(900)])
    assert rows(connection)[0] == ("b", 500, 502, 900)


def test_an_end_that_was_told_before_what_began_after_it(connection: sqlite3.Connection) -> None:
    broadcasting.note(connection, [sight("a", 0), sight("b", 700), end(650)])
    assert rows(connection) == [("b", 700, 700, None), ("a", 0, 0, 650)]


def test_an_end_that_names_its_stream_ends_that_one(connection: sqlite3.Connection) -> None:
    broadcasting.note(connection, [sight("a", 0), sight("b", 502, 500), end(900, "a")])
    assert rows(connection) == [("b", 500, 502, None), ("a", 0, 0, 500)], "told far too late for one without a name"
    broadcasting.note(connection, [end(910, "never-seen")])
    assert rows(connection)[0] == ("b", 500, 502, None)
    broadcasting.note(connection, [sight("b", 1000, 500, told=False), end(5000, "b"), end(9000, "b")])
    assert rows(connection)[0] == ("b", 500, 1000, 9000), "the last word about it"
    broadcasting.note(connection, [end(9500)])
    assert rows(connection)[0] == ("b", 500, 1000, 9500)


def test_a_flap_of_the_same_stream_goes_on(connection: sqlite3.Connection) -> None:
    broadcasting.note(connection, [sight("a", 0), end(100), sight("a", 110, 0)])
    assert rows(connection) == [("a", 0, 110, None)]
    broadcasting.note(connection, [sight("a", 0), end(100), sight("a", 110, 0)])
    assert rows(connection) == [("a", 0, 110, None)], "the same words once more change nothing"


def test_get_streams_shows_for_a_while_what_is_over(connection: sqlite3.Connection) -> None:
    broadcasting.note(connection, [sight("a", 0), end(600), sight("a", 600 + ECHO, 0, told=False)])
    assert rows(connection) == [("a", 0, 0, 600)]
    broadcasting.note(connection, [sight("a", 601 + ECHO, 0, told=False)])
    assert rows(connection) == [("a", 0, 601 + ECHO, None)], "so long is no echo: it runs"
    broadcasting.note(connection, [sight("b", 1000), sight("a", 1010, 0, told=False)])
    assert rows(connection)[1] == ("a", 0, 601 + ECHO, None), "what is not the newest is an echo too"


def test_a_start_in_the_future_does_not_stay_the_newest(connection: sqlite3.Connection) -> None:
    broadcasting.note(connection, [sight("a", 0, 1e10), sight("b", 50)])
    assert [row[0] for row in rows(connection)] == ["b", "a"]


def test_only_the_last_few_are_kept(connection: sqlite3.Connection) -> None:
    broadcasting.note(connection, [sight(f"s{number:02}", number * 100) for number in range(3 * KEPT)])
    assert len(rows(connection)) == KEPT
    assert rows(connection)[0][0] == f"s{3 * KEPT - 1:02}"


def test_who_is_live_comes_in_pages(connection: sqlite3.Connection) -> None:
    words = [
        Sight(broadcaster_id=f"{number:04}", stream_id=stream, started_at=T + at, at=T + at)
        for number in range(450)
        for stream, at in (("old", 0), ("new", 100))
    ]
    broadcasting.note(connection, [*words, End(broadcaster_id="0007", at=T + 200)])
    found: list[Broadcast] = []
    while page := broadcasting.all_running(connection, found[-1].broadcaster_id if found else ""):
        assert len(page) <= 200
        found += page
    assert [row.broadcaster_id for row in found] == [f"{number:04}" for number in range(450) if number != 7]
    assert {row.stream_id for row in found} == {"new"}


words = st.one_of(
    st.builds(sight, st.sampled_from("abc"), st.floats(0, 2000), st.floats(0, 2000), told=st.booleans()),
    st.builds(end, st.floats(0, 2000)),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(words, max_size=12))
def test_whatever_is_told_it_makes_sense(told: list[Sight | End]) -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection)
    broadcasting.note(connection, told)
    known = broadcasting.of_channel(connection, "1")
    assert len({row.stream_id for row in known}) == len(known)
    assert len(broadcasting.all_running(connection)) <= 1, "a channel has one stream at a time"
    for row in known:
        assert row.ended_at is None or row.ended_at >= row.started_at
    # One more sight of each gives the same broadcast before it, whatever came after.
    for row, older in zip(known, [*known, None][1:], strict=True):
        (found,) = broadcasting.note(
            connection,
            [Sight(broadcaster_id="1", stream_id=row.stream_id, started_at=row.started_at, at=row.seen_at)],
        )
        assert (found and found.stream_id) == (older and older.stream_id)
    connection.close()


async def test_what_became_of_a_stream(ledger: Ledger, book: Book) -> None:
    def asked(*streams: str) -> list[BroadcastStream]:
        return [BroadcastStream("100", stream, ("main",)) for stream in streams]

    await book.event(stream_id="work")
    await book.announced("main", stream_id="done")
    filtered, half, tested = (
        await book.event(stream_id="filtered"),
        await book.event(stream_id="half"),
        await book.event(stream_id="test", test=True),
    )
    await ledger.settle(
        [
            EventOutcome(event_id=event, state=EventState.SUPPRESSED, reason=reason, explanation="Because.")
            for event, reason in ((filtered, "filtered"), (half, "restarted"))
        ]
    )
    assert tested
    found = await ledger.broadcast_fates(asked("work", "done", "filtered", "half", "test", "never"))
    assert found == ["accepted", "announced", "", "announced", "", ""]


def test_history_may_be_forgotten_before_the_announcement_is(connection: sqlite3.Connection) -> None:
    accept(connection, [make_event(stream_id="s")])
    announcing.announce(connection, 1, streamer="alice", payload=b"{}", destinations=["main"], now=T)
    connection.execute("DELETE FROM deliveries")
    connection.execute("DELETE FROM events")
    assert broadcasting.fates(
        connection, [BroadcastStream("100", "s", ("main",)), BroadcastStream("100", "s", ("other",))]
    ) == [
        "announced",
        "",
    ]


def test_an_end_that_was_told_is_told_from_one_that_was_not_seen(connection: sqlite3.Connection) -> None:
    def told_over(stream: str = "a") -> bool:
        return broadcasting.told_over(connection, "1", stream)

    broadcasting.note(connection, [sight("a", 0), sight("a", 300, 0, told=False)])
    assert not told_over()
    (row,) = broadcasting.of_channel(connection, "1")
    broadcasting.close(connection, row)
    assert not told_over(), "it was only no longer shown"
    broadcasting.note(connection, [end(500)])
    assert told_over()
    broadcasting.note(connection, [sight("a", 510, 0)])
    assert not told_over(), "Twitch told that it runs since: the end was a flap"
    broadcasting.note(connection, [end(600, "a"), sight("b", 700)])
    assert told_over()
    assert not told_over("b")
    assert not told_over("never heard of")
