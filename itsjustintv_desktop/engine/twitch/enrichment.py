"""Enrichment by Twitch's API: everything at once, within one deadline, with as few calls as possible."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec
import structlog

from itsjustintv_desktop.engine.core.clock import Clock, parse_rfc3339
from itsjustintv_desktop.engine.core.errors import (
    AppError,
    EndpointGivenUpError,
    LedgerError,
    SecretsError,
    TwitchError,
    TwitchUnreachableError,
)
from itsjustintv_desktop.engine.core.models import Enrichment, Image, StreamEvent
from itsjustintv_desktop.engine.core.sources import Doubtful, WatchedStreamer
from itsjustintv_desktop.engine.core.tags import from_tags
from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.engine.twitch.helix import ChannelInfo, Helix, Stream, User
from itsjustintv_desktop.engine.twitch.profiles import Profile, ProfileImages, Profiles

_log = structlog.get_logger(__name__)

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

LINGER = 0.03
"""Seconds the first key waits for company."""
INTERVAL = 0.25
"""Least seconds between two calls that aren't full."""

_TOGETHER = 4
"""Most waiters that get their answer in one iteration of the loop."""


class Batcher(Generic[K, V]):
    """Many coroutines ask for one key each; `call` gets many keys at once.

    A quiet moment's key goes out after `linger`; under load there is one call per `interval`, or one whenever
    `size` keys are together. The same key asked twice is asked for once. A failed call fails its keys alone. A
    waiter that gives up or is cancelled changes nothing for the others. While nothing is asked, nothing runs.
    """

    def __init__(
        self,
        name: str,
        call: Callable[[list[K]], Awaitable[Mapping[K, V]]],
        tasks: Tasks,
        *,
        size: int = 100,
        linger: float = LINGER,
        interval: float = INTERVAL,
    ) -> None:
        self._name = name
        self._call = call
        self._tasks = tasks
        self._size = size
        self._linger = linger
        self._interval = interval
        self._waiting: dict[K, asyncio.Future[V | None]] = {}
        self._flying: dict[K, asyncio.Future[V | None]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._last = float("-inf")

    async def get(self, key: K, *, timeout: float) -> V | None:
        """The value, or None if the answer has none for this key.

        Raises what `call` raised for its batch, and TwitchUnreachableError after `timeout` seconds.
        """
        future = self._waiting.get(key) or self._flying.get(key)
        if future is None:
            future = self._waiting[key] = asyncio.get_running_loop().create_future()
            self._arm()
        try:
            async with asyncio.timeout(timeout):
                return await asyncio.shield(future)
        except TimeoutError:
            raise TwitchUnreachableError("Twitch did not answer in time.") from None

    def close(self) -> None:
        """Send nothing more. Callers still waiting get TwitchUnreachableError."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        batch, self._waiting = self._waiting, {}
        for future in batch.values():
            _fail(future, TwitchUnreachableError("The program is stopping."))

    def _arm(self) -> None:
        loop = asyncio.get_running_loop()
        if len(self._waiting) >= self._size:
            self._send()
        elif self._timer is None:
            due = max(loop.time() + self._linger, self._last + self._interval)
            self._timer = loop.call_at(due, self._send)

    def _send(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        batch, self._waiting = self._waiting, {}
        self._flying.update(batch)
        self._last = asyncio.get_running_loop().time()
        self._tasks.start(f"twitch.batch.{self._name}", self._ask(batch), alone=len(batch) > 1)

    async def _ask(self, batch: dict[K, asyncio.Future[V | None]]) -> None:
        failure: AppError = TwitchUnreachableError("The question to Twitch was broken off.")
        values: Mapping[K, V] | None = None
        try:
            values = await self._call(list(batch))
        except AppError as error:
            failure = error
        finally:  # also when cancelled or broken: nobody must wait for an answer that never comes
            self._hand_out(list(batch.items()), values, failure)

    def _hand_out(
        self, batch: list[tuple[K, asyncio.Future[V | None]]], values: Mapping[K, V] | None, failure: AppError
    ) -> None:
        """A few per iteration of the loop: a hundred waking together would hold up everything else."""
        for key, future in batch[:_TOGETHER]:
            del self._flying[key]
            if values is not None:
                future.set_result(values.get(key))
            else:
                _fail(future, failure)
        if rest := batch[_TOGETHER:]:
            asyncio.get_running_loop().call_soon(self._hand_out, rest, values, failure)


def _fail(future: asyncio.Future[V], error: AppError) -> None:
    future.set_exception(error)
    future.exception()  # marks it as seen, even if all who waited are gone


FEW = 10
"""Below this many events in flight, followers are asked for live: that is one call a channel."""
_LULL = 0.2
"""Seconds to wait before such a call, to see whether many more events come."""
MANY = 100
APART = 60.0
"""Seconds between two answers without a stream after which it counts as over."""
_MOST_UNSEEN = 10_000
_LAG = (1.0, 2.0, 4.0)
_LAG_OF_MANY = (2.0, 5.0)
"""Seconds between asks while Get Streams doesn't show a new stream yet."""
T = TypeVar("T")
_FIELDS = {
    "view_count": "view_count",
    "followers_count": "followers_count",
    "tags": "tags",
    "language": "language",
    "description": "description",
    "image": "image",
    "stream.title": "title",
    "stream.category_id": "category_id",
    "stream.category_name": "category_name",
    "stream.started_at": "started_at",
    "stream.thumbnail_url": "thumbnail_url",
}
"""Payload field -> where it is in an Enrichment."""


async def _not_known(_broadcaster_id: str, _stream_id: str) -> bool:
    return False


class TwitchEnricher:
    """Implements engine.source.Enricher."""

    def __init__(
        self,
        helix: Helix,
        profiles: Profiles,
        avatars: ProfileImages,
        *,
        tasks: Tasks,
        clock: Clock,
        has_ended: Callable[[str, str], Awaitable[bool]] = _not_known,
    ) -> None:
        """`has_ended`: whether Twitch reported the end of this stream (user id, stream id). May raise LedgerError."""
        self._told_over = has_ended
        self._unseen: dict[tuple[str, str], float] = {}
        """Streams that an answer did not show, and when the first such one came (monotonic)."""
        self._helix = helix
        self._profiles = profiles
        self._avatars = avatars
        self._tasks = tasks
        self._clock = clock
        self._in_flight = 0
        self._users: Batcher[str, User] = Batcher("users", self._ask_users, tasks)
        self._channels: Batcher[str, ChannelInfo] = Batcher("channels", self._ask_channels, tasks)
        self._streams: Batcher[str, Stream] = Batcher("streams", self._ask_streams, tasks)

    @property
    def in_flight(self) -> int:
        """Events being enriched at this moment."""
        return self._in_flight

    async def enrich(self, event: StreamEvent, streamer: WatchedStreamer, *, timeout: float) -> Enrichment:
        """What is found within `timeout` seconds; `missing` names the rest. Raises no TwitchError."""
        facts = EnrichmentBuilder()
        if not event.broadcaster_id:
            return facts.enrichment(event, streamer)
        deadline = self._clock.monotonic() + timeout
        questions = {
            "profile": self._find_profile(event, facts, deadline),
            "channel": self._find_channel(event, facts, deadline),
            "stream": self._find_stream(event, facts, deadline),
            "followers": self._find_followers(event, facts, deadline),
        }
        self._in_flight += 1
        asking = [self._tasks.start(f"enrich.{name}", question) for name, question in questions.items()]
        try:
            await asyncio.wait(asking, timeout=timeout)
        finally:
            self._in_flight -= 1
            for task in asking:
                task.cancel()
        return facts.enrichment(event, streamer)

    async def is_live(self, broadcaster_id: str, stream_id: str, *, timeout: float) -> bool | Doubtful | None:
        """Whether that very stream still runs. None = could not be found out.

        Get Streams leaves live streams out for minutes: one is over once Twitch reported its end as well, once
        the channel has another one, or after two answers without it that are APART.
        """
        try:
            stream = await self._streams.get(broadcaster_id, timeout=timeout)
            over = stream is None and await self._told_over(broadcaster_id, stream_id)
        except (TwitchError, SecretsError, LedgerError) as error:
            _log.info("whether a stream still runs is not known", user_id=broadcaster_id, reason=error.message)
            return None
        if stream is not None:
            self._unseen.pop((broadcaster_id, stream_id), None)
            return stream_id in {"", stream.id}
        now = self._clock.monotonic()
        since = self._unseen.setdefault((broadcaster_id, stream_id), now)
        if len(self._unseen) > _MOST_UNSEEN:
            del self._unseen[next(iter(self._unseen))]
        return False if over or now - since >= APART else Doubtful(since + APART - now)

    def close(self) -> None:
        """Ask nothing more; callers still waiting get what there is."""
        for batcher in (self._users, self._channels, self._streams):
            batcher.close()

    async def _find_profile(self, event: StreamEvent, facts: EnrichmentBuilder, deadline: float) -> None:
        user_id = event.broadcaster_id
        profile = self._profiles.get(user_id)
        if profile.fetched_at:
            facts.profile = profile
            facts.image = await self._avatars.kept(profile)
        if not self._profiles.fresh(profile.fetched_at):
            asking = self._users.get(user_id, timeout=self._left(deadline))
            user = await _answer(asking, event, "the profile is missing or old")
            if user is not None:
                profile = facts.profile = self._profiles.learn(user)
        if facts.profile is not None and profile.image_url and (facts.image is None or self._avatars.due(profile)):
            image = await self._avatars.refresh(profile, timeout=self._left(deadline))
            facts.image = image or facts.image

    async def _find_channel(self, event: StreamEvent, facts: EnrichmentBuilder, deadline: float) -> None:
        asking = self._channels.get(event.broadcaster_id, timeout=self._left(deadline))
        facts.channel = await _answer(asking, event, "the channel's title and tags are missing")

    async def _find_stream(self, event: StreamEvent, facts: EnrichmentBuilder, deadline: float) -> None:
        """Get Streams lags behind stream.online by seconds to minutes, or still shows the stream before."""
        lag = () if event.test else _LAG_OF_MANY if self._in_flight > MANY else _LAG
        try:
            for pause in (0.0, *lag):
                if pause:
                    await self._clock.sleep(pause)
                stream = await self._streams.get(event.broadcaster_id, timeout=self._left(deadline))
                if stream is not None and (event.test or event.stream_id in {"", stream.id}):
                    facts.stream = stream
                    return
        except (TwitchError, SecretsError) as error:
            _log.info("the stream's viewers are missing", user_id=event.broadcaster_id, reason=error.message)

    async def _find_followers(self, event: StreamEvent, facts: EnrichmentBuilder, deadline: float) -> None:
        profile = self._profiles.get(event.broadcaster_id)
        facts.followers = profile.followers
        if self._profiles.fresh(profile.followers_at) or not self._helix.tells_followers:
            return
        await self._clock.sleep(_LULL)
        if self._in_flight >= FEW or not self._helix.client.budget.ample(self._clock.now()):
            return
        asking = self._helix.followers(event.broadcaster_id, timeout=self._left(deadline))
        total = await _answer(asking, event, "the followers are missing or old")
        if total is None:
            return
        facts.followers = total
        self._profiles.update(event.broadcaster_id, followers=total, followers_at=self._clock.now())

    def _left(self, deadline: float) -> float:
        return max(deadline - self._clock.monotonic(), 0.0)

    async def _ask_users(self, ids: list[str]) -> dict[str, User]:
        return {user.id: user for user in await self._helix.users(ids=ids)}

    async def _ask_channels(self, ids: list[str]) -> dict[str, ChannelInfo]:
        return {channel.broadcaster_id: channel for channel in await self._helix.channels(ids)}

    async def _ask_streams(self, ids: list[str]) -> dict[str, Stream]:
        return {stream.user_id: stream for stream in await self._helix.streams(ids)}


async def _answer(asking: Awaitable[T | None], event: StreamEvent, without: str) -> T | None:
    """What Twitch answers; None, with the log line `without`, if it does not."""
    try:
        return await asking
    except EndpointGivenUpError:
        return None  # logged when it was given up
    except (TwitchError, SecretsError) as error:
        _log.info(without, user_id=event.broadcaster_id, reason=error.message)
        return None


@dataclass(slots=True)
class EnrichmentBuilder:
    """Filled by several questions at once; whatever is None at the deadline is missing."""

    profile: Profile | None = None
    image: Image | None = None
    channel: ChannelInfo | None = None
    stream: Stream | None = None
    followers: int | None = None

    def enrichment(self, event: StreamEvent, streamer: WatchedStreamer) -> Enrichment:
        """Get Channels, which has no lag, goes before Get Streams; each fills in what the other leaves out."""
        profile, channel, stream = self.profile, self.channel, self.stream
        found = Enrichment(
            login=event.broadcaster_login
            or (channel.broadcaster_login if channel else "")
            or (stream.user_login if stream else "")
            or (profile.login if profile else ""),
            name=event.broadcaster_name
            or (channel.broadcaster_name if channel else "")
            or (stream.user_name if stream else "")
            or (profile.display_name if profile else ""),
            description=profile.description if profile else None,
            image=self.image,
            tags=self._tags(),
            language=self._language(),
            view_count=stream.viewer_count if stream else None,
            followers_count=self.followers,
            title=_first(each.title for each in self._sources()),
            category_id=_first(each.game_id for each in self._sources()),
            category_name=_first(each.game_name for each in self._sources()),
            thumbnail_url=(stream.thumbnail_url or None) if stream else None,
            started_at=self._started_at(event),
        )
        missing = [name for name, field in _FIELDS.items() if getattr(found, field) is None]
        if "language" in missing and from_tags([*(found.tags or ()), *streamer.additional_tags]):
            missing.remove("language")
        if "image" in missing and profile and not profile.image_url:
            missing.remove("image")  # a channel without one
        return msgspec.structs.replace(found, missing=tuple(missing))

    def _tags(self) -> tuple[str, ...] | None:
        """Twitch may say null for no tags; None is for a channel that it said nothing of."""
        sources = self._sources()
        return (_first(each.tags for each in sources) or ()) if sources else None

    def _sources(self) -> list[ChannelInfo | Stream]:
        return [each for each in (self.channel, self.stream) if each is not None]

    def _language(self) -> str | None:
        channel = self.channel.broadcaster_language if self.channel else ""
        return channel or (self.stream.language if self.stream else "") or None

    def _started_at(self, event: StreamEvent) -> float | None:
        if self.stream is not None:
            try:
                return parse_rfc3339(self.stream.started_at)
            except ValueError:
                return event.started_at
        return event.started_at


def _first(values: Iterable[T | None]) -> T | None:
    """The first value that is not None."""
    return next((one for one in values if one is not None), None)
