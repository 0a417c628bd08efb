"""The Helix endpoints this program uses, typed.

Source: Twitch documentation, "Twitch API reference": Get Users, Get Streams, Get Channel Information, Get Channel
Followers, Delete EventSub Subscription.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import msgspec
import structlog

from itsjustintv_desktop.engine.errors import TwitchRefusedError
from itsjustintv_desktop.engine.twitch.client import TIMEOUT, HelixClient

T = TypeVar("T")

MOST = 100
"""Ids and logins Helix takes in one request."""

_log = structlog.get_logger(__name__)


class User(msgspec.Struct, frozen=True, kw_only=True):
    """`login` and `display_name` are the present ones; `profile_image_url` is a square of 300 pixels."""

    id: str
    login: str
    display_name: str = ""
    description: str = ""
    profile_image_url: str = ""


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """A stream that runs now. `started_at` is RFC 3339, `thumbnail_url` holds {width} and {height}."""

    id: str
    user_id: str
    user_login: str = ""
    user_name: str = ""
    game_id: str = ""
    game_name: str = ""
    title: str = ""
    viewer_count: int
    started_at: str = ""
    language: str = ""
    thumbnail_url: str = ""
    tags: tuple[str, ...] | None = None


class ChannelInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a channel is set to, live or not."""

    broadcaster_id: str
    broadcaster_login: str = ""
    broadcaster_name: str = ""
    broadcaster_language: str = ""
    game_id: str = ""
    game_name: str = ""
    title: str = ""
    tags: tuple[str, ...] | None = None


class _Page(msgspec.Struct):
    data: list[msgspec.Raw]


class _Total(msgspec.Struct):
    total: int


class Helix:
    """All raise TwitchError or SecretsError. More than 100 ids are asked for in several calls, one after another.

    What Twitch doesn't know, or what isn't live, is left out of the answer.
    """

    def __init__(self, client: HelixClient) -> None:
        self.client = client

    async def users(
        self, ids: Sequence[str] = (), logins: Sequence[str] = (), *, timeout: float = TIMEOUT
    ) -> list[User]:
        """GET /users. `timeout` is seconds a call."""
        params = [("id", value) for value in ids] + [("login", value) for value in logins]
        return await self._all("/users", params, User, timeout)

    async def streams(self, user_ids: Sequence[str], *, timeout: float = TIMEOUT) -> list[Stream]:
        """GET /streams. Without `first` Twitch would show 20 only."""
        params = [("user_id", value) for value in user_ids]
        return await self._all("/streams", params, Stream, timeout, extra=[("first", str(MOST))])

    async def channels(self, ids: Sequence[str], *, timeout: float = TIMEOUT) -> list[ChannelInfo]:
        """GET /channels."""
        params = [("broadcaster_id", value) for value in ids]
        return await self._all("/channels", params, ChannelInfo, timeout)

    async def followers(self, broadcaster_id: str, *, timeout: float = TIMEOUT) -> int:
        """GET /channels/followers: the total, which is all an app token gets to see."""
        params = [("broadcaster_id", broadcaster_id), ("first", "1")]
        return await self.client.request("GET", "/channels/followers", params, decode=_total, timeout=timeout)

    async def delete_subscription(self, subscription_id: str, *, timeout: float = TIMEOUT) -> None:
        """DELETE /eventsub/subscriptions. One that is gone already is fine."""
        params = [("id", subscription_id)]
        try:
            await self.client.request(
                "DELETE", "/eventsub/subscriptions", params, decode=lambda _: None, timeout=timeout
            )
        except TwitchRefusedError as error:
            if error.status != 404:
                raise

    async def _all(
        self,
        path: str,
        params: list[tuple[str, str]],
        kind: type[T],
        timeout: float,
        extra: list[tuple[str, str]] | None = None,
    ) -> list[T]:
        found: list[T] = []
        for part in chunks(params):
            asked = [*part, *(extra or ())]
            found += await self.client.request("GET", path, asked, decode=_items(path, kind), timeout=timeout)
        return found


def chunks(values: Iterable[T], size: int = MOST) -> Iterator[list[T]]:
    """Parts of at most `size`, in order."""
    rest = list(values)
    for start in range(0, len(rest), size):
        yield rest[start : start + size]


def _items(path: str, kind: type[T]) -> Callable[[bytes], list[T]]:
    """Decodes `data`; an item that isn't as documented is left out and logged, since the others are still good."""

    def decode(body: bytes) -> list[T]:
        items: list[T] = []
        for raw in msgspec.json.decode(body, type=_Page).data:
            try:
                items.append(msgspec.json.decode(raw, type=kind))
            except msgspec.ValidationError as error:
                _log.warning("one item of Twitch's answer is not as documented", path=path, reason=str(error))
        return items

    return decode


def _total(body: bytes) -> int:
    return msgspec.json.decode(body, type=_Total).total
