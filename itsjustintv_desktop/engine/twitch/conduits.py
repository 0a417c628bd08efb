"""Conduits and their shards over Helix.

Source: Twitch documentation, "Handling Conduit Events", and "Get / Create / Delete Conduits", "Get / Update Conduit
Shards" of the Twitch API reference. All need an app access token.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from itsjustintv_desktop.engine.core.errors import (
    ConduitGoneError,
    ConduitLimitError,
    TwitchRefusedError,
)
from itsjustintv_desktop.engine.twitch.client import TIMEOUT, HelixClient, Params
from itsjustintv_desktop.engine.twitch.helix import every_page
from itsjustintv_desktop.engine.twitch.lenient import Lenient, Page, items_of

MOST = 5
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
    """All raise TwitchError or SecretsError. `timeout` is seconds a call."""

    def __init__(self, client: HelixClient) -> None:
        self._client = client

    async def list(self, *, timeout: float = TIMEOUT) -> Sequence[ConduitInfo]:
        """GET /eventsub/conduits: all of the client id."""
        return await self._client.request("GET", _CONDUITS, decode=_listed, timeout=timeout)

    async def create(self, shard_count: int = 1, *, timeout: float = TIMEOUT) -> ConduitInfo:
        """POST /eventsub/conduits. Raises ConduitLimitError when there are as many as may be.

        It is not tried again by itself: after a TwitchUnreachableError it may exist all the same.
        """
        body = msgspec.json.encode({"shard_count": shard_count})
        try:
            return await self._client.request("POST", _CONDUITS, body=body, decode=_made, timeout=timeout)
        except TwitchRefusedError as error:
            if error.status == 429:
                raise ConduitLimitError(f"This client id has {MOST} conduits already, as many as Twitch allows.") from (
                    error
                )
            raise

    async def delete(self, conduit_id: str, *, timeout: float = TIMEOUT) -> bool:
        """DELETE /eventsub/conduits, with all its subscriptions. False if it was gone already."""
        params = [("id", conduit_id)]
        try:
            await self._client.request("DELETE", _CONDUITS, params, decode=lambda _: None, timeout=timeout)
        except TwitchRefusedError as error:
            if error.status != 404:
                raise
            return False
        return True

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

        Raises ConduitGoneError. Read `errors` of the outcome: no error raised is no success.
        """
        body = msgspec.json.encode({"conduit_id": conduit_id, "shards": shards})
        try:
            return await self._client.request("PATCH", _SHARDS, body=body, decode=_update.decode, timeout=timeout)
        except TwitchRefusedError as error:
            raise _gone(error) from error

    async def shards(self, conduit_id: str, *, timeout: float = TIMEOUT) -> Sequence[Shard]:
        """GET /eventsub/conduits/shards, every page. Raises ConduitGoneError."""

        async def ask(at: Params) -> Page:
            params = [("conduit_id", conduit_id), *at]
            try:
                return await self._client.request("GET", _SHARDS, params, decode=_page.decode, timeout=timeout)
            except TwitchRefusedError as error:
                raise _gone(error) from error

        found, _, _ = await every_page(_SHARDS, ask, lambda page: items_of(page, _shard, _SHARDS))
        return found


def _gone(error: TwitchRefusedError) -> TwitchRefusedError:
    return ConduitGoneError("Twitch knows no such conduit of this client id.") if error.status == 404 else error


_page = Lenient(Page)
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
