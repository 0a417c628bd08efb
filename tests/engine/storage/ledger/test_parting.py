"""One message that becomes an event for each of several streamers."""

from __future__ import annotations

from itsjustintv_desktop.engine.storage.ledger import Ledger
from tests.support.builders import make_event


async def test_each_gets_one_and_repeated_it_changes_nothing(ledger: Ledger) -> None:
    for message_id in ("m", None):
        await ledger.accept_now(make_event(message_id=message_id, stream_id=f"s{message_id}"))
    await ledger.part({1: ["one", "two", "three"], 2: ["one", "two"]})
    await ledger.part({1: ["one", "two", "three"], 2: ["two", "one"]})
    records = await ledger.unfinished()
    assert [(record.event.stream_id, record.streamer) for record in records] == [
        ("sm", "one"), ("sNone", "one"), ("sm", "two"), ("sm", "three"), ("sNone", "two"),
    ]  # fmt: skip
    assert [record.event.message_id for record in records] == ["m", None, "m", "m", None]
    assert {record.notification for record in records} == {"m", "2", "5"}


async def test_all_events_of_a_message_and_of_no_other(ledger: Ledger) -> None:
    for message_id in ("m", "m1", "l", "n"):
        await ledger.accept_now(make_event(message_id=message_id))
    await ledger.part({1: ["one", "two"]})
    found = await ledger.events_of_message("twitch", "m")
    assert [(record.id, record.streamer) for record in found] == [(1, "one"), (5, "two")]
    assert await ledger.events_of_message("chalk", "m") == []


async def test_an_event_for_one_alone(ledger: Ledger) -> None:
    assert await ledger.accept_for(make_event(), "two") == 1
    assert await ledger.accept_for(make_event(), None) == 2
    assert [record.streamer for record in await ledger.unfinished()] == ["two", None]
