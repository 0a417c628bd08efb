"""A receiver that tells back everything it was sent, in every spelling a server might choose."""

from __future__ import annotations

import base64
import html
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote

from aiohttp import web

from tests.support.ports import free_port


class Echo:
    """The answer's status is the number after `/status-` in the path, else 500."""

    def __init__(self) -> None:
        self.port = free_port()
        self.signatures: set[str] = set()
        """What it was signed with, without the name of the scheme."""
        self.seen: Counter[str] = Counter()
        """POSTs by the first part of their path."""

    async def handle(self, request: web.Request) -> web.Response:
        await request.read()
        first = request.path.split("/")[1]
        self.seen[first] += 1
        for name in ("X-Hub-Signature-256", "webhook-signature"):
            if name in request.headers:
                self.signatures.add(request.headers[name].replace(",", "=", 1).partition("=")[2])
        status = int(first.rpartition("-")[2]) if first.startswith("status-") else 500
        headers = "\n".join(f"{name}: {value}" for name, value in request.headers.items())
        said = f"cannot POST {request.raw_path}\n{headers}"
        text = "\n".join(
            [said, quote(said), html.escape(said), json.dumps(said), base64.b64encode(said.encode()).decode()]
        )
        more = {"Location": f"https://elsewhere.example{request.raw_path}"} if status // 100 == 3 else {}
        return web.Response(status=status, text=text, headers=more, reason=f"no {request.raw_path}"[:200])


@asynccontextmanager
async def echo() -> AsyncIterator[Echo]:
    made = Echo()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", made.port).start()
    try:
        yield made
    finally:
        await runner.cleanup()
