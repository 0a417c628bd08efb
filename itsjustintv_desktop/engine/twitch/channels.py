"""Keeps knowing which channel each streamer of the config is, in the background and across restarts.

A streamer written by login gets its user id once; from then on the id is followed, so a renamed channel is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol

import msgspec
import structlog

from itsjustintv_desktop.engine.config.active import ConfigHolder
from itsjustintv_desktop.engine.config.schema import Config, Streamer
from itsjustintv_desktop.engine.core.backoff import Backoff
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import LedgerError
from itsjustintv_desktop.engine.core.events import Signal
from itsjustintv_desktop.engine.core.models import Channel
from itsjustintv_desktop.engine.twitch.channel_lookup import look_up_channels
from itsjustintv_desktop.engine.twitch.helix import Helix
from itsjustintv_desktop.engine.twitch.profiles import Profiles

AGAIN_EVERY = 86400.0
"""Seconds between two looks at channels that are known: they may have been renamed."""
FIRST_RETRY = 30.0
LAST_RETRY = 900.0
_META = "channels"

_log = structlog.get_logger(__name__)


class MetaStore(Protocol):
    """Where the findings outlive the process. Raises LedgerError."""

    async def meta(self, key: str) -> str | None: ...

    async def set_meta(self, key: str, value: str) -> None: ...


class _Found(msgspec.Struct, frozen=True):
    """A finding and the login in the config it was made for: another login there makes it worthless."""

    written: str
    channel: Channel


class ChannelDirectory:
    """`on_change` hears all findings whenever one is new. `problems` are sentences to show.

    `unknown` holds those of them, by streamer, that say that Twitch has no such channel.
    """

    def __init__(
        self,
        helix: Helix,
        profiles: Profiles,
        store: MetaStore,
        *,
        config: ConfigHolder,
        clock: Clock,
    ) -> None:
        self._helix = helix
        self._profiles = profiles
        self._store = store
        self._config = config
        self.changed: Signal[Mapping[str, Channel]] = Signal()
        """Something else is known now; all that is, by the streamers' keys."""
        self._clock = clock
        self._found: dict[str, _Found] = {}
        self._again = asyncio.Event()
        self._looked = asyncio.Event()
        self.problems: tuple[str, ...] = ()
        self.unknown: dict[str, str] = {}

    async def load(self) -> dict[str, Channel]:
        """What an earlier run found out, as far as the config still says the same. Raises LedgerError."""
        kept = await self._store.meta(_META)
        if kept:
            try:
                self._found = msgspec.json.decode(kept, type=dict[str, _Found])
            except msgspec.DecodeError:
                _log.warning("the kept channels are damaged and looked up again")
        return self._valid()

    def known(self, config: Config) -> dict[str, Channel]:
        """What is known already of the streamers of another config."""
        return self._valid(config)

    def refresh(self) -> None:
        """Look again soon: the config changed."""
        self._again.set()

    async def first_look(self, timeout: float) -> None:
        """Wait until Twitch was asked once since the start, at most `timeout` seconds."""
        await self._clock.wait(self._looked, timeout)

    async def run(self) -> None:
        """Look up what is not known, then look for renamings once a day, until cancelled."""
        backoff = Backoff(FIRST_RETRY, LAST_RETRY)
        while True:
            self._again.clear()
            unanswered = await self._look()
            self._looked.set()
            if not unanswered:
                backoff.reset()
            await self._clock.wait(self._again, backoff.next() if unanswered else AGAIN_EVERY)

    async def _look(self) -> bool:
        config = self._config.current.config
        known = self._valid()
        resolution = await look_up_channels(
            self._helix, [_with_id(streamer, known.get(key)) for key, streamer in config.streamers.items()]
        )
        for user in resolution.users:
            self._profiles.learn(user)
        for problem in resolution.problems:
            if problem not in self.problems:
                _log.warning("a streamer could not be looked up", reason=problem)
        self.problems, self.unknown = resolution.problems, resolution.unknown
        fresh = {
            key: _Found(config.streamers[key].login.lower(), channel) for key, channel in resolution.channels.items()
        }
        kept = {key: found for key, found in self._found.items() if key in config.streamers}
        changed = {**kept, **fresh}
        if changed != self._found:
            self._found = changed
            try:
                await self._store.set_meta(_META, msgspec.json.encode(changed).decode())
            except LedgerError as error:
                _log.warning("the channels could not be kept", reason=error.message)
            self.changed.emit(self._valid())
        return bool(resolution.unanswered)

    def _valid(self, config: Config | None = None) -> dict[str, Channel]:
        streamers = (config or self._config.current.config).streamers
        return {
            key: found.channel
            for key, found in self._found.items()
            if key in streamers
            and found.written == streamers[key].login.lower()
            and streamers[key].user_id in {"", found.channel.user_id}
        }


def _with_id(streamer: Streamer, channel: Channel | None) -> Streamer:
    if streamer.user_id or channel is None:
        return streamer
    return msgspec.structs.replace(streamer, user_id=channel.user_id)
