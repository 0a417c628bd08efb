"""What the simulated Twitch knows: channels, their streams, categories."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypedDict, Unpack

from itsjustintv_desktop.simulator.clock import Clock, rfc3339
from itsjustintv_desktop.simulator.faults import Faults

VIDEOS_KEPT = 7 * 86400.0
"""Seconds that a VOD of an ordinary channel is kept."""
_MOST_VIDEOS = 50
"""Kept of a channel, whatever their age."""


@dataclass(slots=True)
class Category:
    id: str
    name: str


@dataclass(slots=True)
class Stream:
    """A stream that runs. `started_at` is Unix seconds by Twitch's clock."""

    id: str
    started_at: float
    visible_at: float
    """From when on Get Streams shows it (`faults.streams_lag`)."""
    viewers: int
    type: str = "live"
    """Or rerun, playlist, premiere, watch_party."""


@dataclass(slots=True)
class Video:
    """The VOD of a stream. Times are Unix seconds by Twitch's clock; `ended_at` None = the stream runs."""

    id: str
    stream_id: str
    title: str
    started_at: float
    visible_at: float
    """From when on Get Videos shows it (`faults.videos_lag`)."""
    ended_at: float | None = None


@dataclass(slots=True)
class Channel:
    user_id: str
    login: str
    display_name: str
    description: str
    title: str
    category: Category
    tags: tuple[str, ...]
    language: str
    followers: int
    created_at: float
    authorised: bool = False
    """Whether its owner authorised the client: subscriptions for it cost nothing then."""
    stream: Stream | None = None
    last_stream_id: str = ""
    """Of the stream that runs, or ended last."""
    keeps_videos: bool = True
    """Whether its streams become VODs."""
    videos: list[Video] = field(default_factory=list)
    """Oldest first."""


class Details(TypedDict, total=False):
    """What may be said about a new channel. None = chosen for it."""

    user_id: str | None
    display_name: str | None
    tags: Iterable[str]
    language: str
    title: str
    category: str
    """By its name; made at its first use."""
    followers: int
    description: str
    keeps_videos: bool


class State:
    """All channels, by user id (logins can change)."""

    def __init__(self, clock: Clock, faults: Faults, seed: int) -> None:
        self.clock = clock
        self.channels: dict[str, Channel] = {}
        self.categories: dict[str, Category] = {}
        self._faults = faults
        self._by_login: dict[str, Channel] = {}
        self._random = random.Random(seed)
        self._user_ids = itertools.count(100_000_001)
        self._stream_ids = itertools.count(40_000_000_001)
        self._category_ids = itertools.count(509_001)
        self._video_ids = itertools.count(2_000_000_001)

    def now(self) -> float:
        """Twitch's clock: the simulator's own plus `faults.clock_skew`."""
        return self.clock.now() + self._faults.clock_skew

    def stamp(self, seconds: float | None = None) -> str:
        """RFC 3339 of `seconds` (default: now) with a varying number of digits, as EventSub sends them."""
        digits = self._random.choice((9, 9, 9, 8, 7, 6, 4, 3, 1, 0))
        return rfc3339(self.now() if seconds is None else seconds, digits)

    def category(self, name: str) -> Category:
        """The category of that name, made at its first use."""
        found = self.categories.get(name.casefold())
        if found is None:
            found = Category(str(next(self._category_ids)) if name else "", name)
            self.categories[name.casefold()] = found
        return found

    def add(
        self,
        login: str,
        **details: Unpack[Details],
    ) -> Channel:
        """Make a channel. Raises ValueError if its login or user id is taken."""
        login = login.lower()
        user_id = details.get("user_id")
        display_name = details.get("display_name")
        if user_id is None:
            user_id = next(fresh for fresh in map(str, self._user_ids) if fresh not in self.channels)
        if login in self._by_login or user_id in self.channels:
            raise ValueError(f"a channel {login} or one with user id {user_id} exists already")
        channel = Channel(
            user_id=user_id,
            login=login,
            display_name=display_name if display_name is not None else login.capitalize(),
            description=details.get("description", "A simulated channel."),
            title=details.get("title", "Building things together"),
            category=self.category(details.get("category", "Software and Game Development")),
            tags=tuple(details.get("tags", ())),
            language=details.get("language", "en"),
            followers=details.get("followers", 1000),
            created_at=self.now() - 3 * 365 * 86400,
            keeps_videos=details.get("keeps_videos", True),
        )
        self.channels[channel.user_id] = self._by_login[login] = channel
        return channel

    def find(self, login: str) -> Channel | None:
        return self._by_login.get(login.lower())

    def get(self, login: str) -> Channel:
        """Raises KeyError if there is no such channel."""
        return self._by_login[login.lower()]

    def rename(self, login: str, new_login: str) -> Channel:
        """Give a channel another login; its user id stays. Raises KeyError or ValueError."""
        channel, new_login = self.get(login), new_login.lower()
        if new_login in self._by_login:
            raise ValueError(f"a channel {new_login} exists already")
        del self._by_login[channel.login]
        channel.login = new_login
        channel.display_name = new_login.capitalize()
        self._by_login[new_login] = channel
        return channel

    def start_stream(self, channel: Channel, stream_id: str | None, viewers: int, kind: str = "live") -> Stream:
        """Put a channel live. One that is live already keeps its stream, unless another id is asked for."""
        running = channel.stream
        if running is not None and stream_id in {None, running.id}:
            running.viewers = viewers
            return running
        now = self.now()
        stream = Stream(
            id=stream_id or str(next(self._stream_ids)),
            started_at=now,
            visible_at=now + self._faults.streams_lag,
            viewers=viewers,
            type=kind,
        )
        self.end_stream(channel)
        channel.stream = stream
        channel.last_stream_id = stream.id
        if channel.keeps_videos and all(video.stream_id != stream.id for video in channel.videos):
            visible_at = now + self._faults.videos_lag
            del channel.videos[:-_MOST_VIDEOS]
            channel.videos.append(Video(str(next(self._video_ids)), stream.id, channel.title, now, visible_at))
        return stream

    def end_stream(self, channel: Channel) -> None:
        """Take a channel off the air, if it is on."""
        for video in channel.videos[-1:]:
            video.ended_at = video.ended_at or self.now()
        channel.stream = None

    def visible_videos(self) -> list[tuple[Channel, Video]]:
        """What Get Videos shows now, the newest first. Twitch deletes those of ordinary channels after a while."""
        now = self.now()
        shown = [
            (channel, video)
            for channel in self.channels.values()
            for video in channel.videos
            if video.visible_at <= now and (video.ended_at is None or now - video.ended_at < VIDEOS_KEPT)
        ]
        return sorted(shown, key=lambda pair: -pair[1].started_at)

    def visible_streams(self) -> list[tuple[Channel, Stream]]:
        """What Get Streams shows now, most viewers first."""
        if self._faults.shows_nobody():
            return []
        now = self.now()
        shown = [
            (channel, channel.stream)
            for channel in self.channels.values()
            if channel.stream is not None and channel.stream.visible_at <= now
        ]
        return sorted(shown, key=lambda pair: -pair[1].viewers)
