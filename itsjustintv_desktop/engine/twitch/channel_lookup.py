"""From the config's logins and ids to channels as they are now: who has which id, and who was renamed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec
import structlog

from itsjustintv_desktop.engine.config.schema import Streamer
from itsjustintv_desktop.engine.core.errors import (
    SecretsError,
    TwitchAuthError,
    TwitchError,
    TwitchRefusedError,
)
from itsjustintv_desktop.engine.core.models import Channel
from itsjustintv_desktop.engine.twitch.helix import Helix, User, chunks

_LOGIN = re.compile(r"[a-z0-9_]{1,25}")
_ID = re.compile(r"[0-9]{1,20}")

_log = structlog.get_logger(__name__)


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
