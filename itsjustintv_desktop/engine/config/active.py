"""The configuration as the engine works by it now: swapped as a whole, never changed in place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from itsjustintv_desktop.engine.announce.match import Matcher
from itsjustintv_desktop.engine.announce.same_channel import same_channels
from itsjustintv_desktop.engine.config.destinations import destinations_of, effective_destinations
from itsjustintv_desktop.engine.config.schema import Config, Destination, Streamer
from itsjustintv_desktop.engine.twitch.channel_lookup import Channel


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

    def _id_of(self, streamer: Streamer) -> str:
        if not streamer.enabled:
            return ""
        channel = self.resolved.get(streamer.key)
        return streamer.user_id or (channel.user_id if channel else "")
