"""The Helix endpoints this program uses, typed, conduits included; and going through a list page by page to its end.

Source: Twitch documentation, "Twitch API reference": Get Users, Get Streams, Get Channel Information, Get Channel
Followers, Get / Create / Delete Conduits, Get / Update Conduit Shards; and "Handling Conduit Events".
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Annotated, Protocol, TypeVar

import msgspec
import structlog

from itsjustintv_desktop.engine.core.errors import (
    ConduitGoneError,
    ConduitLimitError,
    TwitchRefusedError,
)
from itsjustintv_desktop.engine.twitch.client import TIMEOUT, HelixClient, Params
from itsjustintv_desktop.engine.twitch.eventsub_messages import LIVE
from itsjustintv_desktop.engine.twitch.lenient import Lenient, Page, items_of

_log = structlog.get_logger(__name__)

T = TypeVar("T")

_FOLLOWERS = "/channels/followers"
MOST = 100
"""Ids and logins Helix takes in one request."""
_page = Lenient(Page)
MOST_PAGES = 500
"""Pages. The longest list of Twitch's, the shards of a conduit, makes 200."""
_BARREN = 3
"""Pages in a row without anything new after which a list counts as ended, whatever its cursors say."""


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

    async def channels(self, ids: Sequence[str]) -> list[ChannelInfo]:
        """GET /channels."""
        params = [("broadcaster_id", value) for value in ids]
        return await self._all("/channels", params, ChannelInfo, TIMEOUT, optional=True)

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

    async def _all(
        self,
        path: str,
        params: list[tuple[str, str]],
        kind: type[T],
        timeout: float,
        extra: Params = (),
        *,
        optional: bool = False,
    ) -> list[T]:
        decode, found = _items(path, kind), []
        for part in chunks(params):
            found += await self.client.request(
                "GET", path, [*part, *extra], decode=decode, timeout=timeout, optional=optional
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


class Identified(Protocol):
    @property
    def id(self) -> str: ...


P = TypeVar("P", bound=Page)
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


MOST_CONDUITS = 5
"""Conduits a client id may have."""
ENABLED = "enabled"

_CONDUITS = "/eventsub/conduits"
_SHARDS = "/eventsub/conduits/shards"


_Id = Annotated[str, msgspec.Meta(min_length=1)]


class ConduitInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One conduit of the client id, of whichever program."""

    id: _Id
    shard_count: int = 1


class ShardTransport(msgspec.Struct, frozen=True, kw_only=True):
    """`method` is webhook or websocket. Times are RFC 3339. "" and None: Twitch did not say."""

    method: str = ""
    session_id: str | None = None
    connected_at: str | None = None
    disconnected_at: str | None = None


class Shard(msgspec.Struct, frozen=True, kw_only=True):
    """One end of a conduit; only an `enabled` one gets events."""

    id: _Id
    status: str = ""
    transport: ShardTransport = ShardTransport()


class ShardError(msgspec.Struct, frozen=True, kw_only=True):
    """Why Twitch did not change a shard, in its own words."""

    id: str = ""
    message: str = ""
    code: str = ""


class ShardUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a change: a 202 may hold errors alone."""

    data: tuple[Shard, ...] = ()
    errors: tuple[ShardError, ...] = ()


class Conduits:
    """All raise TwitchError or SecretsError."""

    def __init__(self, client: HelixClient) -> None:
        self._client = client

    async def list(self) -> Sequence[ConduitInfo]:
        """GET /eventsub/conduits: all of the client id."""
        return await self._client.request("GET", _CONDUITS, decode=_listed)

    async def create(self, shard_count: int = 1) -> ConduitInfo:
        """POST /eventsub/conduits. Raises ConduitLimitError when there are as many as may be.

        It is never retried: after a TwitchUnreachableError it may exist all the same.
        """
        body = msgspec.json.encode({"shard_count": shard_count})
        try:
            return await self._client.request("POST", _CONDUITS, body=body, decode=_made)
        except TwitchRefusedError as error:
            if error.status == 429:
                raise ConduitLimitError(
                    f"This client id has {MOST_CONDUITS} conduits already, as many as Twitch allows."
                ) from (error)
            raise

    async def delete(self, conduit_id: str) -> bool:
        """DELETE /eventsub/conduits, with all its subscriptions. False if it was gone already."""
        return await self._client.delete(_CONDUITS, conduit_id)

    async def delete_formerly(self, conduit_id: str, client_id: str) -> bool:
        """Take away one that was made with the client id before. False: it cannot be, or not now.

        Raises TwitchUnreachableError.
        """
        return await self._client.delete_formerly(client_id, _CONDUITS, [("id", conduit_id)])

    async def client_id(self) -> str:
        """Whose conduits these are now."""
        return await self._client.client_id()

    async def attach(
        self, conduit_id: str, session_id: str, *, shard_id: str = "0", timeout: float = TIMEOUT
    ) -> ShardUpdate:
        """Give a shard to the socket with this session id, as `update_shards`."""
        transport = {"method": "websocket", "session_id": session_id}
        return await self.update_shards(conduit_id, [{"id": shard_id, "transport": transport}], timeout=timeout)

    async def update_shards(
        self, conduit_id: str, shards: Sequence[dict[str, object]], *, timeout: float = TIMEOUT
    ) -> ShardUpdate:
        """PATCH /eventsub/conduits/shards; `shards` as documented there: `{"id", "transport": {...}}`.

        Raises ConduitGoneError. Check `errors` of the result: a 202 may hold errors alone.
        """
        body = msgspec.json.encode({"conduit_id": conduit_id, "shards": shards})
        try:
            return await self._client.request("PATCH", _SHARDS, body=body, decode=_update.decode, timeout=timeout)
        except TwitchRefusedError as error:
            raise _gone(error) from error

    async def shards(self, conduit_id: str) -> Sequence[Shard]:
        """GET /eventsub/conduits/shards, every page. Raises ConduitGoneError."""

        async def ask(at: Params) -> Page:
            params = [("conduit_id", conduit_id), *at]
            try:
                return await self._client.request("GET", _SHARDS, params, decode=_page.decode)
            except TwitchRefusedError as error:
                raise _gone(error) from error

        found, _, _ = await every_page(_SHARDS, ask, lambda page: items_of(page, _shard, _SHARDS))
        return found


def _gone(error: TwitchRefusedError) -> TwitchRefusedError:
    return ConduitGoneError("Twitch knows no such conduit of this client id.") if error.status == 404 else error


_conduit = Lenient(ConduitInfo)
_shard = Lenient(Shard)
_update = Lenient(ShardUpdate)


def _listed(body: bytes) -> Sequence[ConduitInfo]:
    return items_of(_page.decode(body), _conduit, _CONDUITS)


def _made(body: bytes) -> ConduitInfo:
    items = _listed(body)
    if not items:
        raise msgspec.ValidationError("it holds no conduit")
    return items[0]
