"""Twitch's messages come in any order: what a newer stream has overtaken is not announced after it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from itsjustintv_desktop.engine.config.schema import Streamer, Twitch
from itsjustintv_desktop.engine.core.models import EventState
from itsjustintv_desktop.engine.storage.ledger import EventRecord
from itsjustintv_desktop.engine.storage.ledger.broadcasting import Sight
from tests.support.builders import ALICE, make_config, make_destination, make_event
from tests.support.waiting import until
from tests.support.world import World, opened_world

STARTS = {"a": -600.0, "b": -300.0, "c": -60.0}
"""When each stream began, seconds before now."""


async def told(world: World, stream: str, **details: object) -> EventRecord:
    started_at = world.clock.now() + STARTS.get(stream, 0.0)
    return await world.settle(**{"stream_id": stream, "started_at": started_at, **details})


@pytest.mark.fault(
    "Twitch: the message about a stream comes after the one about the next",
    seen="the newer one is announced, the older one is listed as overtaken",
)
async def test_a_first_half_that_comes_late_is_not_announced(world: World) -> None:
    assert (await told(world, "b")).state is EventState.ANNOUNCED
    record = await told(world, "a")
    assert (record.state, record.reason, record.streamer) == (EventState.SUPPRESSED, "overtaken", "alice")
    assert "A newer stream of this channel was known" in (record.explanation or "")
    assert "send anyway" in (record.explanation or "")
    assert len(await world.ledger.deliveries()) == 1
    assert await world.pipeline.send_anyway(record.id) == ("main",)


@pytest.mark.parametrize("named", [True, False])
async def test_also_if_the_end_was_told_in_between(world: World, named: bool) -> None:
    await told(world, "b")
    await told(world, "end", kind="stream.offline", stream_id="a" if named else "", started_at=None)
    assert (await told(world, "a")).reason == "overtaken"
    assert (await told(world, "a")).reason == "overtaken", "told of once more"
    assert (await told(world, "c")).state is EventState.ANNOUNCED


async def test_what_was_found_by_asking_is_known(world: World) -> None:
    at = world.clock.now()
    sight = Sight(broadcaster_id="100", stream_id="b", started_at=at - 300, at=at, told=False)
    await world.ledger.note_broadcasts([sight])
    assert (await told(world, "a")).reason == "overtaken"


async def test_what_is_found_by_asking_while_an_earlier_message_waits_overtakes_nothing(tmp_path: Path) -> None:
    async with opened_world(tmp_path) as world:
        at = world.clock.now()
        first = await world.accept(stream_id="a", started_at=at - 600)
        sight = Sight(broadcaster_id="100", stream_id="b", started_at=at - 300, at=at, told=False)
        await world.ledger.note_broadcasts([sight])
        world.run_pipeline()
        assert (await world.settled(first)).state is EventState.ANNOUNCED
        assert (await told(world, "a2", started_at=at - 500)).reason == "overtaken"


async def test_a_start_in_the_future_overtakes_nothing_that_comes_later(world: World) -> None:
    """Our clock is behind, or Twitch is wrong."""
    await told(world, "x", started_at=world.clock.now() + 1e6)
    world.clock.advance(100)
    assert (await told(world, "y")).state is EventState.ANNOUNCED


async def test_a_start_that_twitch_did_not_say_overtakes_nothing(world: World) -> None:
    """It would be our clock that decides, which may be wrong."""
    await told(world, "b", started_at=None)
    assert (await told(world, "a")).state is EventState.ANNOUNCED
    assert (await told(world, "c", started_at=None)).state is EventState.ANNOUNCED
    # Once it is said, it counts.
    await told(world, "b")
    assert (await told(world, "d", started_at=world.clock.now() - 400)).reason == "overtaken"


async def test_only_a_newer_one_of_this_channel_and_platform(world: World) -> None:
    await told(world, "b", broadcaster_id="100", broadcaster_login="alice")
    world.pipeline._enrichers = {"twitch": world.enricher, "chalk": world.enricher}
    assert (await told(world, "a", source="chalk")).state is EventState.ANNOUNCED
    assert (await told(world, "t", started_at=world.clock.now() - 900, test=True)).state is EventState.ANNOUNCED
    assert (await told(world, "r", detail="rerun")).reason == "not_live"
    assert (await told(world, "b", message_id="again")).reason == "already_announced"


async def test_one_that_came_first_is_not_overtaken_while_it_is_announced(world: World) -> None:
    world.enricher.gate.clear()
    first = await world.accept(stream_id="a", started_at=world.clock.now() + STARTS["a"])
    await until(lambda: len(world.enricher.asked) == 1)
    second = await world.accept(stream_id="b", started_at=world.clock.now() + STARTS["b"])
    await until(lambda: len(world.enricher.asked) == 2)
    world.enricher.gate.set()
    assert (await world.settled(first)).state is EventState.ANNOUNCED
    assert (await world.settled(second)).state is EventState.ANNOUNCED


async def test_a_stream_before_the_one_that_is_paused_is_over_too(world: World) -> None:
    """The newer one is known, whatever became of it."""
    world.config = make_config(msgspec.structs.replace(world.config.streamers["alice"], tag_filter=("Deutsch",)))
    assert (await told(world, "b")).reason == "filtered"
    assert (await told(world, "a")).reason == "overtaken"


async def test_of_two_streamers_with_one_channel_neither_is_overtaken_by_what_came_later(tmp_path: Path) -> None:
    """The second one's event is made after the next stream was told of."""
    two = Streamer(key="two", login="alice", destinations=("second",))
    async with opened_world(
        tmp_path, make_config(ALICE, two, destinations=(make_destination(), make_destination("second")))
    ) as world:
        now = world.clock.now()
        for stream in ("a", "b"):
            await world.accept(stream_id=stream, started_at=now + STARTS[stream])
        world.run_pipeline()

        async def over() -> bool:
            return not await world.ledger.unfinished()

        await until(over)
        assert len(await world.ledger.deliveries()) == 4


# Any order


async def announced(folder: Path, words: Sequence[str], window: float, kill: bool) -> list[EventRecord]:
    """The events of these words, in order: a stream's letter, "-" for an end without a name, "-a" for that of a."""
    async with opened_world(folder, make_config(twitch=Twitch(restart_window=window))) as world:
        ids = []
        now = world.clock.now()
        if not kill:
            world.run_pipeline()
        for word in words:
            if word.startswith("-"):
                ids.append(await world.accept(kind="stream.offline", stream_id=word[1:], started_at=None))
            else:
                ids.append(await world.accept(stream_id=word, started_at=now + STARTS[word]))
        if kill:
            await world.restart()
            world.run_pipeline()

        async def over() -> bool:
            return not await world.ledger.unfinished()

        await world.clock.run_until(over, step=0.5)
        return [await world.settled(each) for each in ids]


def check(words: Sequence[str], records: Sequence[EventRecord], window: float) -> None:
    streams = [word for word in words if not word.startswith("-")]
    told = {word: record for word, record in zip(words, records, strict=True) if record.state is EventState.ANNOUNCED}
    went_out = [word for word, record in zip(words, records, strict=True) if record.state is EventState.ANNOUNCED]
    assert len(went_out) == len(told), "once a stream"
    newest = ""
    expected = []
    for word in streams:
        if word > newest:
            newest = word
            expected.append(word)
    if window == 0.0:
        assert went_out == expected, "each that was the newest when it came, and no other"
    else:
        assert went_out[0] == streams[0]
        assert set(went_out) <= set(expected)
    reasons = {record.reason for record in records if record.event.kind == "stream.online"}
    assert reasons <= {None, "overtaken", "restarted", "already_announced"}
    first = dict(reversed(list(zip(words, records, strict=True))))
    assert all(first[word].reason == "overtaken" for word in set(streams) - set(expected))


@pytest.mark.parametrize("window", [0.0, 900.0])
@pytest.mark.parametrize("kill", [False, True], ids=["running", "after a kill"])
async def test_every_order_of_three_streams(tmp_path: Path, window: float, kill: bool) -> None:
    for number, words in enumerate(itertools.permutations("abc")):
        folder = tmp_path / str(number)
        folder.mkdir()
        check(words, await announced(folder, words, window, kill), window)


@settings(max_examples=25, deadline=None)
@given(
    words=st.permutations(["a", "b", "c", "a", "c", "-", "-a", "-b"]),
    window=st.sampled_from([0.0, 900.0]),
    kill=st.booleans(),
)
def test_any_order_with_ends_and_repeats(
    tmp_path_factory: pytest.TempPathFactory, words: list[str], window: float, kill: bool
) -> None:
    records = asyncio.run(announced(tmp_path_factory.mktemp("order"), words, window, kill))
    check(words, records, window)


async def test_a_message_about_another_channel_changes_nothing(world: World) -> None:
    assert await world.ledger.accept_now(make_event(broadcaster_id="200", stream_id="z"))
    assert (await told(world, "a")).state is EventState.ANNOUNCED
