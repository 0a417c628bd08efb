"""The configuration as the engine works by it now: swapped as a whole, never changed in place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from itsjustintv_desktop.engine.config.destinations import destinations_of, effective_destinations
from itsjustintv_desktop.engine.config.load import Loaded
from itsjustintv_desktop.engine.config.same_channel import same_channels
from itsjustintv_desktop.engine.config.schema import Config, Destination, Streamer
from itsjustintv_desktop.engine.core.events import Signal
from itsjustintv_desktop.engine.core.models import Channel, StreamEvent


class ActiveConfig:
    """One valid config and what follows from it."""

    def __init__(self, config: Config, resolved: Mapping[str, Channel]) -> None:
        self.config = config
        self.resolved = dict(resolved)
        self.destinations: dict[str, Destination] = effective_destinations(config)
        self.matcher = Matcher(config, self.resolved)
        self.same: dict[str, tuple[str, ...]] = same_channels(config, self.resolved)
        """Streamers that share their channel with others: the keys of those, by key."""
        watched = (each for each in config.streamers.values() if each.enabled)
        self.users = Counter(name for each in watched for name in destinations_of(config, each))
        """How many streamers that are switched on announce to a destination, by its name."""

    def with_resolved(self, resolved: Mapping[str, Channel]) -> ActiveConfig:
        """The same config with what Twitch said about who is who."""
        return ActiveConfig(self.config, resolved)

    def destinations_of(self, streamer: Streamer) -> tuple[str, ...]:
        """Names of the enabled destinations of a streamer, in order."""
        return tuple(name for name in destinations_of(self.config, streamer) if self.destinations[name].enabled)

    def has_only_disabled_destinations(self, streamer: Streamer) -> bool:
        """Whether the streamer has destinations and all are switched off."""
        return bool(destinations_of(self.config, streamer)) and not self.destinations_of(streamer)

    def watched_ids(self) -> list[str]:
        """User ids of the enabled streamers, each once and in order, as far as they are known."""
        return list(dict.fromkeys(filter(None, map(self._id_of, self.config.streamers.values()))))

    @property
    def knows_all_ids(self) -> bool:
        """False while some enabled streamer could not be looked up yet."""
        return all(self._id_of(streamer) for streamer in self.config.streamers.values() if streamer.enabled)

    def user_id(self, streamer: Streamer) -> str:
        """ "" where it is not known yet."""
        channel = self.resolved.get(streamer.key)
        return streamer.user_id or (channel.user_id if channel else "")

    def _id_of(self, streamer: Streamer) -> str:
        return self.user_id(streamer) if streamer.enabled else ""


class ConfigHolder:
    """Where every part reads the config in force: `current` is another object after each change."""

    def __init__(self, loaded: Loaded) -> None:
        self.loaded = loaded
        self.current = ActiveConfig(loaded.config, {})
        self.applied: Signal[()] = Signal()
        """Another config.toml is in force."""
        self.channels_changed: Signal[()] = Signal()
        """Something else is known of who is who at Twitch."""

    def swap(self, loaded: Loaded, resolved: Mapping[str, Channel]) -> None:
        """Work by another config from this moment on. Emit `applied` when all that can fail is done."""
        self.loaded, self.current = loaded, ActiveConfig(loaded.config, resolved)

    def set_channels(self, resolved: Mapping[str, Channel]) -> None:
        """What Twitch said about the streamers' channels, by their keys."""
        self.current = self.current.with_resolved(resolved)
        self.channels_changed.emit()


_NONE: dict[str, Streamer] = {}


class Matcher:
    """Built anew when the config or `resolved` (streamer key -> channel) changes; asking is O(1).

    Several streamers may stand for one channel, such as one by its login and one by its user id. Disabled streamers
    match too: that they are disabled is the reason why nothing is announced.
    """

    def __init__(self, config: Config, resolved: Mapping[str, Channel]) -> None:
        self._order = {key: place for place, key in enumerate(config.streamers)}
        self._by_id: dict[str, dict[str, Streamer]] = {}
        self._by_login: dict[str, dict[str, Streamer]] = {}
        self._unidentified: dict[str, dict[str, Streamer]] = {}
        for key, streamer in config.streamers.items():
            channel = resolved.get(key)
            user_id = streamer.user_id or (channel.user_id if channel else "")
            login = (channel.login if channel else streamer.login).lower()
            if user_id:
                self._by_id.setdefault(user_id, {})[key] = streamer
            elif login:
                self._unidentified.setdefault(login, {})[key] = streamer
            if login:
                self._by_login.setdefault(login, {})[key] = streamer

    def entries(self, event: StreamEvent) -> tuple[Streamer, ...]:
        """All that it is to be announced for, in the order of the config: the enabled ones. Where none is, the first.

        Found by user id, then by login in any case. A login counts only where one side has no id: someone else may
        have taken over a renamed channel's login.
        """
        found = list(self._matching(event).values())
        return tuple(each for each in found if each.enabled) or tuple(found[:1])

    def match(self, event: StreamEvent, key: str | None = None) -> Streamer | None:
        """The streamer with this key if it stands for the event's channel, else the first of `entries`."""
        if key is not None and (named := self._matching(event).get(key)) is not None:
            return named
        return next(iter(self.entries(event)), None)

    def _matching(self, event: StreamEvent) -> dict[str, Streamer]:
        login = event.broadcaster_login.lower()
        if not event.broadcaster_id:
            return self._by_login.get(login, _NONE)
        by_id, by_login = self._by_id.get(event.broadcaster_id, _NONE), self._unidentified.get(login, _NONE)
        if not by_id or not by_login:
            return by_id or by_login
        return dict(sorted({**by_id, **by_login}.items(), key=lambda each: self._order[each[0]]))
