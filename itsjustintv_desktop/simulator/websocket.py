"""wss://eventsub.wss.twitch.tv/ws: sessions that live over one connection or, after session_reconnect, the next.

https://dev.twitch.tv/docs/eventsub/handling-websocket-events/
"""

from __future__ import annotations

import asyncio
import secrets
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from itsjustintv_desktop.simulator import messages
from itsjustintv_desktop.simulator.answers import RefusedError, problem, reset_connection
from itsjustintv_desktop.simulator.background import Background
from itsjustintv_desktop.simulator.faults import Faults
from itsjustintv_desktop.simulator.shards import ShardStatus
from itsjustintv_desktop.simulator.state import State

SHORTEST, LONGEST = 10, 600
"""Seconds of silence a client may ask for; without a wish it is the shortest."""
INBOUND, PING_PONG, UNUSED, GRACE_EXPIRED, TIMEOUT, INVALID_RECONNECT = 4001, 4002, 4003, 4004, 4005, 4007
CLOSINGS: dict[int, tuple[str, ShardStatus]] = {
    4000: ("internal server error", ShardStatus.INTERNAL_ERROR),
    INBOUND: ("client sent inbound traffic", ShardStatus.INBOUND_TRAFFIC),
    PING_PONG: ("client failed ping-pong", ShardStatus.FAILED_PING_PONG),
    UNUSED: ("connection unused", ShardStatus.DISCONNECTED),
    GRACE_EXPIRED: ("reconnect grace time expired", ShardStatus.FAILED_TO_RECONNECT),
    TIMEOUT: ("network timeout", ShardStatus.NETWORK_TIMEOUT),
    4006: ("network error", ShardStatus.NETWORK_ERROR),
    INVALID_RECONNECT: ("invalid reconnect", ShardStatus.FAILED_TO_RECONNECT),
}
"""Close codes: what they say, and what becomes of the shard."""
_GOODBYE_SECONDS = 1.0
_PING_SECONDS = 60.0


@dataclass(eq=False, slots=True)
class SocketConnection:
    """One WebSocket. `written_at` is Unix seconds of the last message over it."""

    request: web.Request
    socket: web.WebSocketResponse
    written_at: float
    ponged: asyncio.Event = field(default_factory=asyncio.Event)
    closing: bool = False
    closed: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(eq=False, slots=True)
class Session:
    """What a shard names as its transport. Events go over `connection`, the newest that was welcomed."""

    id: str
    connected_at: str
    keepalive_timeout: int
    connection: SocketConnection
    assigned: bool = False
    """Whether a shard named it, ever: one that none names within 10 s is closed."""
    challenge: str = ""
    """The secret in the address it was asked to reconnect to."""

    def public(self, status: str, reconnect_url: str | None = None) -> dict[str, Any]:
        """The object as Twitch shows it in a welcome and in session_reconnect (which has no keepalive timeout)."""
        return {
            "id": self.id,
            "status": status,
            "connected_at": self.connected_at,
            "keepalive_timeout_seconds": self.keepalive_timeout if reconnect_url is None else None,
            "reconnect_url": reconnect_url,
            "recovery_url": None,
        }


class Sockets:
    """All sessions that live, oldest first. `on_end` hears of each that ended, and how its shard is now."""

    def __init__(
        self,
        state: State,
        faults: Faults,
        *,
        unused_after: float = 10.0,
        reconnect_grace: float = 30.0,
        answer_timeout: float = 10.0,
    ) -> None:
        """Seconds; the first two by the simulator's clock, the last (a write, a pong) by the machine's."""
        self.url = ""
        self.on_end: Callable[[Session, ShardStatus], None] | None = None
        self._state = state
        self._faults = faults
        self._unused_after = unused_after
        self._reconnect_grace = reconnect_grace
        self._answer_timeout = answer_timeout
        self._sessions: dict[str, Session] = {}
        self._connections: set[SocketConnection] = set()
        self._tasks = Background()

    def __iter__(self) -> Iterator[Session]:
        return iter(list(self._sessions.values()))

    def __len__(self) -> int:
        return len(self._sessions)

    @property
    def connections(self) -> int:
        """WebSockets that are open: while a client reconnects, a session has two."""
        return len(self._connections)

    def get(self, session_id: str) -> Session | None:
        return self._sessions.get(session_id)

    async def stop(self) -> None:
        """Twitch is gone, without a word."""
        await self.drop()
        await self._tasks.stop()

    async def drop(self, code: int | None = None) -> int:
        """Close all WebSockets with `code`, or cut them with a TCP reset. Returns how many there were."""
        dropped = list(self._connections)
        for connection in dropped:
            if code is None:
                self._cut(connection, ShardStatus.NETWORK_ERROR)
            else:
                await self._close(connection, code)
        return len(dropped)

    async def ask_reconnect(self) -> int:
        """Tell every session to reconnect. Returns how many were told."""
        asked = list(self)
        for session in asked:
            session.challenge = str(uuid.uuid4())
            url = self._faults.reconnect_url or f"{self.url}?challenge={session.challenge}&id={session.id}"
            details = session.public("reconnecting", url)
            self._tasks.start("simulator.reconnect", self._grace(session.connection))
            await self._write(
                session.connection, messages.session_frame(messages.RECONNECT, self._state.stamp(), details)
            )
        return len(asked)

    async def send(self, session_id: str, frame: str) -> str | None:
        """Write a text frame to a session. Returns what went wrong, in a word; None = it was written."""
        session = self._sessions.get(session_id)
        return "NotConnected" if session is None else await self._write(session.connection, frame)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """GET /ws: a new session, or one that was asked to reconnect."""
        if self._faults.ws_refuse:
            return problem(503, "")
        try:
            keepalive_timeout = _keepalive_timeout(request.query.get("keepalive_timeout_seconds", str(SHORTEST)))
        except RefusedError as refused:
            return problem(refused.status, refused.message)
        # Pings are answered here and not by aiohttp: a silent simulator must not answer any.
        socket = web.WebSocketResponse(autoping=False, timeout=_GOODBYE_SECONDS)
        await socket.prepare(request)
        connection = SocketConnection(request, socket, self._state.clock.now())
        self._connections.add(connection)
        watching: list[asyncio.Task[None]] = []
        try:
            if not self._faults.ws_no_welcome:
                watching = await self._welcome(connection, keepalive_timeout)
            await self._read(connection)
            if connection.closing:  # by another task: the client shall have its close frame before this ends
                await connection.closed.wait()
        finally:
            self._connections.discard(connection)
            for task in watching:
                task.cancel()
            self._end(connection, ShardStatus.DISCONNECTED)
        return socket

    async def _welcome(self, connection: SocketConnection, keepalive_timeout: int) -> list[asyncio.Task[None]]:
        query = connection.request.query
        now = self._state.stamp()
        if "challenge" in query:
            session = self._sessions.get(query.get("id", ""))
            if session is None or not session.challenge or session.challenge != query["challenge"]:
                await self._close(connection, INVALID_RECONNECT)
                return []
            session.challenge = ""
        else:
            session = Session("AgoQ" + secrets.token_urlsafe(24), now, keepalive_timeout, connection)
            self._sessions[session.id] = session
        await self._write(connection, messages.session_frame(messages.WELCOME, now, session.public("connected")))
        if self._sessions.get(session.id) is session:
            session.connection = connection
        watching = [
            self._tasks.start("simulator.keepalive", self._keepalive(connection, session.keepalive_timeout)),
            self._tasks.start("simulator.ping", self._ping(connection)),
        ]
        if not session.assigned:
            watching.append(self._tasks.start("simulator.unused", self._unused(session, connection)))
        return watching

    async def _read(self, connection: SocketConnection) -> None:
        """Until the client leaves. Whatever it says but pings and pongs is too much."""
        while True:
            message = await connection.socket.receive()
            if message.type is aiohttp.WSMsgType.PING:
                if not self._faults.ws_silent:
                    await connection.socket.pong(message.data)
            elif message.type is aiohttp.WSMsgType.PONG:
                connection.ponged.set()
            elif message.type in {aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY}:
                await self._close(connection, INBOUND)
            else:
                return

    async def _keepalive(self, connection: SocketConnection, timeout: int) -> None:
        clock = self._state.clock
        while True:
            silent = clock.now() - connection.written_at
            # Floats: a clock that was moved by exactly the rest may lack a little. Below 0: it was set back.
            if 0 <= silent < timeout - 0.001:
                await clock.sleep(timeout - silent)
                continue
            connection.written_at = clock.now()
            await self._write(connection, messages.session_frame(messages.KEEPALIVE, self._state.stamp()))

    async def _ping(self, connection: SocketConnection) -> None:
        while True:
            await self._state.clock.sleep(_PING_SECONDS)
            if self._faults.ws_silent or connection.socket.closed:
                continue
            connection.ponged.clear()
            try:
                async with asyncio.timeout(self._answer_timeout):
                    await connection.socket.ping()
                    await connection.ponged.wait()
            except ConnectionError:
                return
            except TimeoutError:
                self._tasks.start("simulator.close", self._close(connection, PING_PONG))
                return

    async def _unused(self, session: Session, connection: SocketConnection) -> None:
        await self._state.clock.sleep(self._unused_after)
        if not session.assigned:
            # Closing ends the reading and with it this very task, so another one does it.
            self._tasks.start("simulator.close", self._close(connection, UNUSED))

    async def _grace(self, connection: SocketConnection) -> None:
        await self._state.clock.sleep(self._reconnect_grace)
        if connection in self._connections:
            await self._close(connection, GRACE_EXPIRED)

    async def _write(self, connection: SocketConnection, frame: str) -> str | None:
        if self._faults.ws_silent:
            return "Silent"
        try:
            async with asyncio.timeout(self._answer_timeout):
                await connection.socket.send_str(frame)
        except TimeoutError:
            self._cut(connection, ShardStatus.NETWORK_TIMEOUT)
            return "TimeoutError"
        except ConnectionError as error:
            self._end(connection, ShardStatus.NETWORK_ERROR)
            return type(error).__name__
        connection.written_at = self._state.clock.now()
        return None

    async def _close(self, connection: SocketConnection, code: int) -> None:
        reason, status = CLOSINGS.get(code, ("", ShardStatus.INTERNAL_ERROR))
        self._end(connection, status)
        connection.closing = True
        try:
            await connection.socket.close(code=code, message=reason.encode())
        finally:
            connection.closed.set()

    def _cut(self, connection: SocketConnection, status: ShardStatus) -> None:
        self._end(connection, status)
        reset_connection(connection.request)

    def _end(self, connection: SocketConnection, status: ShardStatus) -> None:
        """The first reason counts. An old connection that the client left for a new one ends nothing."""
        for session in self:
            if session.connection is connection:
                del self._sessions[session.id]
                if self.on_end is not None:
                    self.on_end(session, status)


def _keepalive_timeout(given: str) -> int:
    """The nearest that is allowed. Raises RefusedError for what is no number."""
    try:
        return min(max(int(given), SHORTEST), LONGEST)
    except ValueError:
        raise RefusedError(400, "keepalive_timeout_seconds must be a whole number") from None
