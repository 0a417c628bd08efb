"""What becomes of streams that are found by asking."""

from __future__ import annotations

import msgspec
import pytest

from itsjustintv_desktop.engine.config.schema import Filters, Twitch
from itsjustintv_desktop.engine.core.events import EventSettled
from itsjustintv_desktop.engine.core.models import DeliveryState, Enrichment, EventState
from itsjustintv_desktop.engine.ingress.catch_up.decide import TRIES
from itsjustintv_desktop.engine.storage.ledger.broadcasting import Sight
from itsjustintv_desktop.engine.storage.ledger.catching import LAG
from tests.engine.ingress.catch_up.rig import Net, changed
from tests.engine.storage.ledger.book import raw
from tests.support.bent import MISSING, bend, put
from tests.support.builders import make_config, make_destination, make_event
from tests.support.waiting import until

HOUR = 3600.0
OFF = (make_destination(enabled=False),)


async def test_a_fresh_one_is_announced_once(net: Net) -> None:
    net.world.run_pipeline()
    stream = await net.live("alice", ago=60)
    await net.ask()
    (record,) = await net.records()
    record = await net.world.settled(record.id)
    assert (record.state, record.event.stream_id, record.event.message_id) == (EventState.ANNOUNCED, stream, None)
    assert (record.event.broadcaster_login, record.event.broadcaster_name) == ("alice", "Alice")
    payload = msgspec.json.decode(record.payload or b"")
    assert payload["event"] == {"id": str(record.id), "type": "stream.online", "message_id": None}
    assert (payload["stream"]["id"], payload["stream"]["started_at"] is None) == (stream, False)
    for _ in range(3):
        net.clock.advance(300)
        await net.ask()
    assert len(await net.records()) == 1
    assert len(await net.world.ledger.deliveries()) == 1


async def test_an_old_one_is_listed_with_the_reason_and_can_be_sent_anyway(net: Net) -> None:
    await net.live("alice", ago=2 * HOUR + 600)
    for _ in range(3):
        await net.ask()
        net.clock.advance(300)
    (record,) = await net.records()
    assert (record.state, record.reason, record.streamer) == (EventState.SUPPRESSED, "missed", "alice")
    assert record.explanation == (
        "It began 2 h 10 min before it could be seen, longer than [twitch] catch_up_max_age (30m)."
    )
    assert net.catch_up.status.missed == 1
    assert net.submitted == 0
    (told,) = net.events(EventSettled)
    assert (told.event_id, told.state, told.reason, told.login) == (record.id, "suppressed", "missed", "alice")
    assert await net.world.pipeline.send_anyway(record.id) == ("main",)


@pytest.mark.parametrize(("ago", "reason"), [(1795.0, "accepted"), (1805.0, "missed"), (-500.0, "accepted")])
async def test_its_age_by_twitchs_clock_decides(net: Net, ago: float, reason: str) -> None:
    await net.live("alice", ago=ago)
    await net.ask()
    assert await net.reasons() == [reason]


@pytest.mark.parametrize("skew", [-HOUR, 365 * 86400.0])
async def test_a_wrong_clock_of_ours_changes_nothing(net: Net, skew: float) -> None:
    net.simulator.faults.clock_skew = skew
    net.watch("alice", "bob")
    await net.live("alice", ago=60)
    await net.live("bob", ago=HOUR)
    await net.ask()
    assert sorted(await net.reasons()) == ["accepted", "missed"]


async def test_a_clock_set_while_we_run_is_measured_before_anything_is_judged(net: Net) -> None:
    for _ in range(3):
        await net.ask()
    net.simulator.faults.clock_skew = -5 * HOUR  # as it looks when ours is set ahead
    net.clock.jump(5 * HOUR)
    await net.live("alice", ago=60)
    await net.ask()
    assert await net.reasons() == ["accepted"]


async def test_what_twitch_has_told_is_not_found_again(net: Net) -> None:
    net.world.run_pipeline()
    stream = await net.live("alice")
    first = await net.world.accept(stream_id=stream, broadcaster_id=net.user_id("alice"))
    await net.ask()  # whether it is announced already or not
    await net.world.settled(first)
    await net.ask()
    assert len(await net.records()) == 1
    # The other way round: told after it was found.
    net.clock.advance(5 * HOUR)
    await net.over("alice")
    stream = await net.live("alice")
    await net.ask()
    late = await net.world.accept(stream_id=stream, broadcaster_id=net.user_id("alice"))
    await net.world.settled(late)
    assert len(await net.world.ledger.deliveries()) == 2
    assert [record.reason for record in await net.records()].count("already_announced") == 1


async def test_what_history_has_forgotten_is_still_known_to_be_announced(net: Net) -> None:
    net.world.run_pipeline()
    await net.live("alice")
    await net.ask()
    await net.world.settled(1)
    with raw(net.world.path) as other:
        other.execute("DELETE FROM deliveries")
        other.execute("DELETE FROM events")
    await net.ask()
    assert await net.records() == []


@pytest.mark.parametrize("max_age", [0.0, 60.0])
async def test_without_catching_up_it_waits_for_the_message_and_then_lists(net: Net, max_age: float) -> None:
    net.watch("alice", catch_up_max_age=max_age, poll_interval=0.0)
    await net.live("alice", ago=61)
    assert await net.catch_up._turn() == 120.0, "soon once more, though it is never asked by itself"
    assert await net.reasons() == []
    net.clock.advance(120)
    assert await net.catch_up._turn() is None
    assert await net.reasons() == ["missed"]
    (record,) = await net.records()
    assert ("0s" in (record.explanation or "")) == (max_age == 0)


# What was suppressed is judged again when the answer can be another


async def test_a_filtered_one_is_tried_again_when_it_gets_the_right_tag(net: Net) -> None:
    net.world.run_pipeline()
    net.configure(net.streamer("alice", tag_filter=("Deutsch",)))
    await net.live("alice")
    for _ in range(3):
        await net.ask()
        await net.world.settled(1)
    assert await net.reasons() == ["filtered"]
    net.simulator.state.get("alice").tags = ("deutsch",)
    await net.ask()
    await net.world.settled(2)
    assert await net.reasons() == ["filtered", "filtered"], "the pipeline has the last word"
    for _ in range(3):
        await net.ask()
    assert len(await net.records()) == 2, "the same circumstances are not tried twice"
    net.world.enricher.facts = Enrichment(tags=("Deutsch",))
    net.configure(net.streamer("alice", tag_filter=("Deutsch", "English")))
    await net.ask()
    assert (await net.world.settled(3)).state is EventState.ANNOUNCED
    await net.ask()
    assert len(await net.records()) == 3


async def test_tags_that_could_not_be_had_are_had_now(net: Net) -> None:
    net.world.run_pipeline()
    filtered = net.streamer("alice", tag_filter=("English",))
    net.world.config = make_config(filtered, filters=Filters(unknown="suppress"), twitch=Twitch())
    net.world.enricher.facts = Enrichment(missing=("tags",))
    await net.live("alice")
    await net.ask()
    assert (await net.world.settled(1)).reason == "tags_unknown"
    net.world.enricher.facts = Enrichment(tags=("English",))
    net.catch_up = net.new()  # a restart forgets what was tried
    await net.ask()
    assert (await net.world.settled(2)).state is EventState.ANNOUNCED


@pytest.mark.parametrize(("rounds", "ends"), [(1, "announced"), (9, "tags_unknown")])
async def test_tags_that_could_not_be_had_for_what_was_found_are_asked_for_again(
    net: Net, rounds: int, ends: str
) -> None:
    net.world.config = make_config(net.streamer("alice", tag_filter=("English",)), filters=Filters(unknown="suppress"))
    net.world.run_pipeline()
    net.world.enricher.facts = Enrichment(missing=("tags",), tags=None)
    await net.live("alice", ago=60)
    for _ in range(rounds):
        await net.ask()
        await until(lambda: _nothing_in_work(net))
    net.world.enricher.facts = Enrichment(tags=("English",))
    await net.ask()
    await until(lambda: _nothing_in_work(net))
    reasons = await net.reasons()
    assert reasons[-1] == ends
    assert len(reasons) == min(rounds + 1, TRIES)


async def test_a_streamer_switched_off_is_left_alone_and_found_once_on_again(net: Net) -> None:
    net.world.run_pipeline()
    off = net.streamer("alice", enabled=False)
    net.configure(off)
    await net.live("alice")
    await net.ask()
    assert await net.reasons() == []
    net.configure(changed(off, enabled=True))
    await net.ask()
    assert (await net.world.settled(1)).state is EventState.ANNOUNCED


async def test_destinations_switched_off_and_on_again(net: Net) -> None:
    net.world.run_pipeline()
    net.world.config = make_config(net.streamer("alice"), destinations=OFF, twitch=Twitch())
    await net.live("alice")
    for _ in range(2):
        await net.ask()
        await net.world.settled(1)
    assert await net.reasons() == ["destinations_disabled"]
    net.watch("alice")
    await net.ask()
    assert (await net.world.settled(2)).state is EventState.ANNOUNCED


async def test_what_is_too_old_by_then_keeps_its_entry(net: Net) -> None:
    net.world.run_pipeline()
    net.configure(net.streamer("alice", tag_filter=("Deutsch",)))
    await net.live("alice")
    await net.ask()
    await net.world.settled(1)
    net.clock.advance(HOUR)
    net.watch("alice")
    await net.ask()
    assert await net.reasons() == ["filtered"]


async def test_an_old_one_that_would_be_filtered_is_not_called_missed(net: Net) -> None:
    net.configure(net.streamer("alice", tag_filter=("Deutsch",)))
    await net.live("alice", ago=HOUR)
    await net.ask()
    assert await net.reasons() == ["filtered"]
    assert net.catch_up.status.missed == 0


async def test_a_crash_that_was_slept_through_is_no_second_ping(net: Net) -> None:
    net.world.run_pipeline()
    await net.live("alice")
    await net.ask()
    await net.world.settled(1)
    for _ in range(12):
        net.clock.advance(300)
        await net.ask()
    await net.over("alice")
    net.clock.advance(1200)  # away; it crashed and came back ten minutes after the last sight
    await net.live("alice", ago=600)
    await net.ask()
    assert (await net.world.settled(2)).reason == "restarted"
    assert len(await net.world.ledger.deliveries()) == 1


@pytest.mark.parametrize("kind", ["rerun", "playlist", "premiere", "watch_party"])
@pytest.mark.parametrize("ago", [10.0, 600.0, 5 * HOUR])
async def test_what_is_no_live_stream_is_treated_as_if_an_event_had_told_of_it(
    net: Net, monkeypatch: pytest.MonkeyPatch, kind: str, ago: float
) -> None:
    net.world.run_pipeline()
    bend(monkeypatch, net.rig.http, "/streams", lambda told: put(told, ("data", 0, "type"), kind))
    told = await net.world.accept(stream_id="told", broadcaster_id=net.user_id("alice"), detail=kind)
    told_record = await net.world.settled(told)
    stream = await net.live("alice", ago=ago)
    await net.ask()
    (_, found) = await net.records()
    record = await net.world.settled(found.id)
    for _ in range(3):
        net.clock.advance(150)
        await net.ask()
    assert record.event.stream_id == stream
    assert (record.state, record.reason, record.explanation) == (
        EventState.SUPPRESSED, "not_live", f"The broadcast is a {kind}, not a live stream."
    )  # fmt: skip
    assert (told_record.state, told_record.reason, told_record.explanation) == (
        record.state, record.reason, record.explanation
    )  # fmt: skip
    assert dict(net.catch_up.live_now) == {}
    assert await net.world.ledger.live_broadcasts() == []
    assert len(await net.records()) == 2, "it is listed once, however often it is found"
    assert await net.world.pipeline.send_anyway(record.id) == ("main",)


@pytest.mark.parametrize("value", [None, MISSING, "", 5, []])
async def test_a_stream_of_no_said_type_is_live(net: Net, monkeypatch: pytest.MonkeyPatch, value: object) -> None:
    net.world.run_pipeline()
    bend(monkeypatch, net.rig.http, "/streams", lambda told: put(told, ("data", 0, "type"), value))
    await net.live("alice", ago=60)
    await net.ask()
    (record,) = await net.records()
    assert (await net.world.settled(record.id)).state is EventState.ANNOUNCED
    assert list(net.catch_up.live_now) == [net.user_id("alice")]


async def test_a_field_of_null_keeps_no_stream_from_being_found(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    net.world.run_pipeline()
    fields = ("user_login", "user_name", "game_id", "game_name", "title", "viewer_count", "tags", "thumbnail_url")
    nulls = dict.fromkeys(fields)
    bend(monkeypatch, net.rig.http, "/streams", lambda told: {"data": [told["data"][0] | nulls], "pagination": None})
    await net.live("alice", ago=60)
    await net.ask()
    (record,) = await net.records()
    assert (await net.world.settled(record.id)).state is EventState.ANNOUNCED
    (live,) = net.catch_up.live_now.values()
    assert (live.title, live.category, live.viewer_count) == ("", "", None)


# Who is live, as the ledger keeps it


async def test_a_stream_that_is_no_longer_shown_has_ended_at_its_last_sight(net: Net) -> None:
    await net.live("alice")
    await net.ask()
    net.clock.advance(LAG + 1)
    await net.ask()
    seen = net.clock.now()
    await net.over("alice")
    net.clock.advance(300)
    await net.ask()
    (row,) = await net.world.ledger.broadcasts(net.user_id("alice"))
    assert row.ended_at == pytest.approx(seen, abs=2)
    assert await net.world.ledger.live_broadcasts() == []


async def test_a_stream_that_is_not_shown_yet_has_not_ended(net: Net) -> None:
    net.world.run_pipeline()
    net.simulator.faults.streams_lag = 200.0
    stream = await net.simulator.go_live("alice", notify=False)
    await net.world.settle(stream_id=stream.id, broadcaster_id=net.user_id("alice"))
    await net.ask()
    assert [row.stream_id for row in await net.world.ledger.live_broadcasts()] == [stream.id]
    net.clock.advance(190)
    await net.ask()
    assert list(net.catch_up.live_now) == [net.user_id("alice")]
    net.clock.advance(LAG)
    await net.over("alice")
    await net.ask()
    assert dict(net.catch_up.live_now) == {}


@pytest.mark.parametrize(("ago", "ends"), [(60.0, "announced"), (2 * HOUR, "missed")])
async def test_one_told_of_while_nobody_watched_is_found_like_any_other(net: Net, ago: float, ends: str) -> None:
    net.world.run_pipeline()
    alice, stream = net.streamer("alice"), await net.live("alice", ago=ago)
    net.world.config = make_config()  # another streamer altogether
    event = await net.world.accept(
        stream_id=stream, broadcaster_id=net.user_id("alice"), broadcaster_login="alice", received_at=net.clock.now()
    )
    assert (await net.world.settled(event)).reason == "not_watched"
    net.configure(alice)
    for _ in range(3):
        await net.ask()
        await until(lambda: _nothing_in_work(net))
    _, found = await net.records()
    assert (found.reason or found.state.value) == ends


async def test_a_stream_longer_than_the_history_is_not_announced_again(net: Net) -> None:
    net.watch("alice", catch_up_max_age=12 * HOUR)
    net.world.run_pipeline()
    net.world.run_dispatcher()
    await net.live("alice", ago=60)
    await net.ask()
    (delivery,) = await until(net.world.ledger.deliveries)
    await net.world.reached(delivery.id, DeliveryState.DELIVERED)
    for _ in range(12):
        net.clock.advance(300)
        await net.ask()
        await net.world.ledger.accept_now(make_event(broadcaster_id="9"))  # so that it is not the newest, which stays
        before = net.clock.now() - 600
        while await net.world.ledger.purge(before, before, before):
            pass
    net.world.pipeline.wake()
    await until(lambda: _nothing_in_work(net))
    assert [each.id for each in await net.world.ledger.deliveries()] == [delivery.id]
    await net.over("alice")
    net.clock.advance(600)
    await net.ask()
    before = net.clock.now()
    assert await net.world.ledger.purge(before, before, before)
    assert await net.world.ledger.deliveries() == []


async def test_a_sight_by_a_wrong_clock_keeps_nobody_live(net: Net) -> None:
    channel = net.user_id("alice")
    ahead = net.clock.now() + 365 * 24 * HOUR
    sight = Sight(broadcaster_id=channel, stream_id="s", started_at=net.clock.now() - HOUR, at=ahead)
    await net.world.ledger.note_broadcasts([sight])
    await net.ask()
    assert not net.catch_up.live_now


async def _nothing_in_work(net: Net) -> bool:
    return not await net.world.ledger.unfinished()
