"""The control port's request about who is who (docs/control.md)."""

from __future__ import annotations

import msgspec
from aiohttp import web

from itsjustintv_desktop.engine.control.actions import ChannelActions


def channel_routes(actions: ChannelActions) -> list[web.RouteDef]:
    async def channels(_: web.Request) -> web.Response:
        return web.Response(body=msgspec.json.encode(await actions.channels()), content_type="application/json")

    return [web.get("/v1/channels", channels)]
