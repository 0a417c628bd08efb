"""The control port's requests about subscriptions (docs/control.md)."""

from __future__ import annotations

import msgspec
from aiohttp import web

from itsjustintv_desktop.engine.control.actions import SubscriptionActions
from itsjustintv_desktop.engine.core.errors import UsageError


class _Sync(msgspec.Struct):
    new_secret: bool = False


def subscription_routes(actions: SubscriptionActions) -> list[web.RouteDef]:
    """List, status, one round now, delete one."""

    async def listing(_: web.Request) -> web.Response:
        return _answer(await actions.subscriptions())

    async def status(_: web.Request) -> web.Response:
        return _answer(await actions.subscriptions_status())

    async def sync(request: web.Request) -> web.Response:
        try:
            asked = msgspec.json.decode(await request.read() or b"{}", type=_Sync)
        except msgspec.DecodeError as error:
            raise UsageError('A body like {"new_secret": false} is needed.') from error
        return _answer(await actions.sync_subscriptions(asked.new_secret))

    async def delete(request: web.Request) -> web.Response:
        await actions.delete_subscription(request.match_info["id"])
        return _answer({})

    return [
        web.get("/v1/subscriptions", listing),
        web.get("/v1/subscriptions/status", status),
        web.post("/v1/subscriptions/sync", sync),
        web.delete("/v1/subscriptions/{id}", delete),
    ]


def _answer(body: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), content_type="application/json")
