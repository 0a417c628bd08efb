"""A raw client of conduits and WebSockets."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from itsjustintv_desktop.simulator import Simulator
from itsjustintv_desktop.simulator.subscriptions import Subscription
from tests.simulator.conftest import Client

CONDUITS = "/eventsub/conduits"
SHARDS = "/eventsub/conduits/shards"


class Socket:
    """One WebSocket that was welcomed. `welcome` is the session it was told of."""

    def __init__(self, raw: aiohttp.ClientWebSocketResponse) -> None:
        self.raw = raw
        self.welcome: dict[str, Any] = {}

    @property
    def id(self) -> str:
        return str(self.welcome["id"])

    async def message(self) -> dict[str, Any]:
        """The next text message."""
        received = await self.raw.receive(timeout=10)
        assert received.type is aiohttp.WSMsgType.TEXT, received
        return dict(json.loads(received.data))

    async def closing(self) -> tuple[int, str]:
        """Code and reason of the close frame that comes next."""
        received = await self.raw.receive(timeout=10)
        assert received.type is aiohttp.WSMsgType.CLOSE, received
        return received.data, received.extra or ""

    async def cut(self) -> None:
        """Wait for an end without a close frame."""
        received = await self.raw.receive(timeout=10)
        assert received.type in {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}, received
        assert self.raw.close_code == aiohttp.WSCloseCode.ABNORMAL_CLOSURE

    async def silence(self, seconds: float = 0.05) -> None:
        """Nothing comes for a moment."""
        try:
            received = await self.raw.receive(timeout=seconds)
        except TimeoutError:
            return
        raise AssertionError(received)


@asynccontextmanager
async def connected(
    session: aiohttp.ClientSession, sim: Simulator, *, url: str = "", query: str = "", autoping: bool = True
) -> AsyncIterator[Socket]:
    """A WebSocket at `url` (default: a new session), welcomed. Closed at the end if it still is open."""
    async with session.ws_connect(url or sim.eventsub_url + query, autoping=autoping) as raw:
        socket = Socket(raw)
        welcome = await socket.message()
        assert welcome["metadata"]["message_type"] == "session_welcome"
        socket.welcome = welcome["payload"]["session"]
        yield socket


async def conduit(client: Client, shard_count: int = 1) -> str:
    """Make one; its id."""
    status, data, _ = await client.ask(CONDUITS, method="POST", json={"shard_count": shard_count})
    assert status == 200
    return str(data["data"][0]["id"])


def websocket(session_id: str, shard_id: str = "0") -> dict[str, Any]:
    return {"id": shard_id, "transport": {"method": "websocket", "session_id": session_id}}


def webhook(callback: str, shard_id: str = "0", secret: str = "0123456789") -> dict[str, Any]:
    return {"id": shard_id, "transport": {"method": "webhook", "callback": callback, "secret": secret}}


async def assign(client: Client, conduit_id: str, *shards: dict[str, Any]) -> tuple[list[Any], list[Any]]:
    """Update shards: those that were, and the errors."""
    body = {"conduit_id": conduit_id, "shards": list(shards)}
    status, data, _ = await client.ask(SHARDS, method="PATCH", json=body)
    assert status == 202
    return data["data"], data["errors"]


async def shards(client: Client, conduit_id: str, **query: str) -> list[Any]:
    status, data, _ = await client.ask(SHARDS, {"conduit_id": conduit_id, **query})
    assert status == 200
    return list(data["data"])


async def statuses(client: Client, conduit_id: str) -> list[str]:
    return [shard["status"] for shard in await shards(client, conduit_id)]


async def subscribed(sim: Simulator, conduit_id: str, login: str = "ada", type_: str = "stream.online") -> Subscription:
    channel = sim.state.find(login) or sim.add_channel(login)
    return await sim.subscribe(channel.user_id, type_, conduit_id=conduit_id)


@asynccontextmanager
async def fed(
    session: aiohttp.ClientSession, sim: Simulator, client: Client, *, query: str = "", autoping: bool = True
) -> AsyncIterator[tuple[Socket, str, Subscription]]:
    """A socket that is shard 0 of a new conduit, subscribed to the streams of ada."""
    conduit_id = await conduit(client)
    async with connected(session, sim, query=query, autoping=autoping) as socket:
        _, errors = await assign(client, conduit_id, websocket(socket.id))
        assert not errors
        yield socket, conduit_id, await subscribed(sim, conduit_id)
