"""Puts the parts of the simulator together on one port of 127.0.0.1."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from email.utils import formatdate
from types import TracebackType
from typing import Self

from aiohttp import web

from itsjustintv_desktop.simulator.admin import Admin
from itsjustintv_desktop.simulator.answers import problem
from itsjustintv_desktop.simulator.clock import Clock, MachineClock
from itsjustintv_desktop.simulator.conduits import Conduits
from itsjustintv_desktop.simulator.discord import Discord
from itsjustintv_desktop.simulator.eventsub import RESEND_DELAYS, EventSub
from itsjustintv_desktop.simulator.eventsub_api import ConduitApi, SubscriptionApi
from itsjustintv_desktop.simulator.faults import Faults
from itsjustintv_desktop.simulator.gate import Gate, RateLimit
from itsjustintv_desktop.simulator.helix import Helix, Videos
from itsjustintv_desktop.simulator.images import Images
from itsjustintv_desktop.simulator.oauth import LIFETIME, OAuth, Tokens
from itsjustintv_desktop.simulator.receiver import Receiver
from itsjustintv_desktop.simulator.state import State
from itsjustintv_desktop.simulator.steering import Steering
from itsjustintv_desktop.simulator.websocket import Sockets

_LARGEST_WEBHOOK = 16 * 1024 * 1024
_TWITCH_PATHS = ("/helix", "/oauth2", "/images", "/ws")


class Simulator(Steering):
    """Twitch and a receiver of webhooks in one process, on the running event loop.

    Beside what `Steering` has: `tokens`, `rate`, `other_calls` (token, validate, revoke, images, websocket). Usable as
    an async context manager.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        client_id: str = "simulated-client-id",
        client_secret: str = "simulated-client-secret",  # noqa: S107 - no secret of anyone
        webhook_secret: str = "simulated-webhook-secret",  # noqa: S107 - no secret of anyone
        clock: Clock | None = None,
        seed: int = 1,
        rate_limit: int = 800,
        rate_window: float = 60.0,
        token_lifetime: float = LIFETIME,
        resend_delays: Sequence[float] = RESEND_DELAYS,
        failures_allowed: int = 5,
        answer_timeout: float = 10.0,
        unused_after: float = 10.0,
        reconnect_grace: float = 30.0,
    ) -> None:
        """Durations are seconds. `resend_delays` are the waits before each resend of a message.

        A WebSocket session that no shard names within `unused_after` is closed, and so is an old connection
        `reconnect_grace` after it was asked to reconnect.
        """
        clock = clock or MachineClock()
        faults = Faults(seed)
        state = State(clock, faults, seed)
        tokens = Tokens(state, token_lifetime, client_id)
        faults.on_revoke_tokens = tokens.revoke_all
        rate = RateLimit(state, rate_limit, rate_window)
        stopping = asyncio.Event()
        gate = Gate(state=state, faults=faults, tokens=tokens, rate=rate, stopping=stopping)
        sockets = Sockets(
            state, faults, unused_after=unused_after, reconnect_grace=reconnect_grace, answer_timeout=answer_timeout
        )
        conduits = Conduits(state, faults, sockets)
        eventsub = EventSub(
            state,
            faults,
            conduits,
            sockets,
            resend_delays=resend_delays,
            failures_allowed=failures_allowed,
            answer_timeout=answer_timeout,
        )
        super().__init__(
            state=state,
            faults=faults,
            eventsub=eventsub,
            conduits=conduits,
            sockets=sockets,
            receiver=Receiver(clock, faults, stopping),
            calls=gate.calls,
            webhook_secret=webhook_secret,
        )
        self.client_id = client_id
        self.client_secret = client_secret
        self.apps = {client_id: client_secret}
        """Client secret of each client id. Add to it for a second app: that one has tokens and conduits of its own."""
        self.tokens = tokens
        self.rate = rate
        self.other_calls = gate.other_calls
        self.discord = Discord(clock, faults, stopping)
        self._stopping = stopping
        self._gate = gate
        self._helix = Helix(state)
        self._videos = Videos(state)
        self._port = port
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def api_url(self) -> str:
        return f"{self.url}/helix"

    @property
    def auth_url(self) -> str:
        return f"{self.url}/oauth2"

    @property
    def eventsub_url(self) -> str:
        """Of the WebSocket."""
        return f"ws://127.0.0.1:{self._port}/ws"

    def receiver_url(self, name: str) -> str:
        return f"{self.url}/receiver/{name}"

    def environment(self) -> dict[str, str]:
        """Variables that point the program here."""
        return {
            "ITSJUSTINTV_TWITCH_API_URL": self.api_url,
            "ITSJUSTINTV_TWITCH_AUTH_URL": self.auth_url,
            "ITSJUSTINTV_TWITCH_EVENTSUB_URL": self.eventsub_url,
            "ITSJUSTINTV_TWITCH_CLIENT_ID": self.client_id,
            "ITSJUSTINTV_TWITCH_CLIENT_SECRET": self.client_secret,
            "ITSJUSTINTV_TWITCH_WEBHOOK_SECRET": self.webhook_secret,
        }

    async def start(self) -> None:
        """Bind. Raises OSError if the port cannot be had."""
        self._stopping.clear()
        runner = web.AppRunner(
            self._app(), access_log=None, handler_cancellation=True, shutdown_timeout=1.0, keepalive_timeout=75.0
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", self._port, backlog=1024).start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        self._port = runner.addresses[0][1]
        self._helix.images = self._videos.images = f"{self.url}/images"
        self.sockets.url = self.eventsub_url
        await self.eventsub.start()

    async def stop(self) -> None:
        """Let go of everything. The same port is taken again by another `start`."""
        self._stopping.set()
        await self.eventsub.stop()
        await self.sockets.stop()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=_LARGEST_WEBHOOK)
        helix, gate = self._helix, self._gate
        oauth = OAuth(self.tokens, self.apps)
        held = SubscriptionApi(self.eventsub)
        fed = ConduitApi(self.eventsub, self.client_id)
        subscriptions, conduits = "/helix/eventsub/subscriptions", "/helix/eventsub/conduits"
        app.add_routes(
            [
                web.post("/receiver/{name}", self.receiver.handle),
                web.post("/api/webhooks/{id}/{token}", self.discord.handle),
                web.post(r"/api/v{version:\d+}/webhooks/{id}/{token}", self.discord.handle),
                web.post("/oauth2/token", gate.plain("token", oauth.token)),
                web.get("/oauth2/validate", gate.plain("validate", oauth.validate)),
                web.post("/oauth2/revoke", gate.plain("revoke", oauth.revoke)),
                web.get("/helix/users", gate.helix("users", helix.users)),
                web.get("/helix/streams", gate.helix("streams", helix.streams)),
                web.get("/helix/channels", gate.helix("channels", helix.channels)),
                web.get("/helix/channels/followers", gate.helix("followers", helix.followers)),
                web.get("/helix/games", gate.helix("games", helix.games)),
                web.get("/helix/videos", gate.helix("videos", self._videos.handle)),
                web.post(subscriptions, gate.helix("subscriptions", held.create)),
                web.get(subscriptions, gate.helix("subscriptions", held.list)),
                web.delete(subscriptions, gate.helix("subscriptions", held.delete)),
                web.get(conduits, gate.helix("conduits", fed.list)),
                web.post(conduits, gate.helix("conduits", fed.create)),
                web.patch(conduits, gate.helix("conduits", fed.resize)),
                web.delete(conduits, gate.helix("conduits", fed.delete)),
                web.get(f"{conduits}/shards", gate.helix("shards", fed.shards)),
                web.patch(f"{conduits}/shards", gate.helix("shards", fed.assign)),
                web.get("/ws", gate.plain("websocket", self.sockets.handle)),
                web.route("*", "/helix/{path:.*}", _no_endpoint),
                web.get("/images/{kind}/{file}", gate.plain("images", Images(self.state, self.faults).handle)),
                *Admin(self).routes(),
            ]
        )
        app.on_response_prepare.append(self._date)
        return app

    async def _date(self, request: web.Request, response: web.StreamResponse) -> None:
        """Twitch's clock, skewed or not, from which clients learn how wrong their own is."""
        if request.path.startswith(_TWITCH_PATHS):
            response.headers["Date"] = formatdate(self.state.now(), usegmt=True)


async def _no_endpoint(_request: web.Request) -> web.Response:
    return problem(404, "")


async def run(port: int, stop: asyncio.Event, out: Callable[[str], None], *, logins: Iterable[str] = ()) -> None:
    """Serve until `stop` is set; say with `out` what to set and how to steer. Raises OSError if not bindable."""
    async with Simulator(port=port) as simulator:
        for login in logins:
            simulator.add_channel(login)
        for name, value in simulator.environment().items():
            out(f"{name}={value}")
        out(f"# receivers: {simulator.receiver_url('NAME')}")
        out(
            f"# steer it:  {simulator.url}/simulator/state (GET), "
            ".../channels, .../subscriptions, .../revocations, .../faults, .../sockets/drop, "
            ".../sockets/reconnect (POST)"
        )
        await stop.wait()
