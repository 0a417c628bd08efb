"""The control port's requests about pausing (docs/control.md)."""

from __future__ import annotations

import msgspec
from aiohttp import web

from itsjustintv_desktop.engine.control.pausing import PauseActions, Paused
from itsjustintv_desktop.engine.core.errors import UsageError


class _Until(msgspec.Struct):
    until: float | None = None


class _Why(msgspec.Struct):
    reason: str = ""


def pause_routes(actions: PauseActions) -> list[web.RouteDef]:
    """Of announcements: look, begin, end; of one destination: begin, end."""

    async def look(_: web.Request) -> web.Response:
        return _answer(Paused(await actions.paused()))

    async def pause(request: web.Request) -> web.Response:
        try:
            asked = msgspec.json.decode(await request.read() or b"{}", type=_Until)
        except msgspec.DecodeError as error:
            raise UsageError('A body like {"until": 1790000000} is needed, null for "until resumed".') from error
        return _answer(Paused(await actions.pause(asked.until)))

    async def resume(_: web.Request) -> web.Response:
        await actions.resume()
        return _answer(Paused(None))

    async def pause_one(request: web.Request) -> web.Response:
        try:
            asked = msgspec.json.decode(await request.read() or b"{}", type=_Why)
        except msgspec.DecodeError as error:
            raise UsageError('A body like {"reason": "moving the channel"} is needed, or none.') from error
        await actions.pause_destination(request.match_info["name"], asked.reason)
        return _answer({})

    async def resume_one(request: web.Request) -> web.Response:
        await actions.resume_destination(request.match_info["name"])
        return _answer({})

    return [
        web.get("/v1/pause", look),
        web.post("/v1/pause", pause),
        web.delete("/v1/pause", resume),
        web.post("/v1/destinations/{name}/pause", pause_one),
        web.post("/v1/destinations/{name}/resume", resume_one),
    ]


def _answer(body: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), content_type="application/json")
