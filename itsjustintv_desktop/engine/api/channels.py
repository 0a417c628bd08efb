"""Which Twitch channel each streamer of the config is."""

from __future__ import annotations

from itsjustintv_desktop.engine.config.active import ConfigHolder
from itsjustintv_desktop.engine.config.schema import Streamer
from itsjustintv_desktop.engine.core.errors import NotFoundError
from itsjustintv_desktop.engine.core.models import Channel
from itsjustintv_desktop.engine.twitch.channels import ChannelDirectory

LOOK_UP_SECONDS = 8.0
"""How long a question waits for a channel's id right after the start: Twitch tells details by id only."""


class Channels:
    def __init__(self, directory: ChannelDirectory, config: ConfigHolder) -> None:
        self._directory = directory
        self._config = config

    async def list(self) -> list[Channel]:
        """The channel of each streamer of the config, as far as Twitch could be asked. Waits right after a start."""
        await self.looked_up()
        return list(self._config.current.resolved.values())

    async def looked_up(self) -> None:
        """Wait until Twitch was asked which channel each streamer is, but not for long."""
        if self._config.current.config.twitch.client_id:
            await self._directory.first_look(LOOK_UP_SECONDS)

    async def of_streamer(self, streamer: Streamer) -> Channel | None:
        """None: not known yet. Raises NotFoundError: Twitch knows no such channel."""
        if streamer.key not in self._config.current.resolved:
            await self.looked_up()
        unknown = self._directory.unknown.get(streamer.key)
        if unknown is not None:
            raise NotFoundError(unknown)
        return self._config.current.resolved.get(streamer.key)

    def find(self, login: str) -> Streamer | None:
        """The first streamer whose channel has that login or user id."""
        wanted = login.strip().lower()
        live = self._config.current
        for key, streamer in live.config.streamers.items():
            channel = live.resolved.get(key)
            if wanted and wanted in {
                streamer.login.lower(),
                streamer.user_id,
                channel.login.lower() if channel else "",
            }:
                return streamer
        return None

    def streamer(self, login: str) -> Streamer:
        """By its key, else by its channel. Raises NotFoundError."""
        wanted = login.strip().lower()
        live = self._config.current
        found = next((each for key, each in live.config.streamers.items() if wanted and key.lower() == wanted), None)
        if found := found or self.find(login):
            return found
        known = ", ".join(sorted(live.config.streamers))
        there = f"There are: {known}" if known else "It has no streamers yet"
        raise NotFoundError(f"No streamer {login!r} is in the config. {there}.")
