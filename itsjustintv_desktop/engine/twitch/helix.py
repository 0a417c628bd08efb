"""The Helix endpoints this program uses, typed; and going through a list page by page to its end.

Source: Twitch documentation, "Twitch API reference": Get Users, Get Streams, Get Channel Information, Get Channel
Followers, Delete EventSub Subscription.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Protocol, TypeVar

import msgspec
import structlog

from itsjustintv_desktop.engine.core.errors import TwitchRefusedError
from itsjustintv_desktop.engine.twitch.client import TIMEOUT, HelixClient, Params
from itsjustintv_desktop.engine.twitch.eventsub_messages import LIVE
from itsjustintv_desktop.engine.twitch.lenient import Cursor, Lenient, Page, items_of

_log = structlog.get_logger(__name__)

T = TypeVar("T")

_FOLLOWERS = "/channels/followers"
MOST = 100
"""Ids and logins Helix takes in one request."""
_page = Lenient(Page)
MOST_PAGES = 500
"""Pages. The longest list of Twitch's, the shards of a conduit, makes 200."""
_BARREN = 3
"""So many pages in a row with nothing new are the end, whatever cursors they bring."""


class User(msgspec.Struct, frozen=True, kw_only=True):
    """`login` and `display_name` are the present ones; `profile_image_url` is a square of 300 pixels."""

    id: str
    login: str = ""
    display_name: str = ""
    description: str = ""
    profile_image_url: str = ""


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """A stream that runs now. `started_at` is RFC 3339, `thumbnail_url` holds {width} and {height}.

    `type` is "live", or that of a broadcast that is none (rerun, ...). None and "": Twitch did not say.
    """

    id: str
    user_id: str
    user_login: str = ""
    user_name: str = ""
    game_id: str | None = None
    game_name: str | None = None
    type: str = ""
    title: str | None = None
    viewer_count: int | None = None
    started_at: str = ""
    language: str = ""
    thumbnail_url: str = ""
    tags: tuple[str, ...] | None = None

    @property
    def is_live(self) -> bool:
        return self.type in {"", LIVE}


class ChannelInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a channel is set to, live or not. None: Twitch did not say."""

    broadcaster_id: str
    broadcaster_login: str = ""
    broadcaster_name: str = ""
    broadcaster_language: str = ""
    game_id: str | None = None
    game_name: str | None = None
    title: str | None = None
    tags: tuple[str, ...] | None = None


class _Total(msgspec.Struct):
    total: int | None = None


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
        return await self._all("/channels", params, ChannelInfo, timeout, optional=True)

    async def followers(self, broadcaster_id: str, *, timeout: float = TIMEOUT) -> int | None:
        """GET /channels/followers: the total, which is all an app token gets to see. None: Twitch did not say."""
        params = [("broadcaster_id", broadcaster_id), ("first", "1")]
        answer = await self.client.request(
            "GET", _FOLLOWERS, params, decode=_total.decode, timeout=timeout, optional=True
        )
        return answer.total

    @property
    def tells_followers(self) -> bool:
        """Whether it is of use to ask for followers: the endpoint was not given up."""
        return not self.client.is_given_up(f"GET {_FOLLOWERS}")

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
        *,
        optional: bool = False,
    ) -> list[T]:
        found: list[T] = []
        for part in chunks(params):
            asked = [*part, *(extra or ())]
            found += await self.client.request(
                "GET", path, asked, decode=_items(path, kind), timeout=timeout, optional=optional
            )
        return found


def chunks(values: Iterable[T], size: int = MOST) -> Iterator[list[T]]:
    """Parts of at most `size`, in order."""
    rest = list(values)
    for start in range(0, len(rest), size):
        yield rest[start : start + size]


def _items(path: str, kind: type[T]) -> Callable[[bytes], list[T]]:
    item = Lenient(kind)
    return lambda body: items_of(_page.decode(body), item, path)


_total = Lenient(_Total)


class Paged(Protocol):
    """A page, as lenient.Page."""

    @property
    def pagination(self) -> Cursor: ...


class Identified(Protocol):
    @property
    def id(self) -> str: ...


P = TypeVar("P", bound=Paged)
Found = TypeVar("Found", bound=Identified)


async def every_page(
    path: str, ask: Callable[[Params], Awaitable[P]], items: Callable[[P], Sequence[Found]]
) -> tuple[list[Found], P, bool]:
    """All items by their ids, the last page, and whether the list ended as it should.

    `ask` gets the parameters that name the page. A cursor that comes again, pages without anything new and far too
    many pages are an end as well: what was found until then counts.
    """
    found: dict[str, Found] = {}
    seen: set[str] = set()
    params: Params = ()
    barren = 0
    while True:
        page = await ask(params)
        before = len(found)
        found.update((item.id, item) for item in items(page))
        barren = 0 if len(found) > before else barren + 1
        cursor = page.pagination.cursor
        if not cursor:
            return list(found.values()), page, True
        if cursor in seen or len(seen) >= MOST_PAGES or barren >= _BARREN:
            _log.warning("a list of Twitch's has no end", path=path, pages=len(seen) + 1, found=len(found))
            return list(found.values()), page, False
        seen.add(cursor)
        params = [("after", cursor)]
