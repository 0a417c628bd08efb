"""The public port: the HTTP contract, and nothing else (docs/http.md)."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
import structlog
from aiohttp import web

from itsjustintv_desktop.engine import redaction
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import (
    AppError,
    LedgerError,
    MessageMalformedError,
    MessageRefusedError,
    SecretsError,
)
from itsjustintv_desktop.engine.core.log_throttle import LogThrottles
from itsjustintv_desktop.engine.core.models import StreamEvent
from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.engine.ingress.eventsub_verifier import EventSubVerifier
from itsjustintv_desktop.engine.ingress.guard import GuardedConnection, GuardedServer, TooLargeError, read_body, refusal
from itsjustintv_desktop.engine.ingress.intake import EventIntake
from itsjustintv_desktop.engine.ingress.listener import Listener
from itsjustintv_desktop.engine.ingress.nocontent import NoContent
from itsjustintv_desktop.engine.ingress.places import Limits, Places
from itsjustintv_desktop.engine.ingress.wellknown import WellKnownTokens
from itsjustintv_desktop.engine.instrumentation import Instrumentation, Taken
from itsjustintv_desktop.engine.twitch.eventsub_messages import Challenge

CALLBACK_PATH = "/twitch"
HEALTH_PATH = "/health"
_SAY_EVERY = 60.0
"""Least seconds between two lines of the log about one kind of refusal: strangers cause most of them."""

_log = structlog.get_logger(__name__)


class PublicServer:
    """Listens for Twitch. `healthy` says whether the engine can keep its promises right now."""

    def __init__(
        self,
        judge: EventSubVerifier,
        intake: EventIntake,
        *,
        well_known: WellKnownTokens,
        healthy: Callable[[], bool],
        clock: Clock,
        limits: Limits | None = None,
        instrumentation: Instrumentation | None = None,
    ) -> None:
        self._instrumentation = instrumentation or Instrumentation()
        self._scheme = "http"
        self._judge = judge
        self._intake = intake
        self._well_known = well_known
        self._healthy = healthy
        self._clock = clock
        self._limits = limits or Limits()
        self.places = Places("public", self._limits, clock)
        self._tasks = Tasks()
        self._guarded: GuardedServer | None = None
        self._listener: Listener | None = None
        self._throttle = LogThrottles(clock, _SAY_EVERY)
        self.refusals = 0
        """Messages refused because their signature or time was wrong."""

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> tuple[str, int]:
        """Listen, and return the address bound (port 0 picks a free one). Raises AddressInUseError."""
        self._guarded = GuardedServer(self._handle, self._limits, self.places)
        self._scheme = "https" if tls else "http"
        self._listener = Listener(self._guarded, self._limits.headers)
        address = await self._listener.open(host, port, tls)
        self._tasks.start("ingress.sweep", self.places.sweep())
        return address

    async def move(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> tuple[str, int]:
        """Listen there from now on. Connections live on. Raises AddressInUseError: all is as before."""
        assert self._listener is not None
        address = await self._listener.move(host, port, tls)
        self._scheme = "https" if tls else "http"
        return address

    async def stop(self) -> None:
        """Stop listening, let requests under way finish (2 s), close the rest."""
        if self._listener is not None:
            self._listener.close()
        if self._guarded is not None:
            self._guarded.pre_shutdown()
            await self._guarded.shutdown(2.0)
        self.places.close()
        await self._tasks.stop()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.raw_path.partition("?")[0]
        if path == CALLBACK_PATH:
            if request.method != "POST":
                return _empty(405, {"Allow": "POST"})
            if self._instrumentation.observer is not None:
                return await self._observed(request)
            return await self._receive(request)
        if path == HEALTH_PATH:
            if request.method not in {"GET", "HEAD"}:
                return _empty(405, {"Allow": "GET, HEAD"})
            return self._health()
        if (body := self._well_known.find(path)) is not None:
            if request.method not in {"GET", "HEAD"}:
                return _empty(405, {"Allow": "GET, HEAD"})
            return _text(body)
        return _empty(404)

    async def _observed(self, request: web.BaseRequest) -> web.StreamResponse:
        """`_receive`, told to whoever measures."""
        began, note = self._clock.monotonic(), _Note()
        response = await self._receive(request, note)
        ended, seconds = self._clock.now(), self._clock.monotonic() - began
        # In the next turn of the loop: the answer goes out first.
        asyncio.get_running_loop().call_soon(self._tell_observer, response.status, note, ended, seconds)
        return response

    def _tell_observer(self, status: int, note: _Note, ended: float, seconds: float) -> None:
        if (observer := self._instrumentation.observer) is not None:
            observer.answered(status, self._scheme, note.event, note.outcome, ended=ended, seconds=seconds)

    async def _receive(self, request: web.BaseRequest, note: _Note | None = None) -> web.StreamResponse:
        try:
            body = await read_body(request, self._limits)
        except TooLargeError:
            return refusal(413)
        except TimeoutError:
            return refusal(408)
        except (ConnectionError, web.RequestPayloadError):
            return refusal(400)  # it broke off: mostly nobody is there to read this
        try:
            message = self._judge.judge(request.headers, body)
            connection = request.protocol
            assert isinstance(connection, GuardedConnection)
            connection.place.proven = True
            if isinstance(message, Challenge):
                redaction.learn_passing(message.text)
                _log.info("Twitch asked whether this address is ours", subscription=message.subscription_id)
                return _text(message.text.encode())
            if note is None:
                await self._intake.submit(message, by_post=True)
            else:
                note.event = message
                note.outcome = "new" if await self._intake.submit(message, by_post=True) else "known"
        except MessageRefusedError as error:
            self.refusals += 1
            self._tell(_log.warning, "a message was refused", error, error.kind)
            return _empty(403)
        except MessageMalformedError as error:
            self._tell(_log.warning, "a signed message could not be read", error, "malformed")
            return _empty(400)
        except (SecretsError, LedgerError) as error:
            kind = type(error).__name__
            # Right after the start the secret is not there yet: nothing is wrong then.
            log = _log.error if isinstance(error, LedgerError) else _log.warning
            self._tell(log, "a message could not be taken; Twitch will send it again", error, kind)
            return _empty(503)
        return _NO_CONTENT if NoContent.suits(request) else _empty(204)

    def _tell(self, log: Callable[..., None], text: str, error: AppError, kind: str) -> None:
        """One line each now and then for every kind, so that no kind can hide another."""
        left_out = self._throttle.due(kind)
        if left_out is not None:
            more = {"more_since_last": left_out} if left_out else {}
            log(text, reason=error.message, **more)

    def _health(self) -> web.Response:
        healthy = self._healthy()
        body = {
            "status": "healthy" if healthy else "unhealthy",
            "service": "itsjustintv",
            "timestamp": datetime.fromtimestamp(self._clock.now(), UTC).isoformat(),
        }
        return web.Response(
            status=200 if healthy else 503,
            body=msgspec.json.encode(body),
            content_type="application/json",
            headers=_SERVER,
        )


class _Note:
    """What a message said and what became of it, for whoever measures."""

    event: StreamEvent | None = None
    outcome: Taken = "failed"


_NAME = "itsjustintv"
_SERVER = {"Server": _NAME}
_NO_CONTENT = NoContent(_NAME)


def _empty(status: int, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(status=status, headers=_SERVER | headers if headers else _SERVER)


def _text(body: bytes) -> web.Response:
    return web.Response(
        body=body,
        content_type="text/plain",
        charset="utf-8",
        headers={**_SERVER, "X-Content-Type-Options": "nosniff"},
    )
