"""The control port: 127.0.0.1, a bearer token, for the commands and (later) other local tools (docs/control.md)."""

from __future__ import annotations

import asyncio
import hmac
import math
import os
import secrets
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import structlog
from aiohttp import web

from itsjustintv_desktop.engine import redaction
from itsjustintv_desktop.engine.api.events import KINDS, EventKind
from itsjustintv_desktop.engine.control import address
from itsjustintv_desktop.engine.control.actions import Actions
from itsjustintv_desktop.engine.control.channel_routes import channel_routes
from itsjustintv_desktop.engine.control.conduit_routes import conduit_routes
from itsjustintv_desktop.engine.control.doctor_routes import doctor_routes
from itsjustintv_desktop.engine.control.pause_routes import pause_routes
from itsjustintv_desktop.engine.control.stream import EventStream
from itsjustintv_desktop.engine.control.subscription_routes import subscription_routes
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import AppError, NotFoundError, UsageError
from itsjustintv_desktop.engine.core.models import DeliveryState
from itsjustintv_desktop.engine.core.paths import data_directory_error
from itsjustintv_desktop.engine.core.status import Status
from itsjustintv_desktop.engine.core.tasks import Tasks, census
from itsjustintv_desktop.engine.ingress.guard import GuardedConnection, guarded
from itsjustintv_desktop.engine.ingress.listener import listen
from itsjustintv_desktop.engine.ingress.places import Limits, Places

_log = structlog.get_logger(__name__)

Health = Callable[[], Awaitable[dict[str, Any]]]
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_LIMITS = Limits(connections=64, idle=30.0, answer=math.inf)
"""An answer may take as long as it takes: only who has the token gets one, and a stream of events never ends."""


class ControlServer:
    """Serves `actions` and the detailed health to whoever can read control.json."""

    def __init__(self, actions: Actions, health: Health, stream: EventStream, path: Path, clock: Clock) -> None:
        self._actions = actions
        self._health = health
        self._stream = stream
        self._path = path
        self._token = secrets.token_urlsafe(32)
        redaction.learn(self._token)
        self._places = Places("control", _LIMITS, clock)
        self._runner: web.AppRunner | None = None
        self._announced: address.ControlAddress | None = None
        self._listener: asyncio.Server | None = None
        self._tasks = Tasks()

    async def start(self) -> None:
        """Listen on a free port of 127.0.0.1 and write control.json. Raises DataDirectoryError."""
        app = web.Application(middlewares=[self._guard], client_max_size=65536)
        app.add_routes(
            [
                web.get("/v1/health", self._get_health),
                web.get("/v1/stream", self._stream.serve, allow_head=False),
                web.get("/v1/deliveries", self._list),
                web.get("/v1/destinations", self._destinations),
                web.post("/v1/deliveries/{id}/{action}", self._act),
                web.post("/v1/test-events", self._test_event),
                web.get("/v1/events", self._events),
                web.get("/v1/events/{id}", self._event),
                web.post("/v1/events/{id}/send-anyway", self._send_anyway),
                *pause_routes(self._actions),
                *subscription_routes(self._actions),
                *conduit_routes(self._actions),
                *doctor_routes(self._actions),
                *channel_routes(self._actions),
            ]
        )
        self._runner = web.AppRunner(app, shutdown_timeout=2.0)
        await self._runner.setup()
        server = self._runner.server
        assert server is not None
        self._listener = await listen(
            lambda: GuardedConnection(server, self._places, _LIMITS), host="127.0.0.1", port=0
        )
        self._tasks.start("control.sweep", self._places.sweep())
        port = self._listener.sockets[0].getsockname()[1]
        self._announced = address.ControlAddress(port=port, token=self._token, pid=os.getpid())
        try:
            await self.keep()
        except OSError as error:
            self._announced = None
            raise data_directory_error("control.json cannot be written", error) from error

    async def keep(self) -> bool:
        """Write control.json if it does not name us: True. Raises OSError."""
        ours = self._announced
        return ours is not None and await asyncio.to_thread(address.keep, self._path, ours)

    async def stop(self) -> None:
        ours, self._announced = self._announced, None
        if ours is not None:
            await asyncio.to_thread(address.remove, self._path, ours)
        self._stream.close()
        if self._listener is not None:
            self._listener.close()
        if self._runner is not None:
            await self._runner.cleanup()
        self._places.close()
        await self._tasks.stop()

    def health(self) -> Status | None:
        """For health: whether more programs want to connect than may."""
        return self._places.health()

    @web.middleware
    async def _guard(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        return await guarded(partial(self._admit, handler), request)

    async def _admit(self, handler: _Handler, request: web.BaseRequest) -> web.StreamResponse:
        assert isinstance(request, web.Request)
        given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, f"Bearer {self._token}".encode()):
            return _answer({"title": "Not allowed", "message": "The token of control.json is needed."}, 401)
        # A web page in the owner's browser must not get here, even if it learned the token.
        if request.headers.get("Host", "").partition(":")[0] != "127.0.0.1" or "Origin" in request.headers:
            return _answer({"title": "Not allowed", "message": "Only local programs may ask here."}, 403)
        connection = request.protocol
        assert isinstance(connection, GuardedConnection)
        connection.place.proven = True
        try:
            return await handler(request)
        except AppError as error:
            status = 404 if isinstance(error, NotFoundError) else 409 if isinstance(error, UsageError) else 503
            kind = type(error).__name__
            message = redaction.redact(error.message)
            return _answer({"kind": kind, "title": error.title, "message": message}, status)

    async def _get_health(self, _: web.Request) -> web.Response:
        return _answer({**await self._health(), "tasks": census()})

    async def _list(self, request: web.Request) -> web.Response:
        query = request.query
        page = await self._actions.deliveries(
            before=_number(query["before"]) if "before" in query else None,
            states=[_state(name) for name in query.getall("state", [])],
            streamer=query.get("streamer"),
            destination=query.get("destination"),
            limit=_number(query.get("limit", "200")),
        )
        return _answer(page)

    async def _destinations(self, _: web.Request) -> web.Response:
        return _answer(await self._actions.destinations())

    async def _act(self, request: web.Request) -> web.Response:
        actions = {"retry": self._actions.retry, "drop": self._actions.drop, "resend": self._actions.resend}
        action = actions.get(request.match_info["action"])
        if action is None:
            raise NotFoundError("There is no such action: retry, drop or resend.")
        return _answer(await action(_number(request.match_info["id"])))

    async def _test_event(self, request: web.Request) -> web.Response:
        try:
            asked = msgspec.json.decode(await request.read(), type=_TestEvent)
        except msgspec.DecodeError as error:
            raise UsageError('A body like {"login": "name"} is needed.') from error
        return _answer({"event_id": await self._actions.test_event(asked.login)})

    async def _events(self, request: web.Request) -> web.Response:
        query = request.query
        page = await self._actions.events(
            before=_number(query["before"]) if "before" in query else None,
            kinds=[_kind(name) for name in query.getall("kind", [])],
            streamer=query.get("streamer"),
            limit=_number(query.get("limit", "200")),
        )
        return _answer(page)

    async def _event(self, request: web.Request) -> web.Response:
        return _answer(await self._actions.event_report(_number(request.match_info["id"])))

    async def _send_anyway(self, request: web.Request) -> web.Response:
        return _answer(await self._actions.send_anyway(_number(request.match_info["id"])))


class _TestEvent(msgspec.Struct):
    login: str


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise UsageError("A whole number is needed.")
    return int(text)


def _state(name: str) -> DeliveryState:
    try:
        return DeliveryState(name)
    except ValueError:
        raise UsageError(f"{name!r} is no state: {', '.join(DeliveryState)}.") from None


def _kind(name: str) -> EventKind:
    for kind in KINDS:
        if kind == name:
            return kind
    raise UsageError(f"{name!r} is no kind: {', '.join(KINDS)}.")


def _answer(body: object, status: int = 200) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(body), content_type="application/json")
