from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from itsjustintv_desktop.engine.announce import pipeline as module
from itsjustintv_desktop.engine.config.schema import Config, Filters
from itsjustintv_desktop.engine.core.errors import NotFoundError, UsageError
from itsjustintv_desktop.engine.core.events import EventSettled
from itsjustintv_desktop.engine.core.models import DeliveryState, Enrichment, EventState
from tests.engine.storage.ledger.book import raw
from tests.support.builders import ALICE, make_config, make_destination, make_event
from tests.support.waiting import until
from tests.support.world import World, opened_world

FILTERED = msgspec.structs.replace(ALICE, tag_filter=("Deutsch",))
OFF = msgspec.structs.replace(ALICE, enabled=False)
FEED_ONLY = msgspec.structs.replace(ALICE, destinations=())
ALL_OFF = make_config(destinations=(make_destination(enabled=False),))
UNKNOWN_TAGS = Enrichment(missing=("tags",))


async def test_an_event_becomes_a_payload_and_deliveries(world: World) -> None:
    world.config = make_config(
        msgspec.structs.replace(ALICE, destinations=("main", "other")),
        destinations=(make_destination(), make_destination("other")),
    )
    event_id = await world.accept(stream_id="s1")
    record = await world.settled(event_id)
    assert (record.state, record.streamer, record.reason) == (EventState.ANNOUNCED, "alice", None)
    payload = msgspec.json.decode(record.payload or b"")
    assert payload["streamer_login"] == "alice"
    assert payload["event"] == {"id": str(event_id), "type": "stream.online", "message_id": record.event.message_id}
    assert (payload["stream"]["id"], payload["stream"]["title"], payload["enriched"]) == ("s1", "A title", True)
    assert sorted(view.destination for view in await world.ledger.deliveries()) == ["main", "other"]
    (event,) = world.events(EventSettled)
    assert (event.event_id, event.state, event.destinations) == (event_id, "announced", ("main", "other"))
    assert (event.enriched, event.reason, world.announced) == (True, None, 1)


NOTED = EventState.NOTED
SUPPRESSED = EventState.SUPPRESSED


@pytest.mark.parametrize(
    ("made", "details", "facts", "state", "reason"),
    [
        (make_config(), {"kind": "revocation", "detail": "user_removed"}, None, NOTED, "revoked"),
        (make_config(), {"kind": "revocation", "broadcaster_id": "999"}, None, NOTED, "revoked"),
        (make_config(), {"broadcaster_id": "999", "broadcaster_login": "who"}, None, NOTED, "not_watched"),
        (make_config(), {"broadcaster_id": "", "broadcaster_login": ""}, None, NOTED, "not_watched"),
        (make_config(), {"kind": "stream.offline"}, None, NOTED, "nothing_to_announce"),
        (make_config(), {"kind": "something.new"}, None, NOTED, "nothing_to_announce"),
        (make_config(), {"kind": "stream.offline", "broadcaster_id": ""}, None, NOTED, "nothing_to_announce"),
        (make_config(), {"detail": "rerun"}, None, SUPPRESSED, "not_live"),
        (make_config(OFF), {}, None, SUPPRESSED, "streamer_disabled"),
        (ALL_OFF, {}, None, SUPPRESSED, "destinations_disabled"),
        (make_config(FILTERED), {}, None, SUPPRESSED, "filtered"),
        (make_config(FILTERED), {}, Enrichment(tags=()), SUPPRESSED, "filtered"),
        (make_config(FILTERED, filters=Filters(unknown="suppress")), {}, UNKNOWN_TAGS, SUPPRESSED, "tags_unknown"),
    ],
)
async def test_what_is_not_announced_says_why(
    world: World, made: Config, details: Any, facts: Enrichment | None, state: EventState, reason: str
) -> None:
    world.config = made
    world.enricher.facts = facts or world.enricher.facts
    record = await world.settle(stream_id="s", **details)
    assert (record.state, record.reason) == (state, reason)
    assert (record.explanation or "").endswith(".")
    assert await world.ledger.deliveries() == []
    (event,) = world.events(EventSettled)
    assert (event.event_id, event.state, event.reason) == (record.id, state.value, reason)
    assert event.explanation == record.explanation
    assert world.announced == 0
    # Nothing of it is remembered as announced: the next message is judged anew.
    world.config, world.enricher.facts = make_config(), Enrichment(tags=())
    assert (await world.settle(stream_id="s")).state is EventState.ANNOUNCED


async def test_a_stream_announced_before_is_not_announced_again(world: World) -> None:
    await world.settle(stream_id="s")
    record = await world.settle(stream_id="s")
    assert (record.state, record.reason) == (EventState.SUPPRESSED, "already_announced")
    assert len(world.enricher.asked) == 1, "it costs no question to Twitch"
    assert len(await world.ledger.deliveries()) == 1


async def test_the_same_stream_many_times_at_once_is_announced_once(world: World) -> None:
    world.enricher.gate.clear()
    ids = [await world.accept(stream_id="s") for _ in range(20)]
    await until(lambda: len(world.enricher.asked) == 20)
    world.enricher.gate.set()
    states = [(await world.settled(each)).state for each in ids]
    assert states.count(EventState.ANNOUNCED) == 1
    assert len(await world.ledger.deliveries()) == 1
    assert world.announced == 1


async def test_a_destination_added_later_gets_what_it_did_not_have(world: World) -> None:
    await world.settle(stream_id="s")
    world.config = make_config(
        msgspec.structs.replace(ALICE, destinations=("main", "new")),
        destinations=(make_destination(), make_destination("new")),
    )
    await world.settle(stream_id="s")
    assert [view.destination for view in await world.ledger.deliveries()] == ["new", "main"]


async def test_without_a_destination_the_file_is_the_output(world: World) -> None:
    world.config = make_config(FEED_ONLY)
    first, second = await world.accept(stream_id="s"), await world.accept(stream_id="s")
    assert (await world.settled(first)).state is EventState.ANNOUNCED
    assert (await world.settled(second)).reason == "already_announced"
    assert await world.ledger.deliveries() == []
    assert [entry.event_id for entry in await world.ledger.feed(25)] == [first]


async def test_tags_that_cannot_be_had_let_it_through_by_default(world: World) -> None:
    world.config = make_config(FILTERED)
    world.enricher.facts = UNKNOWN_TAGS
    record = await world.settle()
    assert record.state is EventState.ANNOUNCED
    payload = msgspec.json.decode(record.payload or b"")
    assert (payload["enriched"], payload["missing"]) == (False, ["tags"])
    assert world.events(EventSettled)[0].enriched is False


async def test_a_test_event_passes_the_filter(world: World) -> None:
    world.config = make_config(FILTERED)
    record = await world.settle(test=True)
    assert record.state is EventState.ANNOUNCED
    assert msgspec.json.decode(record.payload or b"")["test"] is True


async def test_a_start_time_beyond_the_calendar_costs_no_announcement(world: World) -> None:
    world.enricher.facts = Enrichment(login="alice", name="Alice", tags=("English",), title="A title")
    record = await world.settle(stream_id="s1", started_at=253402343999.0)
    assert record.state is EventState.ANNOUNCED
    assert msgspec.json.decode(record.payload or b"")["stream"]["started_at"] is None


async def test_a_channel_nobody_watches_gives_its_subscription_back(world: World) -> None:
    for details in (
        {"broadcaster_id": "999", "broadcaster_login": "who", "subscription_id": "sub-1"},
        {"broadcaster_id": "998", "broadcaster_login": "who", "subscription_id": ""},
        {"kind": "stream.offline", "subscription_id": "sub-2"},
        {"kind": "stream.offline", "broadcaster_id": "997", "broadcaster_login": "x", "subscription_id": "sub-3"},
    ):
        await world.settle(**details)
    assert world.unwatched == ["sub-1", "sub-3"]


async def test_what_was_accepted_before_the_start_is_announced(tmp_path: Path) -> None:
    async with opened_world(tmp_path) as world:
        ids = [await world.accept() for _ in range(450)]  # more than two pages
        await world.restart()
        world.run_pipeline()
        for each in ids:
            assert (await world.settled(each)).state is EventState.ANNOUNCED


async def test_stopped_in_the_middle_of_enriching_it_resumes(world: World) -> None:
    world.enricher.gate.clear()
    event_id = await world.accept()
    await until(lambda: world.enricher.asked)
    await world.restart()
    record = await world.ledger.event(event_id)
    assert record is not None
    assert record.state is EventState.ACCEPTED
    world.enricher.gate.set()
    world.run_pipeline()
    assert (await world.settled(event_id)).state is EventState.ANNOUNCED
    assert len(world.enricher.asked) == 2
    assert len(await world.ledger.deliveries()) == 1


async def test_started_again_it_takes_up_what_it_had_begun(tmp_path: Path) -> None:
    async with opened_world(tmp_path) as world:
        world.enricher.gate.clear()
        task = world.tasks.start("pipeline", world.pipeline.run())
        event_id = await world.accept()
        await until(lambda: world.enricher.asked)
        task.cancel()  # as the supervisor does after a fault: the same pipeline runs once more
        await until(task.done)
        world.enricher.gate.set()
        world.run_pipeline()
        assert (await world.settled(event_id)).state is EventState.ANNOUNCED


@pytest.mark.expected_errors("cannot be written")
async def test_a_ledger_that_fails_in_the_middle_is_waited_for(world: World) -> None:
    world.enricher.gate.clear()
    noted, event_id = await world.accept(kind="stream.offline"), await world.accept()
    await until(lambda: world.enricher.asked)
    await world.settled(noted)
    await world.refuse_soon()
    with raw(world.path) as other:
        other.execute("BEGIN IMMEDIATE")
        world.enricher.gate.set()
        await until(lambda: world.clock.sleeping, what="it pauses after the ledger refused")
        assert world.ledger.failure is not None
        other.execute("ROLLBACK")
    world.clock.advance(1.0)
    assert (await world.settled(event_id)).state is EventState.ANNOUNCED
    assert len(world.enricher.asked) == 1, "what was found out is not asked again"


@pytest.mark.expected_errors("cannot be written")
async def test_reading_the_ledger_is_tried_again_too(world: World) -> None:
    event_id = await world.accept(kind="stream.offline")
    await world.settled(event_id)
    event = make_event(kind="stream.offline")
    assert await world.ledger.accept_now(event)
    await world.refuse_soon()
    with raw(world.path) as other:
        other.execute("BEGIN IMMEDIATE")
        world.pipeline.wake()
        await until(lambda: world.clock.sleeping)
        other.execute("ROLLBACK")
    world.clock.advance(1.0)
    (record,) = await world.ledger.events_of_message("twitch", event.message_id or "")
    assert (await world.settled(record.id)).state is EventState.NOTED


@pytest.mark.expected_errors("damaged", "cannot be written")
async def test_an_event_under_way_outlives_a_damaged_ledger(world: World) -> None:
    world.enricher.gate.clear()
    await world.accept(message_id="under-way", stream_id="s")
    await until(lambda: world.enricher.asked)
    for number in range(200):
        await world.accept(message_id=f"m{number}", kind="stream.offline")
    await world.settled(201)
    size = world.path.stat().st_size
    with raw(world.path) as other:
        other.execute("PRAGMA wal_checkpoint(PASSIVE)")  # from here on pages are read from the file itself
    with world.path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\x5a" * max(size, 200_000))
    await world.ledger._writer.run(lambda connection: connection.execute("PRAGMA shrink_memory").fetchone())
    await world.ledger._writer.run(_read_all)  # meets the damage, and is answered from the new ledger
    world.enricher.gate.set()

    async def stored() -> bool:
        world.clock.advance(1.0)
        found = await world.ledger.events_of_message("twitch", "under-way")
        return [record.state for record in found] == [EventState.ANNOUNCED]

    await until(stored)
    assert len(await world.ledger.deliveries()) == 1
    # And the pipeline sees what comes afterwards, though the new ledger began anew.
    assert (await world.settle(stream_id="t")).state is EventState.ANNOUNCED


async def test_only_so_many_are_enriched_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IN_FLIGHT", 3)
    async with opened_world(tmp_path) as world:
        world.enricher.gate.clear()
        ids = [await world.accept() for _ in range(10)]
        world.run_pipeline()
        await until(lambda: len(world.enricher.asked) == 3)
        await asyncio.sleep(0.05)
        assert (len(world.enricher.asked), world.pipeline.in_flight) == (3, 3)
        world.enricher.gate.set()
        assert {(await world.settled(each)).state for each in ids} == {EventState.ANNOUNCED}


# Sending anyway


async def test_a_filtered_one_can_be_sent_anyway(world: World) -> None:
    world.config = make_config(FILTERED)
    event_id = await world.accept()
    suppressed = await world.settled(event_id)
    world.clock.advance(7200)
    assert await world.pipeline.send_anyway(event_id) == ("main",)
    record = await world.ledger.event(event_id)
    assert record is not None
    assert (record.state, record.reason) == (EventState.ANNOUNCED, None)
    assert record.payload == suppressed.payload, "as it was built then"
    (claimed,) = (await world.ledger.claim(10, {}, 4)).deliveries
    assert (claimed.forced, claimed.born_at) == (True, world.clock.now())
    assert world.announced == 1


@pytest.mark.parametrize(
    ("made", "details"), [(make_config(), {"detail": "rerun"}), (make_config(OFF), {})], ids=["rerun", "streamer off"]
)
async def test_one_without_a_payload_is_enriched_then(world: World, made: Config, details: Any) -> None:
    world.config = made
    event_id = await world.accept(**details)
    assert (await world.settled(event_id)).payload is None
    assert await world.pipeline.send_anyway(event_id) == ("main",)
    assert (await world.ledger.deliveries())[0].state is DeliveryState.PENDING
    assert len(world.enricher.asked) == 1


async def test_sending_anyway_twice_at_once_announces_once(world: World) -> None:
    world.config = make_config(FILTERED)
    event_id = await world.accept()
    await world.settled(event_id)
    outcomes = await asyncio.gather(*(world.pipeline.send_anyway(event_id) for _ in range(2)), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["UsageError", "tuple"]
    record = await world.ledger.event(event_id)
    assert record is not None
    assert record.state is EventState.ANNOUNCED
    assert len(await world.ledger.deliveries()) == 1


async def test_what_cannot_be_sent_anyway_says_so(world: World) -> None:
    with pytest.raises(NotFoundError, match="no event 99"):
        await world.pipeline.send_anyway(99)
    announced = await world.accept(stream_id="s")
    await world.settled(announced)
    with pytest.raises(UsageError, match="use resend"):
        await world.pipeline.send_anyway(announced)
    again = await world.accept(stream_id="s")
    await world.settled(again)
    with pytest.raises(UsageError, match="every destination already"):
        await world.pipeline.send_anyway(again)
    record = await world.ledger.event(again)
    assert record is not None
    assert record.reason == "already_announced"
    world.config = ALL_OFF
    off = await world.accept()
    await world.settled(off)
    with pytest.raises(UsageError, match="switched off"):
        await world.pipeline.send_anyway(off)
    assert await world.ledger.feed(25, before=None)
    world.config = make_config(msgspec.structs.replace(ALICE, user_id="1", login="someone"))
    with pytest.raises(UsageError, match="Add the streamer"):
        await world.pipeline.send_anyway(off)


def _read_all(connection: Any) -> Any:
    connection.execute("PRAGMA shrink_memory")
    return connection.execute("SELECT sum(length(broadcaster_name)), count(kind) FROM events").fetchone()
