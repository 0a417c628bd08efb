"""The control port's requests about conduits (docs/control.md)."""

from __future__ import annotations

import msgspec
from aiohttp import web

from itsjustintv_desktop.engine.control.conduits import ConduitActions


def conduit_routes(actions: ConduitActions) -> list[web.RouteDef]:
    """List, adopt one, delete one."""

    async def listing(_: web.Request) -> web.Response:
        return _answer(await actions.conduits())

    async def adopt(request: web.Request) -> web.Response:
        return _answer(await actions.adopt_conduit(request.match_info["id"]))

    async def delete(request: web.Request) -> web.Response:
        force = request.query.get("force") == "true"
        return _answer(await actions.delete_conduit(request.match_info["id"], force=force))

    return [
        web.get("/v1/conduits", listing),
        web.post("/v1/conduits/{id}/adopt", adopt),
        web.delete("/v1/conduits/{id}", delete),
    ]


def _answer(body: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), content_type="application/json")
