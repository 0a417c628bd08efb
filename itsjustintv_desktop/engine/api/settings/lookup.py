"""Which channels names stand for, as Twitch knows them now: for the picture beside what a person typed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
import structlog

from itsjustintv_desktop.engine.api.settings.channels import Parsed, parse_channels
from itsjustintv_desktop.engine.config.active import ConfigHolder
from itsjustintv_desktop.engine.config.schema import Streamer
from itsjustintv_desktop.engine.core.errors import AppError, ImageError, SecretsError, TwitchError
from itsjustintv_desktop.engine.storage.secrets import SecretValues
from itsjustintv_desktop.engine.twitch.channels import LookupResult, look_up_channels
from itsjustintv_desktop.engine.twitch.helix import User
from itsjustintv_desktop.engine.twitch.tokens import Credentials
from itsjustintv_desktop.engine.twitch.twitch import Twitch

PICTURE_SECONDS = 6.0
"""For all pictures of one look-up together; one that is late stays without."""
_PICTURES = 100
_FOLLOWERS = 20
"""Channels that the number of followers is asked for: one call each."""

_log = structlog.get_logger(__name__)


class FoundChannel(msgspec.Struct, frozen=True, kw_only=True):
    """`name` is what was asked for. `unknown`: Twitch has no such channel. `problem`: it could not be asked, or why
    it is unknown. `picture` is the SHA-256 of the picture, for `picture`; None: there is none at hand.
    """

    name: str
    login: str = ""
    user_id: str = ""
    display_name: str = ""
    description: str = ""
    picture: str | None = None
    followers: int | None = None
    live: bool = False
    title: str = ""
    """Of the stream that runs."""
    tags: tuple[str, ...] = ()
    watched_as: str = ""
    """The streamer of the config that is this channel already."""
    unknown: bool = False
    problem: str = ""


class ChannelLookup:
    """Which channels names and pasted texts stand for."""

    def __init__(self, twitch: Twitch, values: SecretValues, config: ConfigHolder) -> None:
        self._twitch = twitch
        self._values = values
        self._config = config

    async def parse(self, text: str) -> Parsed:
        """The channels that a pasted text names. Never raises."""
        return await asyncio.to_thread(parse_channels, text)

    async def look_up(self, names: Sequence[str]) -> list[FoundChannel]:
        """In the order of `names` (logins, @names, links, user ids), each channel once.

        Asks Twitch in batches of 100. Raises TwitchError or SecretsError if nothing could be asked at all.
        """
        wanted: dict[str, str] = {}
        found: dict[str, FoundChannel] = {}
        for name in dict.fromkeys(name.strip() for name in names):
            parsed = parse_channels(name)
            if parsed.names:
                wanted.setdefault(parsed.names[0], name)
            elif name:
                reason = parsed.ignored[0].reason if parsed.ignored else "it names no channel"
                found[name] = FoundChannel(name=name, unknown=True, problem=f"{reason[:1].upper()}{reason[1:]}.")
        users, problems, unanswered = await self._users(list(wanted))
        ids = [user.id for user in users.values()]
        live, pictures, followers = await asyncio.gather(
            self._live(ids), self._pictures(list(users.values())), self._followers(ids)
        )
        watched = self._watched()
        seen: set[str] = set()
        for key, name in wanted.items():
            user = users.get(key)
            if user is None:
                reason = problems.get(key, "Twitch knows no channel of this name.")
                found[name] = FoundChannel(name=name, login=key, unknown=key not in unanswered, problem=reason)
                continue
            if user.id in seen:
                continue
            seen.add(user.id)
            title, tags = live.get(user.id, ("", ()))
            found[name] = FoundChannel(
                name=name,
                login=user.login,
                user_id=user.id,
                display_name=user.display_name or user.login,
                description=user.description,
                picture=pictures.get(user.id),
                followers=followers.get(user.id),
                live=user.id in live,
                title=title,
                tags=tags,
                watched_as=watched.get(user.id) or watched.get(user.login) or "",
            )
        order = [name.strip() for name in names]
        return [found[name] for name in dict.fromkeys(order) if name in found]

    async def _users(self, keys: list[str]) -> tuple[dict[str, User], dict[str, str], set[str]]:
        """By login or id as asked: the users, sentences for the others, and which of those could not be asked for.

        Digits are taken for an id first, then for a login.
        """
        if not keys:
            return {}, {}, set()
        credentials = Credentials(
            self._config.current.config.twitch.client_id, await self._values.client_secret() or ""
        )
        credentials.check()
        first = await look_up_channels(self._twitch.helix, [_asked(key, as_id=key.isdigit()) for key in keys])
        again = [key for key in keys if key.isdigit() and key in first.unknown]
        second = (
            await look_up_channels(self._twitch.helix, [_asked(key, as_id=False) for key in again]) if again else None
        )
        users: dict[str, User] = {}
        problems: dict[str, str] = {}
        unanswered: set[str] = set()
        for resolution in filter(None, (first, second)):
            users |= _by_key(resolution)
            unanswered |= set(resolution.unanswered)
        if unanswered and not users and len(unanswered) == len(keys):
            one = next(iter(unanswered))
            await self._twitch.helix.users(logins=[one])  # raises what stands in the way
        for key in unanswered:
            problems[key] = "Twitch could not be asked. Try again."
        return users, problems, unanswered - users.keys()

    async def _live(self, ids: list[str]) -> dict[str, tuple[str, tuple[str, ...]]]:
        try:
            streams = await self._twitch.helix.streams(ids) if ids else []
        except (TwitchError, SecretsError) as error:
            _log.info("a look-up could not ask who is live", reason=error.message)
            return {}
        return {stream.user_id: (stream.title or "", stream.tags or ()) for stream in streams if stream.is_live}

    async def _pictures(self, users: list[User]) -> dict[str, str]:
        """SHA-256 by user id. What is at hand is not fetched again."""
        found: dict[str, str] = {}

        async def fetch(user: User) -> None:
            kept = self._twitch.profiles.get(user.id).image
            if kept is not None and kept.url == user.profile_image_url:
                found[user.id] = kept.sha256
                return
            try:
                image = await self._twitch.images.fetch(user.profile_image_url, timeout=PICTURE_SECONDS)
            except ImageError as error:
                _log.debug("a picture of a look-up cannot be had", user_id=user.id, reason=error.message)
            else:
                found[user.id] = image.sha256

        wanted = [user for user in users if user.profile_image_url][:_PICTURES]
        await asyncio.gather(*(fetch(user) for user in wanted))
        return found

    async def _followers(self, ids: list[str]) -> dict[str, int]:
        """Only for a few channels, and only while Twitch has plenty of calls left for us."""
        found: dict[str, int] = {}

        async def ask(user_id: str) -> None:
            try:
                total = await self._twitch.helix.followers(user_id, timeout=PICTURE_SECONDS)
            except AppError as error:
                _log.debug("a look-up could not ask for followers", user_id=user_id, reason=error.message)
            else:
                if total is not None:
                    found[user_id] = total

        if len(ids) <= _FOLLOWERS and self._twitch.client.spare():
            await asyncio.gather(*(ask(user_id) for user_id in ids))
        return found

    def _watched(self) -> dict[str, str]:
        """Streamer keys by user id and by login."""
        found: dict[str, str] = {}
        live = self._config.current
        for key, streamer in live.config.streamers.items():
            channel = live.resolved.get(key)
            for name in (streamer.user_id, streamer.login, channel.user_id if channel else ""):
                if name:
                    found.setdefault(name, key)
        return found


def _asked(key: str, *, as_id: bool) -> Streamer:
    return Streamer(key=key, user_id=key if as_id else "", login="" if as_id else key)


def _by_key(resolution: LookupResult) -> dict[str, User]:
    by_id = {user.id: user for user in resolution.users}
    return {key: by_id[channel.user_id] for key, channel in resolution.channels.items() if channel.user_id in by_id}
