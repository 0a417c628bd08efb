"""A server on this machine that says which version is the newest, with a throw-away key."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from itsjustintv_desktop.engine.monitoring.updates.manifest import Manifest, encode

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Key:
    """A pair of its own."""

    def __init__(self) -> None:
        self.private = Ed25519PrivateKey.generate()
        self.public = self.private.public_key().public_bytes_raw()

    def sign(self, raw: bytes) -> bytes:
        return base64.b64encode(self.private.sign(raw)) + b"\n"


def manifest(version: str = "99.0.0", *, now: float, days: float = 180.0, **details: Any) -> Manifest:
    """One that is good for so many days."""
    today = datetime.fromtimestamp(now, UTC)
    given: dict[str, Any] = {
        "version": version,
        "released": today - timedelta(days=1),
        "expires": today + timedelta(days=days),
        "download_url": f"https://example.org/releases/{version}",
        "notes_url": f"https://example.org/notes/{version}",
    }
    return Manifest(**{**given, **details})


class Versions:
    """`raw` and `signatures` are what it hands out; `answer` takes their place for every request."""

    def __init__(self) -> None:
        self.key = Key()
        self.raw = b""
        self.signatures = b""
        self.answer: Answer | None = None
        self.asked: list[web.Request] = []
        self.url = ""

    def publish(self, what: Manifest, *keys: Key) -> None:
        """Signed by these keys, else by its own."""
        self.raw = encode(what)
        self.signatures = b"".join(key.sign(self.raw) for key in keys or (self.key,))

    @property
    def count(self) -> int:
        """How often the manifest itself was asked for."""
        return sum(request.path == "/latest.json" for request in self.asked)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        if self.answer is not None:
            return await self.answer(request)
        return web.Response(body=self.signatures if request.path.endswith(".sig") else self.raw)


@asynccontextmanager
async def versions(tls: ssl.SSLContext | None = None) -> AsyncIterator[Versions]:
    """It listens on a free port, over https if it is given a context."""
    made = Versions()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.handle)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    host, port = runner.addresses[0][:2]
    made.url = f"{'http' if tls is None else 'https'}://{host}:{port}/latest.json"
    try:
        yield made
    finally:
        await runner.cleanup()


async def silence(_: web.Request) -> web.StreamResponse:
    """Never answers."""
    await asyncio.Event().wait()
    return web.Response()


async def not_there(_: web.Request) -> web.StreamResponse:
    """Has nothing."""
    return web.Response(status=404)
