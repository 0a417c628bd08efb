"""The HTTP side of steering: /simulator/... with JSON, for people and for tests in another process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from aiohttp import web

from itsjustintv_desktop.simulator.answers import RefusedError, answer, problem
from itsjustintv_desktop.simulator.faults import Fault, ReceiverFault
from itsjustintv_desktop.simulator.state import Channel
from itsjustintv_desktop.simulator.steering import Steering
from itsjustintv_desktop.simulator.subscriptions import SubscriptionStatus


class _Body(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    pass


B = TypeVar("B", bound=_Body)


class FaultsBody(_Body):
    """Only what is named changes; `clear` comes first; null switches a fault of an endpoint or receiver off."""

    clear: bool = False
    revoke_tokens: bool = False
    streams_lag: float | None = None
    videos_lag: float | None = None
    clock_skew: float | None = None
    duplicates: int | None = None
    duplicate_ids: int | None = None
    thumbnails_missing: bool | None = None
    streams_empty: int | None = None
    nulls: list[str] | None = None
    ws_silent: bool | None = None
    ws_refuse: bool | None = None
    ws_no_welcome: bool | None = None
    reconnect_url: str | None = None
    shard_error: str | None = None
    endpoints: dict[str, Fault | None] = {}
    receivers: dict[str, ReceiverFault | None] = {}


class ChannelBody(_Body, omit_defaults=True):
    login: str
    user_id: str | None = None
    display_name: str | None = None
    tags: list[str] | msgspec.UnsetType = msgspec.UNSET
    language: str | msgspec.UnsetType = msgspec.UNSET
    title: str | msgspec.UnsetType = msgspec.UNSET
    category: str | msgspec.UnsetType = msgspec.UNSET
    followers: int | msgspec.UnsetType = msgspec.UNSET
    description: str | msgspec.UnsetType = msgspec.UNSET
    keeps_videos: bool | msgspec.UnsetType = msgspec.UNSET


class LiveBody(_Body):
    stream_id: str | None = None
    notify: bool = True
    viewers: int = 25
    type: Literal["live", "rerun", "playlist", "premiere", "watch_party"] = "live"
    delay: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """Seconds until the message goes out."""


class OfflineBody(_Body):
    notify: bool = True
    delay: Annotated[float, msgspec.Meta(ge=0)] = 0.0


class UpdateBody(_Body):
    """null leaves a field as it is."""

    title: str | None = None
    category: str | None = None
    language: str | None = None
    tags: list[str] | None = None
    notify: bool = True
    delay: Annotated[float, msgspec.Meta(ge=0)] = 0.0


class RevocationBody(_Body):
    """All subscriptions that fit everything named."""

    status: Literal["authorization_revoked", "user_removed", "notification_failures_exceeded", "version_removed"] = (
        "authorization_revoked"
    )
    login: str | None = None
    type: str | None = None
    id: str | None = None


class SubscriptionBody(_Body):
    """To a callback, or into a conduit."""

    login: str
    callback: str = ""
    conduit_id: str = ""
    type: str = "stream.online"
    secret: str | None = None


class DropBody(_Body):
    """null cuts the connections; a number closes them with that code."""

    code: Annotated[int, msgspec.Meta(ge=1000, le=4999)] | None = None


_SWITCHES = (
    "streams_lag", "videos_lag", "clock_skew", "duplicates", "duplicate_ids", "thumbnails_missing",
    "streams_empty", "nulls", "ws_silent", "ws_refuse", "ws_no_welcome", "reconnect_url", "shard_error",
)  # fmt: skip


class Admin:
    """Answers errors in Helix' shape."""

    def __init__(self, steering: Steering) -> None:
        self._steering = steering

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/simulator/state", _guarded(self._state)),
            web.get("/simulator/receivers/{name}", _guarded(self._receiver)),
            web.post("/simulator/faults", _guarded(self._faults)),
            web.post("/simulator/channels", _guarded(self._channel)),
            web.post("/simulator/channels/{login}/live", _guarded(self._live)),
            web.post("/simulator/channels/{login}/offline", _guarded(self._offline)),
            web.post("/simulator/channels/{login}/update", _guarded(self._update)),
            web.post("/simulator/subscriptions", _guarded(self._subscribe)),
            web.post("/simulator/revocations", _guarded(self._revoke)),
            web.post("/simulator/sockets/drop", _guarded(self._drop)),
            web.post("/simulator/sockets/reconnect", _guarded(self._reconnect)),
        ]

    async def _state(self, _request: web.Request) -> web.Response:
        steering = self._steering
        received = steering.receiver.all
        return answer(
            {
                "channels": [_show(channel) for channel in steering.state.channels.values()],
                "subscriptions": [held.public() for held in steering.eventsub.subscriptions],
                "conduits": [
                    {**held.public(), "shards": [shard.public() for _, shard in sorted(held.shards.items())]}
                    for held in steering.conduits
                ],
                "sockets": [session.public("connected") for session in steering.sockets],
                "calls": dict(steering.calls),
                "sent": len(steering.eventsub.sent),
                "lost": steering.eventsub.lost,
                "receivers": {name: self._counts(name) for name in sorted({one.name for one in received})},
                "doubles": len(steering.receiver.doubles()),
            }
        )

    async def _receiver(self, request: web.Request) -> web.Response:
        return answer(self._counts(request.match_info["name"]))

    def _counts(self, name: str) -> dict[str, int]:
        receiver = self._steering.receiver
        return {"received": len(receiver.received(name)), "accepted": len(receiver.accepted(name))}

    async def _faults(self, request: web.Request) -> web.Response:
        body = await _read(request, FaultsBody)
        faults = self._steering.faults
        if body.clear:
            faults.clear()
        for name in _SWITCHES:
            if (value := getattr(body, name)) is not None:
                setattr(faults, name, value)
        for endpoint, fault in body.endpoints.items():
            if fault is None:
                faults.endpoints.pop(endpoint, None)
            else:
                faults.set(endpoint, fault)
        for name, receiver_fault in body.receivers.items():
            if receiver_fault is None:
                faults.receivers.pop(name, None)
            else:
                faults.set_receiver(name, receiver_fault)
        if body.revoke_tokens:
            faults.revoke_tokens()
        return web.Response(status=204)

    async def _channel(self, request: web.Request) -> web.Response:
        body = await _read(request, ChannelBody)
        return answer(_show(self._steering.add_channel(**msgspec.to_builtins(body))), 201)

    async def _live(self, request: web.Request) -> web.Response:
        body = await _read(request, LiveBody)
        login = request.match_info["login"]
        return answer(asdict(await self._steering.go_live(login, **msgspec.structs.asdict(body))))

    async def _offline(self, request: web.Request) -> web.Response:
        body = await _read(request, OfflineBody)
        await self._steering.go_offline(request.match_info["login"], **msgspec.structs.asdict(body))
        return web.Response(status=204)

    async def _update(self, request: web.Request) -> web.Response:
        body = await _read(request, UpdateBody)
        login = request.match_info["login"]
        return answer(_show(await self._steering.update_channel(login, **msgspec.structs.asdict(body))))

    async def _revoke(self, request: web.Request) -> web.Response:
        body = await _read(request, RevocationBody)
        eventsub = self._steering.eventsub
        user_id = None if body.login is None else self._steering.state.get(body.login).user_id
        chosen = [
            held
            for held in eventsub.subscriptions
            if (user_id is None or user_id in held.condition.values())
            and body.type in {None, held.type}
            and body.id in {None, held.id}
        ]
        if not chosen:
            raise RefusedError(404, "there is no such subscription")
        for held in chosen:
            eventsub.revoke_soon(held, SubscriptionStatus(body.status))
        return answer({"revoked": [held.public() for held in chosen]})

    async def _subscribe(self, request: web.Request) -> web.Response:
        body = await _read(request, SubscriptionBody)
        channel = self._steering.state.get(body.login)
        made = await self._steering.subscribe(
            channel.user_id, body.type, body.callback, body.secret, conduit_id=body.conduit_id
        )
        return answer(made.public(), 201)

    async def _drop(self, request: web.Request) -> web.Response:
        body = await _read(request, DropBody)
        return answer({"sockets": await self._steering.drop_sockets(body.code)})

    async def _reconnect(self, _request: web.Request) -> web.Response:
        return answer({"sockets": await self._steering.ask_reconnect()})


def _guarded(handler: Callable[[web.Request], Awaitable[web.Response]]) -> Any:
    async def handle(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except RefusedError as refused:
            return problem(refused.status, refused.message, details=refused.details)
        except KeyError:
            return problem(404, "there is no such channel")
        except (msgspec.MsgspecError, ValueError) as error:
            return problem(400, str(error))

    return handle


async def _read(request: web.Request, kind: type[B]) -> B:
    return msgspec.json.decode(await request.read() or b"{}", type=kind)


def _show(channel: Channel) -> dict[str, Any]:
    return asdict(channel)
