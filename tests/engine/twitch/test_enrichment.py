from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.config.schema import Streamer
from itsjustintv_desktop.engine.core.errors import LedgerUnavailableError
from itsjustintv_desktop.engine.core.models import Enrichment, StreamEvent
from itsjustintv_desktop.engine.core.net.client import Outbound
from itsjustintv_desktop.engine.core.sources import Doubtful, Enricher
from itsjustintv_desktop.engine.storage.image_cache import ImageCache
from itsjustintv_desktop.engine.twitch import enrichment
from itsjustintv_desktop.engine.twitch.enrichment import APART, INTERVAL, LINGER, TwitchEnricher
from itsjustintv_desktop.engine.twitch.profiles import ProfileImages, Profiles
from itsjustintv_desktop.engine.twitch.tokens import Credentials
from itsjustintv_desktop.simulator.state import Channel, Stream
from tests.engine.twitch.rig import Rig

EVERYTHING = {
    "view_count",
    "followers_count",
    "tags",
    "language",
    "description",
    "image",
    "stream.title",
    "stream.category_id",
    "stream.category_name",
    "stream.thumbnail_url",
}


class Enriching:
    """An enricher with all it stands on; `again()` makes one that knows only what was kept."""

    def __init__(self, rig: Rig, folder: Path) -> None:
        self.rig = rig
        self.folder = folder
        self.images = ImageCache(folder, outbound=Outbound(), clock=rig.clock)
        self.profiles = Profiles(rig.store, tasks=rig.tasks, clock=rig.clock)
        self.avatars = ProfileImages(self.images, self.profiles, clock=rig.clock)
        self.enricher = TwitchEnricher(rig.helix, self.profiles, self.avatars, tasks=rig.tasks, clock=rig.clock)
        self.batch(linger=0.0, interval=0.0)

    def batch(self, *, linger: float, interval: float) -> None:
        """Seconds that questions wait for company: none unless a test is about that."""
        for batcher in (self.enricher._users, self.enricher._channels, self.enricher._streams):
            batcher._linger, batcher._interval = linger, interval

    async def again(self) -> Enriching:
        await self.profiles.save()
        other = Enriching(self.rig, self.folder)
        await other.profiles.load()
        return other

    async def enrich(self, event: StreamEvent, *, timeout: float = 10.0, **config: object) -> Enrichment:
        streamer = Streamer(key="cool", login="cool_user", **config)  # type: ignore[arg-type]
        return await self.enricher.enrich(event, streamer, timeout=timeout)


def online(channel: Channel, stream: Stream | None, *, test: bool = False) -> StreamEvent:
    return StreamEvent(
        source="twitch",
        kind="stream.online",
        message_id="m",
        received_at=0.0,
        broadcaster_id=channel.user_id,
        broadcaster_login=channel.login,
        broadcaster_name=channel.display_name,
        stream_id=stream.id if stream else "made-up",
        started_at=1795421790.0,
        test=test,
    )


@pytest.fixture
async def enriching(rig: Rig, tmp_path: Path) -> AsyncIterator[Enriching]:
    made = Enriching(rig, tmp_path / "image_cache")
    yield made
    await made.images.close()


@pytest.fixture
def channel(rig: Rig) -> Channel:
    return rig.simulator.add_channel(
        "cool_user",
        display_name="Cool_User",
        description="Hi!",
        title="A title",
        category="Chess",
        tags=["Chess", "Deutsch"],
        language="de",
        followers=321,
    )


async def live(rig: Rig, channel: Channel, viewers: int = 77) -> StreamEvent:
    return online(channel, await rig.simulator.go_live(channel.login, viewers=viewers, notify=False))


async def test_it_is_an_enricher(enriching: Enriching) -> None:
    enricher: Enricher = enriching.enricher
    assert enricher


async def test_all_there_is(rig: Rig, enriching: Enriching, channel: Channel) -> None:
    found = await enriching.enrich(await live(rig, channel))
    assert found.missing == ()
    assert (found.login, found.name, found.description) == ("cool_user", "Cool_User", "Hi!")
    assert (found.tags, found.language, found.title, found.category_name) == (
        ("Chess", "Deutsch"),
        "de",
        "A title",
        "Chess",
    )
    assert (found.view_count, found.followers_count) == (77, 321)
    assert found.image is not None
    assert await enriching.images.read(found.image.sha256) is not None
    assert found.thumbnail_url is not None
    assert "{width}" in found.thumbnail_url
    assert found.category_id == channel.category.id
    assert channel.stream is not None
    assert found.started_at == pytest.approx(channel.stream.started_at, abs=1)


async def test_what_changes_slowly_is_asked_for_once_a_day(rig: Rig, enriching: Enriching, channel: Channel) -> None:
    event = await live(rig, channel)
    await enriching.enrich(event)
    later = await enriching.again()
    channel.followers = 400
    assert (await later.enrich(event)).followers_count == 321
    assert dict(rig.simulator.calls) == {"users": 1, "channels": 2, "streams": 2, "followers": 1}
    assert rig.simulator.other_calls["images"] == 1
    rig.clock.advance(86401)
    assert (await later.enrich(event)).followers_count == 400
    assert rig.simulator.calls["users"] == 2
    assert rig.simulator.other_calls["images"] == 1
    await later.images.close()


async def test_a_new_picture_is_noticed_and_a_lost_file_replaced(
    rig: Rig, enriching: Enriching, channel: Channel
) -> None:
    event = await live(rig, channel)
    first = (await enriching.enrich(event)).image
    assert first is not None
    for file in enriching.folder.iterdir():
        file.unlink()
    assert (await enriching.enrich(event)).image == first
    assert await enriching.images.read(first.sha256) is not None
    enriching.profiles.update(channel.user_id, image_url=first.url + "?new")
    second = (await enriching.enrich(event)).image
    assert second is not None
    assert second.url == first.url + "?new"


async def test_the_lag_of_get_streams_is_waited_for(rig: Rig, enriching: Enriching, channel: Channel) -> None:
    rig.simulator.faults.streams_lag = 5.0
    found = await enriching.enrich(await live(rig, channel), timeout=30)
    assert found.view_count == 77
    assert found.missing == ()
    assert 2 < rig.simulator.calls["streams"] <= 4


async def test_a_longer_lag_leaves_the_viewers_out(rig: Rig, enriching: Enriching, channel: Channel) -> None:
    rig.simulator.faults.streams_lag = 500.0
    found = await enriching.enrich(await live(rig, channel), timeout=30)
    assert found.missing == ("view_count", "stream.thumbnail_url")
    assert (found.title, found.started_at) == ("A title", 1795421790.0)


async def test_the_stream_before_is_not_taken_for_this_one(rig: Rig, enriching: Enriching, channel: Channel) -> None:
    await rig.simulator.go_live(channel.login, stream_id="older", notify=False)
    found = await enriching.enrich(online(channel, None))
    assert found.view_count is None


async def test_a_test_event_asks_once_and_takes_what_runs(rig: Rig, enriching: Enriching, channel: Channel) -> None:
    offline = await enriching.enrich(online(channel, None, test=True))
    assert offline.missing == ("view_count", "stream.thumbnail_url")
    assert rig.simulator.calls["streams"] == 1
    await live(rig, channel, viewers=5)
    assert (await enriching.enrich(online(channel, None, test=True))).view_count == 5


@pytest.mark.parametrize("fault", [{"hang": True}, {"status": 500}, {"broken": True}])
async def test_twitch_failing_ends_by_the_deadline_with_everything_missing(
    rig: Rig, enriching: Enriching, channel: Channel, fault: dict[str, object]
) -> None:
    event = await live(rig, channel)
    rig.simulator.faults.set("*", **fault)
    began = time.monotonic()
    found = await enriching.enrich(event, timeout=0.5)
    assert time.monotonic() - began < 1.5
    assert set(found.missing) == EVERYTHING
    assert (found.login, found.name) == ("cool_user", "Cool_User")
    assert enriching.enricher.in_flight == 0


@pytest.mark.parametrize(
    ("endpoint", "missing"),
    [
        ("users", {"description", "image"}),
        ("channels", set()),
        ("streams", {"view_count", "stream.thumbnail_url"}),
        ("followers", {"followers_count"}),
        ("images", {"image"}),
    ],
)
async def test_one_part_failing_costs_that_part_only(
    rig: Rig, enriching: Enriching, channel: Channel, endpoint: str, missing: set[str]
) -> None:
    event = await live(rig, channel)
    rig.simulator.faults.set(endpoint, status=404)
    found = await enriching.enrich(event)
    assert set(found.missing) == missing
    assert found.tags == ("Chess", "Deutsch")


async def test_old_knowledge_is_better_than_none(rig: Rig, enriching: Enriching, channel: Channel) -> None:
    event = await live(rig, channel)
    await enriching.enrich(event)
    rig.clock.advance(30 * 86400)
    rig.simulator.faults.set("*", status=404)
    rig.simulator.faults.set("images", hang=True)
    found = await enriching.enrich(event, timeout=0.5)
    assert (found.description, found.followers_count) == ("Hi!", 321)
    assert found.image is not None
    assert set(found.missing) == EVERYTHING - {"description", "followers_count", "image"}


async def test_a_language_tag_makes_up_for_the_channels_language(
    rig: Rig, enriching: Enriching, channel: Channel
) -> None:
    event = await live(rig, channel)
    rig.simulator.faults.set("*", status=404)
    found = await enriching.enrich(event, timeout=0.4, additional_tags=("English",))
    assert set(found.missing) == EVERYTHING - {"language"}


async def test_no_credentials_end_it_at_once(rig: Rig, enriching: Enriching, channel: Channel) -> None:
    rig.credentials = Credentials("", "")
    began = time.monotonic()
    assert set((await enriching.enrich(online(channel, None))).missing) == EVERYTHING
    assert time.monotonic() - began < 1


async def test_without_a_channel_id_nothing_is_asked(rig: Rig, enriching: Enriching) -> None:
    event = StreamEvent(source="twitch", kind="stream.online", message_id="m", received_at=0.0, broadcaster_login="x")
    found = await enriching.enrich(event)
    assert set(found.missing) == EVERYTHING | {"stream.started_at"}
    assert not rig.simulator.calls


async def test_followers_wait_for_the_trickle_while_the_budget_is_low(
    rig: Rig, enriching: Enriching, channel: Channel
) -> None:
    event = await live(rig, channel)
    rig.simulator.rate._points = 100.0
    await rig.helix.users(ids=[channel.user_id])
    found = await enriching.enrich(event)
    assert found.missing == ("followers_count",)
    assert rig.simulator.calls["followers"] == 0


async def test_cancelling_one_leaves_the_others_and_nothing_behind(
    rig: Rig, enriching: Enriching, channel: Channel
) -> None:
    event = await live(rig, channel)
    rig.simulator.faults.set("channels", latency=0.2)
    first = asyncio.ensure_future(enriching.enrich(event))
    second = asyncio.ensure_future(enriching.enrich(event))
    await asyncio.sleep(0.1)
    first.cancel()
    assert (await second).missing == ()
    assert first.cancelled()
    assert enriching.enricher.in_flight == 0


async def test_is_live(rig: Rig, enriching: Enriching, channel: Channel) -> None:
    event = await live(rig, channel)
    enricher = enriching.enricher
    assert await enricher.is_live(channel.user_id, event.stream_id, timeout=5) is True
    assert await enricher.is_live(channel.user_id, "another", timeout=5) is False
    rig.simulator.faults.set("streams", hang=True)
    assert await enricher.is_live(channel.user_id, event.stream_id, timeout=0.3) is None


async def test_one_answer_that_does_not_show_a_stream_does_not_end_it(
    rig: Rig, enriching: Enriching, channel: Channel
) -> None:
    """Get Streams leaves live streams out for minutes."""
    event = await live(rig, channel)
    running, channel.stream = channel.stream, None

    async def asked() -> bool | Doubtful | None:
        return await enriching.enricher.is_live(channel.user_id, event.stream_id, timeout=5)

    assert await asked() == Doubtful(APART)
    rig.clock.advance(20)
    assert await asked() == Doubtful(APART - 20)
    channel.stream = running
    assert await asked() is True
    rig.clock.advance(APART)
    channel.stream = None
    assert await asked() == Doubtful(APART), "it was seen again in between"
    rig.simulator.faults.set("streams", status=500)
    assert await enriching.enricher.is_live(channel.user_id, event.stream_id, timeout=0.3) is None
    rig.simulator.faults.clear()
    rig.clock.advance(APART)
    assert await asked() is False
    assert await asked() is False, "what goes to another destination need not wait once more"


@pytest.mark.parametrize("broken", [False, True])
async def test_an_end_that_twitch_told_needs_one_answer(
    rig: Rig, enriching: Enriching, channel: Channel, broken: bool
) -> None:
    told: list[tuple[str, str]] = []

    async def has_ended(user_id: str, stream_id: str) -> bool:
        told.append((user_id, stream_id))
        if broken:
            raise LedgerUnavailableError("The disk is full.")
        return True

    enriching.enricher._told_over = has_ended
    event = await live(rig, channel)
    assert await enriching.enricher.is_live(channel.user_id, event.stream_id, timeout=5) is True
    assert told == [], "it runs, whatever was told"
    channel.stream = None
    over = await enriching.enricher.is_live(channel.user_id, event.stream_id, timeout=5)
    assert over is (None if broken else False)
    assert told == [(channel.user_id, event.stream_id)]


@pytest.mark.parametrize("lag", [0.0, 0.5, pytest.param(4.0, marks=pytest.mark.slow)])
async def test_a_thousand_channels_within_one_second_cost_at_most_sixty_calls(
    rig: Rig, enriching: Enriching, lag: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    channels = [rig.simulator.add_channel(f"channel_{number}", followers=number) for number in range(1000)]
    rig.simulator.faults.streams_lag = lag
    enriching.batch(linger=LINGER, interval=INTERVAL)
    if lag < 1:
        monkeypatch.setattr(enrichment, "_LAG_OF_MANY", (0.7, 2.0))
    real = asyncio.get_running_loop().time
    start, offset = real(), rig.clock.now()
    monkeypatch.setattr(rig.clock, "now", lambda: offset + real() - start)
    monkeypatch.setattr(rig.clock, "monotonic", real)
    monkeypatch.setattr(rig.clock, "sleep", asyncio.sleep)
    for channel in channels:
        await rig.simulator.go_live(channel.login, notify=False)

    began: list[float] = []
    ended: list[float] = []

    async def one(number: int) -> Enrichment:
        await asyncio.sleep(number / 1000)
        began.append(real())
        facts = await enriching.enrich(online(channels[number], channels[number].stream), timeout=50.0)
        ended.append(real())
        return facts

    found = await asyncio.gather(*map(one, range(1000)))
    # Calls are bounded by the second. A busy machine stretches the one in which all begin, or all hear their answers.
    assert rig.simulator.calls.total() <= 60 * max(1.0, began[-1] - began[0], ended[-1] - ended[0])
    assert sum(each.view_count is not None for each in found) == 1000
    assert sum(each.image is not None for each in found) == 1000
    assert {name for each in found for name in each.missing} <= {"followers_count"}
