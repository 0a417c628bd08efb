"""/helix/eventsub/subscriptions over HTTP."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from itsjustintv_desktop.simulator.answers import RefusedError, answer, page, read_object
from itsjustintv_desktop.simulator.eventsub import EventSub
from itsjustintv_desktop.simulator.subscriptions import KINDS, Subscription, SubscriptionStatus

FILTERS = ("status", "type", "user_id", "subscription_id", "conduit_id")
_STATUSES = frozenset(SubscriptionStatus)


class SubscriptionApi:
    """Create, list, delete."""

    def __init__(self, eventsub: EventSub) -> None:
        self._eventsub = eventsub

    async def create(self, request: web.Request) -> web.Response:
        made = self._eventsub.create(await read_object(request))
        return answer({"data": [made.public()], **self._totals()}, 202)

    async def list(self, request: web.Request) -> web.Response:
        query = request.query
        given = [name for name in FILTERS if name in query]
        if len(given) > 1:
            raise RefusedError(400, "The request may specify only one filter query parameter.")
        if "status" in query and query["status"] not in _STATUSES:
            raise RefusedError(400, "The value in the status query parameter is not valid.")
        if "type" in query and query["type"] not in KINDS:
            raise RefusedError(400, "The value in the type query parameter is not valid.")
        held = self._eventsub.subscriptions
        matching = [one for one in held if all(_matches(one, name, query[name]) for name in given)]
        items, pagination = page(matching, held.page_size, query.get("after"))
        return answer(
            {"data": [one.public() for one in items], **self._totals(), "pagination": pagination},
        )

    async def delete(self, request: web.Request) -> web.Response:
        subscription_id = request.query.get("id")
        if not subscription_id:
            raise RefusedError(400, "The id query parameter is required.")
        if self._eventsub.subscriptions.remove(subscription_id) is None:
            raise RefusedError(404, "subscription not found")
        return web.Response(status=204)

    def _totals(self) -> dict[str, Any]:
        held = self._eventsub.subscriptions
        return {"total": len(held), "total_cost": held.total_cost, "max_total_cost": held.max_total_cost}


def _matches(subscription: Subscription, name: str, value: str) -> bool:
    if name == "status":
        return subscription.status == value
    if name == "type":
        return subscription.type == value
    if name == "user_id":
        return value in subscription.condition.values()
    if name == "conduit_id":
        return subscription.transport.conduit_id == value
    return subscription.id == value
