"""One channel that several streamers of the config stand for: everybody is told, by the rules of each, and once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from itsjustintv_desktop.engine.config.active import ActiveConfig
from itsjustintv_desktop.engine.config.same_channel import may_be_the_same, same_channels, sentence
from itsjustintv_desktop.engine.config.schema import Streamer, Twitch
from itsjustintv_desktop.engine.core.models import Channel, Enrichment, EventState
from itsjustintv_desktop.engine.storage.ledger import EventRecord
from tests.support.builders import make_config, make_destination, make_event
from tests.support.waiting import until
from tests.support.world import World, opened_world

BY_ID = Streamer(key="one", user_id="100", destinations=("first",), additional_tags=("Team",))
BY_LOGIN = Streamer(key="two", login="alice", destinations=("second",), description="Ours")
DESTINATIONS = (make_destination("first"), make_destination("second"), make_destination("third"))


def resolved(**logins: str) -> dict[str, Channel]:
    """All of them are channel 100."""
    return {key: Channel(key, "100", login, login.capitalize()) for key, login in logins.items()}


def watch(world: World, *streamers: Streamer, **tables: Any) -> None:
    made = make_config(*(streamers or (BY_ID, BY_LOGIN)), destinations=DESTINATIONS, **tables)
    world.holder.current = ActiveConfig(made, resolved(one="alice", two="alice"))


@pytest.fixture
def world(world: World) -> World:
    watch(world)
    return world


async def settled(world: World, count: int) -> list[EventRecord]:
    """All events, oldest first, as soon as there are so many and all are settled."""

    async def look() -> list[EventRecord] | None:
        records = (await world.ledger.events())[::-1]
        done = all(record.state is not EventState.ACCEPTED for record in records)
        return records if len(records) == count and done else None

    found: list[EventRecord] = await until(look, what=f"{count} settled events")
    return found


async def sent(world: World) -> dict[str, Any]:
    """The payload that each destination gets."""
    bodies: dict[str, Any] = {}
    for view in await world.ledger.deliveries():
        record = await world.ledger.event(view.event_id)
        assert record is not None
        assert record.payload is not None
        assert view.destination not in bodies, "once a destination"
        bodies[view.destination] = msgspec.json.decode(record.payload)
    return bodies


@pytest.mark.fault(
    "config: one channel listed twice, by user_id and by login",
    seen="each destination of both is told once, by its own rules",
)
async def test_both_are_told_each_with_its_own_payload(world: World) -> None:
    await world.accept(stream_id="s")
    records = await settled(world, 2)
    assert [(record.streamer, record.state) for record in records] == [("one", "announced"), ("two", "announced")]
    bodies = await sent(world)
    assert {name: (body["additional_tags"], body["description"]) for name, body in bodies.items()} == {
        "first": (["Team"], ""), "second": ([], "Ours"),
    }  # fmt: skip
    assert bodies["first"]["event"]["message_id"] == bodies["second"]["event"]["message_id"]
    assert {view.streamer for view in await world.ledger.deliveries()} == {"one", "two"}
    assert len(await world.ledger.feed(10)) == 2


async def test_a_message_that_twitch_sends_again_is_known(world: World) -> None:
    await world.accept(stream_id="s", message_id="m")
    await settled(world, 2)
    assert not await world.ledger.accept_now(make_event(stream_id="s", message_id="m"))
    await world.accept(stream_id="s", message_id="another")
    records = await settled(world, 4)
    assert [record.reason for record in records[2:]] == ["already_announced"] * 2
    assert all("or for another one with the same channel" in (record.explanation or "") for record in records[2:])
    assert len(await world.ledger.deliveries()) == 2
    assert [record.event.message_id for record in records] == ["m", "m", "another", "another"]


async def test_a_destination_that_both_name_is_told_once_by_the_first(world: World) -> None:
    shared = [msgspec.structs.replace(each, destinations=(*each.destinations, "third")) for each in (BY_ID, BY_LOGIN)]
    watch(world, *shared)
    await world.accept(stream_id="s")
    await settled(world, 2)
    bodies = await sent(world)
    assert set(bodies) == {"first", "second", "third"}
    assert bodies["third"]["additional_tags"] == ["Team"]


async def test_one_whose_destinations_were_all_told_says_why(world: World) -> None:
    watch(world, BY_ID, msgspec.structs.replace(BY_LOGIN, destinations=("first",)))
    await world.accept(stream_id="s")
    one, two = await settled(world, 2)
    assert (one.state, two.reason) == ("announced", "already_announced")
    assert "or for another one with the same channel" in (two.explanation or "")


async def test_the_first_has_the_say_though_the_second_is_ready_before(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch(world, BY_ID, msgspec.structs.replace(BY_LOGIN, destinations=("first", "second")))
    enrich = world.enricher.enrich

    async def slow_for_one(event: Any, streamer: Streamer, *, timeout: float) -> Enrichment:
        if streamer.key == "one":
            await until(lambda: len(world.enricher.asked) == 1, what="the second is ready")
        return await enrich(event, streamer, timeout=timeout)

    monkeypatch.setattr(world.enricher, "enrich", slow_for_one)
    await world.accept(stream_id="s")
    await settled(world, 2)
    assert {name: body["additional_tags"] for name, body in (await sent(world)).items()} == {
        "first": ["Team"], "second": [],
    }  # fmt: skip


async def test_each_has_its_own_filter_and_its_own_send_anyway(world: World) -> None:
    watch(world, BY_ID, msgspec.structs.replace(BY_LOGIN, tag_filter=("Deutsch",)))
    await world.accept(stream_id="s")
    one, two = await settled(world, 2)
    assert (one.state, two.state, two.reason, two.streamer) == ("announced", "suppressed", "filtered", "two")
    assert await world.pipeline.send_anyway(two.id) == ("second",)
    assert set(await sent(world)) == {"first", "second"}
    # Told of once more, it is judged for each alone.
    await world.accept(stream_id="t")
    await settled(world, 4)
    world.enricher.facts = Enrichment(tags=("Deutsch",))
    await world.accept(stream_id="t")
    records = await settled(world, 6)
    assert [(record.streamer, record.reason) for record in records[4:]] == [("one", "already_announced"), ("two", None)]


async def test_one_that_is_switched_off_says_nothing(world: World) -> None:
    off = msgspec.structs.replace(BY_ID, enabled=False)
    watch(world, off, BY_LOGIN)
    await world.accept(stream_id="s")
    (record,) = await settled(world, 1)
    assert (record.streamer, record.state) == ("two", "announced")
    watch(world, off, msgspec.structs.replace(BY_LOGIN, enabled=False))
    await world.accept(stream_id="t")
    assert (await settled(world, 2))[1].reason == "streamer_disabled"


async def test_one_without_a_destination_goes_to_the_file(world: World) -> None:
    watch(world, BY_ID, msgspec.structs.replace(BY_LOGIN, destinations=()))
    await world.accept(stream_id="s")
    assert [record.state for record in await settled(world, 2)] == ["announced", "announced"]
    entries = await world.ledger.feed(10)
    assert sorted(len(entry.deliveries) for entry in entries) == [0, 1]


async def test_one_that_twitch_was_not_asked_about_yet(world: World) -> None:
    world.holder.current = ActiveConfig(world.config, resolved(one="alice"))
    await world.accept(stream_id="s")
    await settled(world, 2)
    assert set(await sent(world)) == {"first", "second"}


async def test_what_is_none_to_announce_stays_one_event(world: World) -> None:
    await world.accept(kind="stream.offline", stream_id="s", started_at=None)
    await world.accept(stream_id="r", detail="rerun")
    records = await settled(world, 2)
    assert [record.reason for record in records] == ["nothing_to_announce", "not_live"]


async def test_a_crash_is_one_broadcast_for_each(world: World) -> None:
    """One was told of the first half and is not told again; the other was not, and is."""
    watch(world, BY_ID, msgspec.structs.replace(BY_LOGIN, tag_filter=("Deutsch",)), twitch=Twitch(restart_window=900.0))
    await world.accept(stream_id="a", started_at=world.clock.now() - 2)
    await settled(world, 2)
    world.clock.advance(60)
    world.enricher.facts = Enrichment(tags=("Deutsch",))
    await world.accept(stream_id="b", started_at=world.clock.now() - 2)
    records = await settled(world, 4)
    assert [(record.streamer, record.reason) for record in records[2:]] == [("one", "restarted"), ("two", None)]


async def test_a_kill_at_any_point_loses_and_doubles_nothing(tmp_path: Path) -> None:
    async with opened_world(tmp_path) as world:
        watch(world)
        for stream in ("a", "b", "c"):
            await world.accept(stream_id=stream)
        for jobs in range(1, 10):
            await world.restart()
            await world.run_pipeline_for(jobs)
        await world.restart()
        world.run_pipeline()
        records = await settled(world, 6)
        assert all(record.state is EventState.ANNOUNCED for record in records)
        told = sorted((view.destination, view.event_id) for view in await world.ledger.deliveries())
        assert [name for name, _ in told] == ["first"] * 3 + ["second"] * 3
        assert len({event_id for _, event_id in told}) == 6


async def test_the_config_may_change_in_between(tmp_path: Path) -> None:
    """Two events were made for two streamers, and one of those is gone after a kill: nobody is told twice."""
    async with opened_world(tmp_path) as world:
        watch(world)
        event_id = await world.accept(stream_id="a")
        await world.ledger.part({event_id: ["one", "two"]})
        await world.ledger.part({event_id: ["one", "two"]})
        world.holder.current = ActiveConfig(make_config(BY_ID, destinations=DESTINATIONS), resolved(one="alice"))
        world.run_pipeline()
        records = await settled(world, 2)
        assert sorted(record.reason or record.state for record in records) == ["already_announced", "announced"]
        assert set(await sent(world)) == {"first"}


# Who shares a channel


def test_who_shares_a_channel() -> None:
    other = Streamer(key="three", login="bob")
    made = make_config(BY_ID, BY_LOGIN, other, destinations=DESTINATIONS)
    assert same_channels(made, {}) == {}
    found = {**resolved(one="alice", two="alice"), "three": Channel("three", "200", "bob", "Bob")}
    assert same_channels(made, found) == {"one": ("two",), "two": ("one",)}
    assert same_channels(made, resolved(one="Alice")) == {"one": ("two",), "two": ("one",)}
    off = make_config(BY_ID, msgspec.structs.replace(BY_LOGIN, enabled=False), destinations=DESTINATIONS)
    assert same_channels(off, found) == {}
    live = ActiveConfig(made, found)
    assert live.watched_ids() == ["100", "200"], "one subscription a channel"
    assert live.knows_all_ids
    assert not ActiveConfig(made, resolved(one="alice")).knows_all_ids
    assert "the same channel as two" in sentence(("two",))


def test_a_login_before_and_after_a_renaming() -> None:
    made = make_config(
        Streamer(key="old", login="alice"), Streamer(key="new", login="alicia"), destinations=DESTINATIONS
    )
    found = {key: Channel(key, "100", "alicia", "Alicia") for key in ("old", "new")}
    assert same_channels(made, found) == {"old": ("new",), "new": ("old",)}


def test_when_the_config_alone_cannot_tell() -> None:
    assert may_be_the_same(make_config(BY_ID, BY_LOGIN))
    assert not may_be_the_same(make_config(BY_ID))
    assert not may_be_the_same(make_config(BY_LOGIN, Streamer(key="three", login="bob")))
    both = Streamer(key="four", login="bob", user_id="200")
    assert not may_be_the_same(make_config(BY_ID, both))
