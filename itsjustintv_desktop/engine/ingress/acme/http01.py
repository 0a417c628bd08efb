"""A second, plain listener that is there only while an authority looks at us by http-01 (RFC 8555 8.3)."""

from __future__ import annotations

import asyncio

from aiohttp import web

from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import CertificateError, os_sentence
from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.engine.ingress.guard import GuardedServer
from itsjustintv_desktop.engine.ingress.listener import listen
from itsjustintv_desktop.engine.ingress.places import Limits, Places
from itsjustintv_desktop.engine.ingress.wellknown import WellKnownTokens

_KIND = "acme-challenge"
_BELOW = f"/.well-known/{_KIND}/"
_LIMITS = Limits(connections=64, body_bytes=1024)
_SERVER = {"Server": "itsjustintv"}


class HttpChallenge:
    """Implements `order.Presenter`. Knows the challenges that are open, and answers 404 to all else."""

    def __init__(self, well_known: WellKnownTokens, clock: Clock, host: str, port: int) -> None:
        self._well_known = well_known
        self._places = Places("http-01", _LIMITS, clock)
        self._host = host
        self._port = port
        self._open: dict[str, bytes] = {}
        self._tasks = Tasks()
        self._guarded: GuardedServer | None = None
        self._listener: asyncio.Server | None = None

    async def show(self, domain: str, token: str, key_authorization: str) -> None:
        """Listen, and serve this token. Raises CertificateError of kind "http_port"."""
        self._open[token] = key_authorization.encode()
        self.refresh()
        if self._listener is None:
            await self._listen()

    def refresh(self) -> None:
        """Call it more often than once a minute: no answer is served longer than that by itself."""
        for token, body in self._open.items():
            self._well_known.publish(_KIND, token, body)

    async def clear(self) -> None:
        self._open.clear()
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        if self._guarded is not None:
            self._guarded.pre_shutdown()
            await self._guarded.shutdown(1.0)
            self._guarded = None
        self._places.close()
        await self._tasks.stop()

    async def _listen(self) -> None:
        guarded = GuardedServer(self._handle, _LIMITS, self._places)
        try:
            self._listener = await listen(guarded, host=self._host, port=self._port)
        except OSError as error:
            why = os_sentence(error) if error.errno else "this machine has no such address, or another program uses it"
            raise CertificateError(
                f"Cannot listen on {self._host} port {self._port}: {why}", kind="http_port"
            ) from error
        self._guarded = guarded
        self._tasks.start("acme.http.sweep", self._places.sweep())

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.raw_path.partition("?")[0]
        body = self._well_known.find(path) if path.startswith(_BELOW) else None
        if body is None:
            return web.Response(status=404, headers=_SERVER)
        if request.method not in {"GET", "HEAD"}:
            return web.Response(status=405, headers={**_SERVER, "Allow": "GET, HEAD"})
        headers = {**_SERVER, "X-Content-Type-Options": "nosniff"}
        return web.Response(body=body, content_type="text/plain", charset="utf-8", headers=headers)
