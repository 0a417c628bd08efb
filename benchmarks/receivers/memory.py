"""The yardstick: a plain aiohttp handler that verifies, parses, and remembers message ids in memory only."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json

from aiohttp import web

from benchmarks.messages import SECRET

_seen: set[str] = set()


async def receive(request: web.Request) -> web.Response:
    body = await request.read()
    headers = request.headers
    message_id = headers["Twitch-Eventsub-Message-Id"]
    message = message_id.encode() + headers["Twitch-Eventsub-Message-Timestamp"].encode() + body
    expected = "sha256=" + hmac.new(SECRET.encode(), message, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, headers["Twitch-Eventsub-Message-Signature"]):
        return web.Response(status=403)
    json.loads(body)
    _seen.add(message_id)
    return web.Response(status=204)


async def main() -> None:
    app = web.Application()
    app.router.add_post("/twitch", receive)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"ready http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
