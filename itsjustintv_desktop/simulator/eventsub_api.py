"""/helix/eventsub over HTTP: subscriptions, conduits and their shards."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from itsjustintv_desktop.simulator.answers import RefusedError, answer, page, read_object
from itsjustintv_desktop.simulator.conduits import Conduit
from itsjustintv_desktop.simulator.eventsub import EventSub
from itsjustintv_desktop.simulator.shards import ShardStatus
from itsjustintv_desktop.simulator.subscriptions import KINDS, Subscription, SubscriptionStatus

_SHARD_STATUSES = frozenset(ShardStatus)
FILTERS = ("status", "type", "user_id", "subscription_id", "conduit_id")
_STATUSES = frozenset(SubscriptionStatus)


class ConduitApi:
    """Create, list, resize and delete conduits; list and update shards. Each client id sees its own."""

    def __init__(self, eventsub: EventSub, client_id: str) -> None:
        """`client_id`: whose those are that have no owner."""
        self._eventsub = eventsub
        self._conduits = eventsub.conduits
        self._client_id = client_id

    async def list(self, request: web.Request) -> web.Response:
        owner = self._owner(request)
        return answer({"data": [held.public() for held in self._conduits if held.owner == owner]})

    async def create(self, request: web.Request) -> web.Response:
        body = await _given(request)
        return answer({"data": [self._conduits.create(body.get("shard_count"), self._owner(request)).public()]})

    async def resize(self, request: web.Request) -> web.Response:
        body = await _given(request)
        conduit_id = self._own(request, _required(body.get("id"), "id")).id
        return answer({"data": [self._conduits.resize(conduit_id, body.get("shard_count")).public()]})

    async def delete(self, request: web.Request) -> web.Response:
        self._conduits.delete(self._own(request, _required(request.query.get("id"), "id")).id)
        return web.Response(status=204)

    async def shards(self, request: web.Request) -> web.Response:
        """Shards that were never given a transport are not listed."""
        query = request.query
        conduit = self._own(request, _required(query.get("conduit_id"), "conduit_id"))
        status = query.get("status", "")
        if status and status not in _SHARD_STATUSES:
            raise RefusedError(400, "The value in the status query parameter is not valid.")
        matching = [shard for _, shard in sorted(conduit.shards.items()) if not status or shard.status == status]
        items, pagination = page(matching, self._conduits.page_size, query.get("after"))
        return answer({"data": [shard.public() for shard in items], "pagination": pagination})

    async def assign(self, request: web.Request) -> web.Response:
        """202 even if no shard was updated: `errors` tells."""
        body = await _given(request)
        conduit = self._own(request, _required(body.get("conduit_id"), "conduit_id"))
        wanted = body.get("shards")
        if not isinstance(wanted, list) or not wanted:
            raise RefusedError(400, "The shards field is required.")
        done, errors = self._eventsub.assign(conduit, wanted)
        return answer({"data": [shard.public() for shard in done], "errors": errors}, 202)

    def _owner(self, request: web.Request) -> str:
        client_id = request.headers.get("Client-Id", "")
        return "" if client_id == self._client_id else client_id

    def _own(self, request: web.Request, conduit_id: str) -> Conduit:
        """Raises RefusedError 404."""
        found = self._conduits.get(conduit_id)
        if found.owner != self._owner(request):
            raise RefusedError(404, "conduit not found")
        return found


async def _given(request: web.Request) -> dict[str, Any]:
    """The fields of the body. Twitch takes them from the query as well, which one widespread client relies on."""
    query: dict[str, Any] = dict(request.query)
    if query.get("shard_count", "").isdecimal():
        query["shard_count"] = int(query["shard_count"])
    if query and not await request.read():
        return query
    return {**query, **await read_object(request)}


def _required(given: Any, name: str) -> str:
    if not isinstance(given, str) or not given:
        raise RefusedError(400, f"The {name} parameter is required.")
    return given


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
