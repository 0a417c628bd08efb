"""Which channel each streamer of the config is: looked up, kept in the background and across restarts.

A streamer written by login gets its user id once; from then on the id is followed, so a renamed channel is kept.
`who_is` asks without an engine, for `config check`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import msgspec
import structlog

from itsjustintv_desktop.engine.config.active import ConfigHolder
from itsjustintv_desktop.engine.config.endpoints import Endpoints
from itsjustintv_desktop.engine.config.schema import Config, Streamer
from itsjustintv_desktop.engine.core.backoff import Backoff
from itsjustintv_desktop.engine.core.clock import Clock, SystemClock
from itsjustintv_desktop.engine.core.errors import (
    LedgerError,
    SecretsError,
    TwitchAuthError,
    TwitchError,
    TwitchRefusedError,
)
from itsjustintv_desktop.engine.core.events import Signal
from itsjustintv_desktop.engine.core.models import Channel
from itsjustintv_desktop.engine.core.net.client import Outbound
from itsjustintv_desktop.engine.core.net.proxies import Proxies
from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.engine.twitch.client import HelixClient
from itsjustintv_desktop.engine.twitch.helix import Helix, User, chunks
from itsjustintv_desktop.engine.twitch.http import ClockSkew, TwitchHttp
from itsjustintv_desktop.engine.twitch.profiles import Profiles
from itsjustintv_desktop.engine.twitch.tokens import AppTokens, Credentials

_log = structlog.get_logger(__name__)

AGAIN_EVERY = 86400.0
"""Seconds between two looks at channels that are known: they may have been renamed."""
FIRST_RETRY = 30.0
LAST_RETRY = 900.0
_META = "channels"
_LOGIN = re.compile(r"[a-z0-9_]{1,25}")
_ID = re.compile(r"[0-9]{1,20}")


class MetaStore(Protocol):
    """Where the findings outlive the process. Raises LedgerError."""

    async def meta(self, key: str) -> str | None: ...

    async def set_meta(self, key: str, value: str) -> None: ...


class _Found(msgspec.Struct, frozen=True):
    """A finding and the login in the config it was made for: another login there makes it worthless."""

    written: str
    channel: Channel


class ChannelDirectory:
    """`changed` is emitted with all known channels when one is new. `problems` are sentences to show.

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
        return self.known()

    def known(self, config: Config | None = None) -> dict[str, Channel]:
        """What is known already of the streamers of the config in force, or of another one."""
        streamers = (config or self._config.current.config).streamers
        return {
            key: found.channel
            for key, found in self._found.items()
            if key in streamers
            and found.written == streamers[key].login.lower()
            and streamers[key].user_id in {"", found.channel.user_id}
        }

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
        known = self.known()
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
            self.changed.emit(self.known())
        return bool(resolution.unanswered)


def _with_id(streamer: Streamer, channel: Channel | None) -> Streamer:
    if streamer.user_id or channel is None:
        return streamer
    return msgspec.structs.replace(streamer, user_id=channel.user_id)


class LookupResult(msgspec.Struct, frozen=True):
    """What came of it.

    `channels` maps streamer keys; `problems` are sentences to show; `unanswered` are keys worth asking for again
    later, because Twitch couldn't be asked; `users` is all that was learnt, for the profiles.
    """

    channels: dict[str, Channel]
    problems: tuple[str, ...] = ()
    unanswered: tuple[str, ...] = ()
    users: tuple[User, ...] = ()
    unknown: dict[str, str] = {}
    """Streamer keys of `problems` that asking again would not change, each with its sentence."""


class _Search:
    """One run: what was found, and what could not be asked."""

    def __init__(self, helix: Helix) -> None:
        self.users: list[User] = []
        self.unanswered: set[tuple[bool, str]] = set()
        self.failures: dict[str, None] = {}
        self._helix = helix
        self._hopeless: TwitchError | SecretsError | None = None

    async def ask(self, values: Sequence[str], *, ids: bool) -> None:
        """Ask for these ids or logins. One that Twitch stumbles over is found by halving and left out."""
        if self._hopeless is not None:
            self._leave(values, ids, self._hopeless)
            return
        try:
            found = await self._helix.users(ids=values) if ids else await self._helix.users(logins=values)
            if ids or all(user.login for user in found):
                self.users += found
            elif len(values) > 1:  # whose login is missing is found out by asking for each alone
                await self._halve(values, ids=ids)
            else:
                self.users += [msgspec.structs.replace(user, login=values[0]) for user in found]
        except TwitchRefusedError as error:
            if error.status != 400:
                self._leave(values, ids, error)
            elif len(values) > 1:
                await self._halve(values, ids=ids)
        except (TwitchError, SecretsError) as error:
            if isinstance(error, TwitchAuthError | SecretsError):
                self._hopeless = error  # it will not be answered differently for the next hundred
            self._leave(values, ids, error)

    async def _halve(self, values: Sequence[str], *, ids: bool) -> None:
        middle = len(values) // 2
        await self.ask(values[:middle], ids=ids)
        await self.ask(values[middle:], ids=ids)

    def _leave(self, values: Sequence[str], ids: bool, error: TwitchError | SecretsError) -> None:
        self.unanswered.update((ids, value) for value in values)
        self.failures.setdefault(error.message)


async def look_up_channels(helix: Helix, streamers: Iterable[Streamer]) -> LookupResult:
    """Find the channels of all these streamers, in calls of 100. Never raises for what Twitch answers.

    A streamer with a user id follows it, whatever its login in the config: that is how a renamed channel is kept.
    """
    wanted: list[tuple[bool, str, Streamer]] = []
    unknown: dict[str, str] = {}
    for streamer in streamers:
        login = streamer.login.lower()
        if _ID.fullmatch(streamer.user_id):
            wanted.append((True, streamer.user_id, streamer))
        elif streamer.user_id:
            unknown[streamer.key] = (
                f'Streamer "{streamer.key}": "{streamer.user_id}" is not a Twitch user id (digits only).'
            )
        elif _LOGIN.fullmatch(login):
            wanted.append((False, login, streamer))
        else:
            unknown[streamer.key] = (
                f'Streamer "{streamer.key}": "{streamer.login}" is not a Twitch login (letters, digits and _).'
            )
    search = _Search(helix)
    for ids in (True, False):
        for part in chunks(dict.fromkeys(value for by_id, value, _ in wanted if by_id == ids)):
            await search.ask(part, ids=ids)

    found = {(True, user.id): user for user in search.users}
    found.update({(False, user.login.lower()): user for user in search.users})
    channels: dict[str, Channel] = {}
    unanswered: list[str] = []
    for by_id, value, streamer in wanted:
        user = found.get((by_id, value))
        if user is not None:
            login = user.login or streamer.login.lower()
            channels[streamer.key] = Channel(streamer.key, user.id, login, user.display_name or login)
            if streamer.login and streamer.login.lower() != login.lower():
                _log.info("a channel was renamed", streamer=streamer.key, login=user.login)
        elif (by_id, value) in search.unanswered:
            unanswered.append(streamer.key)
        else:
            unknown[streamer.key] = (
                f'Streamer "{streamer.key}": Twitch knows no channel with the {"id" if by_id else "login"} '
                f'"{value}". It may be misspelt, renamed, banned or deleted.'
            )
    problems = list(unknown.values())
    if unanswered:
        reason = " ".join(search.failures)
        problems.append(f"{len(unanswered)} of the streamers could not be looked up yet. {reason}")
    return LookupResult(channels, tuple(problems), tuple(unanswered), tuple(search.users), unknown)


async def who_is(config: Config, endpoints: Endpoints, proxies: Proxies) -> LookupResult:
    """With the client id and secret as they stand in the config. Never raises for what Twitch answers."""
    clock, tasks = SystemClock(), Tasks()
    http = TwitchHttp(clock=clock, skew=ClockSkew(), outbound=Outbound(proxies=proxies))

    async def credentials() -> Credentials:
        return Credentials(config.twitch.client_id, config.twitch.client_secret)

    tokens = AppTokens(
        http=http,
        auth_url=endpoints.auth_url,
        credentials=credentials,
        store=None,
        tasks=tasks,
        clock=clock,
    )
    helix = Helix(HelixClient(http=http, tokens=tokens, api_url=endpoints.api_url, clock=clock))
    try:
        return await look_up_channels(helix, config.streamers.values())
    finally:
        await http.close()
        await tasks.stop()
