"""The commands' way to a running instance: the Api over the control port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any, cast, get_args
from urllib.parse import quote

import msgspec

from itsjustintv_desktop.engine.control.address import ControlAddress
from itsjustintv_desktop.engine.control.routes import ROUTES, Query, Route
from itsjustintv_desktop.engine.control.stream import StreamLine
from itsjustintv_desktop.engine.core import errors
from itsjustintv_desktop.engine.core.net.client import Options, Outbound
from itsjustintv_desktop.engine.core.net.errors import REQUEST_ERRORS, network_sentence
from itsjustintv_desktop.engine.core.net.limits import parts

if TYPE_CHECKING:
    from itsjustintv_desktop.engine.api.announcements import Announcements
    from itsjustintv_desktop.engine.api.channels import Channels
    from itsjustintv_desktop.engine.api.deliveries import Deliveries
    from itsjustintv_desktop.engine.api.destinations import Destinations
    from itsjustintv_desktop.engine.api.diagnostics import Diagnostics
    from itsjustintv_desktop.engine.api.events import Events
    from itsjustintv_desktop.engine.api.subscriptions import Subscriptions
    from itsjustintv_desktop.engine.ingress.conduit import ConduitManager

_SECONDS = 30.0
_SILENCE = 45.0
"""Three heartbeats of the stream."""
_ROUTE_OF = {route.call: route for route in ROUTES}


class ControlClient:
    """The areas of the Api that can be asked from another process, as far as ROUTES says. Open it as an async context
    manager."""

    def __init__(self, address: ControlAddress) -> None:
        self._url = f"http://127.0.0.1:{address.port}/v1"
        self._headers = {"Authorization": f"Bearer {address.token}"}
        self.announcements = cast("Announcements", _Area(self, "announcements"))
        self.channels = cast("Channels", _Area(self, "channels"))
        self.conduits = cast("ConduitManager", _Area(self, "conduits"))
        self.deliveries = cast("Deliveries", _Area(self, "deliveries"))
        self.destinations = cast("Destinations", _Area(self, "destinations"))
        self.diagnostics = cast("Diagnostics", _Area(self, "diagnostics"))
        self.events = cast("Events", _Area(self, "events"))
        self.subscriptions = cast("Subscriptions", _Area(self, "subscriptions"))

    async def __aenter__(self) -> ControlClient:
        # It asks this machine alone, so no proxy counts.
        self._client = Outbound().client(Options(guarded=False, headers=self._headers))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def health(self) -> dict[str, Any]:
        found: dict[str, Any] = await self._ask("GET", "/health", dict[str, Any])
        return found

    async def stream(self) -> AsyncGenerator[StreamLine, None]:
        """How all is, and then everything that happens; ends when the program stops. Raises ControlError.

        Lines of a kind that this version does not know are left out. Close it (`aclosing`) before the client.
        """
        waits = (_SECONDS, _SILENCE, None, None)
        try:
            async with self._client.stream("GET", self._url + "/stream", timeout=waits) as response:
                if response.status_code >= 400:
                    raise _error(await response.aread())
                rest = b""
                async with parts(response) as pieces:
                    async for piece in pieces:
                        *lines, rest = (rest + piece).split(b"\n")
                        for line in lines:
                            if (found := _line(line)) is not None:
                                yield found
        except REQUEST_ERRORS as error:
            raise _unanswered(error) from error
        except msgspec.DecodeError as error:
            raise _stranger() from error

    async def call(self, route: Route, *args: Any, **named: Any) -> Any:
        """What the route's method answers. Raises AppError: ControlError where it cannot be asked."""
        given = dict(zip(route.parameters, args, strict=False)) | named
        assert given.keys() <= set(route.parameters), f"{route.call} has no such parameter over the control port"
        path = route.path.format(**{name: quote(str(given.pop(name)), safe="") for name in route.in_path})
        query = [pair for each in route.query for pair in _pairs(each, given.pop(each.parameter, None))]
        wire: Any = dict[str, Any] if route.answer is None else route.answer
        if route.wrap:
            wire = dict.__class_getitem__((str, route.answer))
        body = given if route.body is not None else None
        found = await self._ask(route.method, path, wire, query=query, body=body, seconds=route.seconds)
        if not route.wrap:
            return None if route.answer is None else found
        if route.wrap not in found:
            raise _stranger()
        return found[route.wrap]

    async def _ask(
        self,
        method: str,
        path: str,
        answer: Any,
        *,
        query: Sequence[tuple[str, str]] = (),
        body: object = None,
        seconds: float = _SECONDS,
    ) -> Any:
        data = msgspec.json.encode(body) if body is not None else None
        try:
            async with asyncio.timeout(seconds):
                response = await self._client.request(method, self._url + path, params=list(query), content=data)
        except REQUEST_ERRORS as error:
            raise _unanswered(error) from error
        content = response.content
        try:
            if response.status_code >= 400:
                raise _error(content)
            return msgspec.json.decode(content, type=answer)
        except msgspec.DecodeError as error:
            raise _stranger() from error


class _Area:
    """An area of the Api, elsewhere: has the methods of ROUTES."""

    def __init__(self, client: ControlClient, name: str) -> None:
        self._client = client
        self._name = name

    def __getattr__(self, method: str) -> Callable[..., Awaitable[Any]]:
        route = _ROUTE_OF.get(f"{self._name}.{method}")
        if route is None:
            raise AttributeError(method)
        return partial(self._client.call, route)


def _pairs(query: Query, value: Any) -> list[tuple[str, str]]:
    values = value if query.to else [value]
    given = [each for each in values or () if each is not None and each is not False]
    return [(query.name, "true" if each is True else str(each)) for each in given]


class _Problem(msgspec.Struct):
    message: str
    title: str | None = None
    kind: str = ""


class _Kind(msgspec.Struct):
    type: str


def _line(line: bytes) -> StreamLine | None:
    """One line of the stream; None: of a kind not known here. Raises msgspec.DecodeError."""
    try:
        return _decoder().decode(line)
    except msgspec.ValidationError:
        if msgspec.json.decode(line, type=_Kind).type in {each.__struct_config__.tag for each in get_args(StreamLine)}:
            raise
        return None


@cache
def _decoder() -> msgspec.json.Decoder[StreamLine]:
    return msgspec.json.Decoder(StreamLine)


def _unanswered(error: Exception) -> errors.ControlError:
    why = network_sentence(error)
    return errors.ControlError(f"The running program could not be asked: {why}. Is it stopping? Try again.")


def _stranger() -> errors.ControlError:
    return errors.ControlError(
        "Another program answers at the address in control.json, or one of another version. Restart it."
    )


def _error(content: bytes) -> errors.AppError:
    problem = msgspec.json.decode(content, type=_Problem)
    known = getattr(errors, problem.kind, None)
    if isinstance(known, type) and known in {errors.NotFoundError, errors.UsageError, errors.LedgerUnavailableError}:
        return known(problem.message, title=problem.title)
    return errors.ControlError(problem.message, title=problem.title)
