"""The public port with a certificate of its own, in front of the port Pebble comes to, and a proxy before Pebble."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import random
import ssl
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from aiohttp import web
from cryptography import x509

from itsjustintv_desktop.engine.config.active import ActiveConfig
from itsjustintv_desktop.engine.config.schema import Config, Server, Tls
from itsjustintv_desktop.engine.core.clock import SystemClock
from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.engine.ingress.acme import AcmeTransport
from itsjustintv_desktop.engine.ingress.eventsub_verifier import EventSubVerifier
from itsjustintv_desktop.engine.ingress.intake import EventIntake
from itsjustintv_desktop.engine.ingress.public import PublicServer
from itsjustintv_desktop.engine.ingress.wellknown import WellKnownTokens
from itsjustintv_desktop.engine.storage.ledger import Ledger
from tests.engine.ingress.acme.pebble import Pebble
from tests.support.clock import FakeClock
from tests.support.holding import holding
from tests.support.waiting import until


class Rig:
    """What a test steers: `server` is the [server] table, `clock` moves with `settle` and `advance`."""

    def __init__(self, authority: Pebble, folder: Path) -> None:
        self.authority = authority
        self.clock = FakeClock(time.time())
        self.folder = folder / "acme_certs"
        self.name = f"n{random.randrange(10**9)}.example.com"
        self.holder = holding()
        self.server = Server(
            listen_addr="127.0.0.1",
            port=authority.tls_port,
            tls=Tls(
                enabled=True,
                domains=(self.name,),
                directory_url=authority.directory,
                http_port=authority.http_port,
            ),
        )
        self.staging: dict[str, str] = {}
        self.environ: Mapping[str, str] = authority.environ
        self.changes = 0
        self.tasks = Tasks()
        self.well_known = WellKnownTokens(self.clock)
        self.way = self._make()
        self.public = self._port()
        self.address = ("", 0)
        self._running: asyncio.Task[None] | None = None

    @property
    def server(self) -> Server:
        return self.holder.current.config.server

    @server.setter
    def server(self, made: Server) -> None:
        self.holder.current = ActiveConfig(Config(server=made), {})

    def change(self, **changes: Any) -> None:
        """Other values for [server.tls]."""
        tls = msgspec.structs.replace(self.server.tls, **changes)
        self.server = msgspec.structs.replace(self.server, tls=tls)

    async def listen(self) -> None:
        self.address = await self.public.start("127.0.0.1", self.authority.tls_port, self.way.context)

    async def again(self) -> None:
        """The program is started anew on the same files."""
        await self.stop()
        await self.public.stop()
        self.way = self._make()
        self.public = self._port()
        await self.listen()

    def begin(self) -> None:
        self._running = self.tasks.start("test.way", self.way.run())

    async def stop(self) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait({self._running})
            self._running = None

    async def close(self) -> None:
        await self.stop()
        await self.way.close()
        await self.public.stop()
        await self.tasks.stop()

    async def settle(self, condition: Callable[[], Any], *, what: str = "") -> None:
        """Let short waits of the clock pass until the condition holds; long ones (a minute and more) stay."""

        def met() -> Any:
            if (sleeping := self.clock.sleeping) and sleeping[0] < 10:
                self.clock.advance(sleeping[0])
            return condition()

        await until(met, timeout=20.0, what=what or f"the way is {self.way.status}")

    async def reaches(self, code: str) -> None:
        """Until the way is in the named state."""
        try:
            await self.settle(lambda: self.way.status.code == code)
        except AssertionError:
            raise AssertionError(f"not {code}, but {self.way.status}") from None

    async def next_try(self) -> float:
        """Sleep until the next look; gives how many seconds that were."""
        await self.settle(lambda: self.clock.sleeping and self.clock.sleeping[0] >= 10)
        wait = self.clock.sleeping[0]
        self.clock.advance(wait)
        return wait

    async def retry_all(self, condition: Callable[[], Any]) -> None:
        """Let all waits pass, long ones too, until the condition holds."""

        def met() -> Any:
            if not (found := condition()) and self.clock.sleeping:
                self.clock.advance(self.clock.sleeping[0])
            return found

        await until(met, timeout=20.0, what=f"the way is {self.way.status}")

    async def shown(self, name: str = "", protocols: tuple[str, ...] = ()) -> tuple[x509.Certificate, str | None]:
        """The certificate a client is shown, and the protocol agreed on."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if protocols:
            context.set_alpn_protocols(list(protocols))
        _, writer = await asyncio.open_connection(*self.address, ssl=context, server_hostname=name or self.name)
        found = writer.get_extra_info("ssl_object")
        seen = x509.load_der_x509_certificate(found.getpeercert(True)), found.selected_alpn_protocol()
        writer.close()
        await writer.wait_closed()
        return seen

    def _make(self) -> AcmeTransport:
        return AcmeTransport(
            self.clock,
            self._changed,
            config=self.holder,
            folder=self.folder,
            well_known=self.well_known,
            local_address=lambda: self.address,
            environ=self.environ,
            staging=self.staging,
        )

    def _port(self) -> PublicServer:
        judge = EventSubVerifier(lambda: (b"a secret of the tests",), self.clock, lambda: 0.0)
        clock = SystemClock()
        intake = EventIntake(Ledger(self.folder / "ledger.db", clock), clock)  # nothing comes in
        return PublicServer(judge, intake, well_known=self.well_known, healthy=lambda: True, clock=clock)

    def _changed(self) -> None:
        self.changes += 1


class Proxy:
    """Stands between us and Pebble: counts, refuses with a problem document, or holds answers back."""

    def __init__(self, authority: Pebble) -> None:
        self._authority = authority
        self.asked: list[str] = []
        """The first part of each path, in order."""
        self.refuse: dict[str, tuple[int, dict[str, Any], dict[str, str]]] = {}
        """First part of a path -> status, body and headers to answer instead."""
        self.refuse_first: dict[str, list[tuple[int, dict[str, Any], dict[str, str]]]] = {}
        """The same for as many requests as there are entries."""
        self.nonces: list[str] = []
        """Those of all signed requests, in order."""
        self.held: set[str] = set()
        """First parts of paths whose answers are held back until `let_go`."""
        self.endless: set[str] = set()
        """First parts of paths whose answers do not end."""
        self._go = asyncio.Event()
        self.port = 0
        self._runner: web.ServerRunner | None = None
        self._session: aiohttp.ClientSession | None = None

    @property
    def directory(self) -> str:
        return f"https://127.0.0.1:{self.port}/dir"

    def count(self, part: str) -> int:
        return self.asked.count(part)

    def lead_to(self, authority: Pebble) -> None:
        """To another authority from now on, one that never heard of us."""
        self._authority = authority

    def let_go(self) -> None:
        """What was held goes on, and nothing more is held."""
        self.held.clear()
        self._go.set()

    async def __aenter__(self) -> Proxy:
        files = self._authority.files
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=files.trust()))
        self._server = web.Server(self._hand_on)
        self._runner = web.ServerRunner(self._server, shutdown_timeout=0.1)
        await self._runner.setup()
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(files.cert, files.key)
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        assert self._session is not None
        connections = [handler.transport for handler in self._server.connections]
        await self._runner.cleanup()
        for transport in connections:
            if transport is not None:
                transport.abort()  # the other side keeps its connections and would not say goodbye in time
        await _end(self._session)

    async def _hand_on(self, request: web.BaseRequest) -> web.StreamResponse:
        part = request.path.split("/")[1]
        self.asked.append(part)
        if part in self.held:
            await self._go.wait()
        body = await request.read()
        if body:
            protected = msgspec.json.decode(body)["protected"]
            self.nonces.append(msgspec.json.decode(base64.urlsafe_b64decode(protected + "=="))["nonce"])
        first = self.refuse_first.get(part)
        refusal = first.pop(0) if first else self.refuse.get(part)
        if refusal is not None:
            status, problem, extra = refusal
            return web.json_response(problem, status=status, headers=extra, content_type="application/problem+json")
        if part in self.endless:
            return await _without_end(request)
        assert self._session is not None
        # With our Host, so that every address Pebble makes leads here.
        kept = {
            name: request.headers[name] for name in ("Host", "Content-Type", "User-Agent") if name in request.headers
        }
        address = f"https://127.0.0.1:{self._authority.port}{request.path_qs}"
        async with self._session.request(request.method, address, data=body, headers=kept) as answer:
            skip = {"transfer-encoding", "content-length", "connection", "content-encoding"}
            headers = [(name, value) for name, value in answer.headers.items() if name.lower() not in skip]
            content = await answer.read()
        response = web.Response(status=answer.status, body=content)
        response.headers.update(headers)
        return response


async def _without_end(request: web.BaseRequest) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    with contextlib.suppress(ConnectionError):
        while request.transport is not None and not request.transport.is_closing():
            await response.write(b" " * 65536)
            await asyncio.sleep(0)  # a connection that was just lost takes all without waiting
    return response


def refusing(code: str, detail: str, *, status: int = 403, headers: dict[str, str] | None = None) -> Any:
    """A problem document (RFC 7807) for `Proxy.refuse`."""
    return status, {"type": f"urn:ietf:params:acme:error:{code}", "detail": detail}, headers or {}


async def _end(session: aiohttp.ClientSession) -> None:
    """At once: a TLS connection that still says goodbye would outlive the loop."""
    assert session.connector is not None
    await session.connector.close(abort_ssl=True)
    await session.close()
