"""The control port's request about the chain behind the next announcement (docs/control.md)."""

from __future__ import annotations

import msgspec
from aiohttp import web

from itsjustintv_desktop.engine.control.actions import DoctorActions


def doctor_routes(actions: DoctorActions) -> list[web.RouteDef]:
    """All the checks: `?streamer=LOGIN` for one streamer, `?local=true` for this process alone."""

    async def doctor(request: web.Request) -> web.Response:
        local = request.query.get("local") == "true"
        report = await actions.doctor(request.query.get("streamer"), local)
        return web.Response(body=msgspec.json.encode(report), content_type="application/json")

    return [web.get("/v1/doctor", doctor)]
