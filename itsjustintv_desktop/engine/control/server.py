"""The control port: 127.0.0.1, a bearer token, for the commands and (later) other local tools (docs/control.md)."""

from __future__ import annotations

import asyncio
import hmac
import math
import os
import secrets
from collections.abc import Awaitable, Callable
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any

import msgspec
import structlog
from aiohttp import web

from itsjustintv_desktop.engine import redaction
from itsjustintv_desktop.engine.api.api import Api
from itsjustintv_desktop.engine.control import address
from itsjustintv_desktop.engine.control.routes import ROUTES, Route, number
from itsjustintv_desktop.engine.control.stream import EventStream
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import AppError, NotFoundError, UsageError
from itsjustintv_desktop.engine.core.paths import data_directory_error
from itsjustintv_desktop.engine.core.status import Status
from itsjustintv_desktop.engine.core.tasks import Tasks, census
from itsjustintv_desktop.engine.ingress.guard import GuardedConnection, guarded
from itsjustintv_desktop.engine.ingress.listener import listen
from itsjustintv_desktop.engine.ingress.places import Limits, Places

_log = structlog.get_logger(__name__)

Health = Callable[[], Awaitable[dict[str, Any]]]
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_ADD = {"GET": web.get, "POST": web.post, "DELETE": web.delete}
_NUMBERS = frozenset({"delivery_id", "event_id"})
"""What a path has numbers for."""
_LIMITS = Limits(connections=64, idle=30.0, answer=math.inf)
"""An answer may take as long as it takes: only who has the token gets one, and a stream of events never ends."""


class ControlServer:
    """Serves the Api (routes.py) and the detailed health to whoever can read control.json."""

    def __init__(self, api: Api, health: Health, stream: EventStream, path: Path, clock: Clock) -> None:
        self._api = api
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
                *(_ADD[route.method](f"/v1{route.path}", self._handler(route)) for route in ROUTES),
                web.post("/v1/deliveries/{id}/{action}", _no_such_action),
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

    def _handler(self, route: Route) -> _Handler:
        """Calls the route's method with what the request says."""

        async def handle(request: web.Request) -> web.Response:
            found = await attrgetter(route.call)(self._api)(**await _arguments(route, request))
            return _answer({route.wrap: found} if route.wrap else {} if route.answer is None else found)

        return handle


async def _no_such_action(_: web.Request) -> web.Response:
    raise NotFoundError("There is no such action: retry, drop or resend.")


async def _arguments(route: Route, request: web.Request) -> dict[str, Any]:
    """Raises UsageError."""
    found: dict[str, Any] = {}
    for name in route.in_path:
        given = request.match_info[name]
        found[name] = number(given) if name in _NUMBERS else given
    for each in route.query:
        if each.name in request.query:
            given_all = [each.read(text) for text in request.query.getall(each.name)]
            found[each.parameter] = given_all if each.to else given_all[0]
    if route.body is not None:
        try:
            body = msgspec.json.decode(await request.read() or b"{}", type=route.body.type)
        except msgspec.DecodeError as error:
            raise UsageError(route.body.sentence) from error
        found |= msgspec.structs.asdict(body)
    return found


def _answer(body: object, status: int = 200) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(body), content_type="application/json")
