"""Puts the parts of the simulator together on one port of 127.0.0.1."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from email.utils import formatdate
from types import TracebackType
from typing import Any, Self, Unpack

from aiohttp import web

from itsjustintv_desktop.simulator import messages
from itsjustintv_desktop.simulator.admin import Admin
from itsjustintv_desktop.simulator.answers import problem
from itsjustintv_desktop.simulator.clock import Clock, MachineClock
from itsjustintv_desktop.simulator.conduit_api import ConduitApi
from itsjustintv_desktop.simulator.conduits import Conduits
from itsjustintv_desktop.simulator.discord import Discord
from itsjustintv_desktop.simulator.eventsub import RESEND_DELAYS, EventSub
from itsjustintv_desktop.simulator.faults import Faults
from itsjustintv_desktop.simulator.gate import Gate, RateLimit
from itsjustintv_desktop.simulator.helix import Helix
from itsjustintv_desktop.simulator.images import Images
from itsjustintv_desktop.simulator.messages import Sent
from itsjustintv_desktop.simulator.oauth import LIFETIME, OAuth, Tokens
from itsjustintv_desktop.simulator.receiver import Receiver
from itsjustintv_desktop.simulator.state import Channel, Details, State, Stream
from itsjustintv_desktop.simulator.subscription_api import SubscriptionApi
from itsjustintv_desktop.simulator.subscriptions import KINDS, Subscription, SubscriptionStatus
from itsjustintv_desktop.simulator.videos import Videos
from itsjustintv_desktop.simulator.websocket import Sockets

_LARGEST_WEBHOOK = 16 * 1024 * 1024
_TWITCH_PATHS = ("/helix", "/oauth2", "/images", "/ws")


class Simulator:
    """Twitch and a receiver of webhooks in one process, on the running event loop.

    Public objects: `state` (channels), `faults`, `eventsub`, `conduits`, `sockets` (WebSocket sessions), `receiver`,
    `tokens`, `rate`, `calls` (Counter of Helix calls by endpoint: users, streams, channels, followers, games, videos,
    subscriptions, conduits, shards), `other_calls` (token, validate, revoke, images, websocket). Usable as an async
    context manager.
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
        self.client_id = client_id
        self.client_secret = client_secret
        self.apps = {client_id: client_secret}
        """Client secret of each client id. Add to it for a second app: that one has tokens and conduits of its own."""
        self.webhook_secret = webhook_secret
        self.faults = Faults(seed)
        self.state = State(clock, self.faults, seed)
        self.tokens = Tokens(self.state, token_lifetime, client_id)
        self.faults.on_revoke_tokens = self.tokens.revoke_all
        self.rate = RateLimit(self.state, rate_limit, rate_window)
        self.sockets = Sockets(
            self.state,
            self.faults,
            unused_after=unused_after,
            reconnect_grace=reconnect_grace,
            answer_timeout=answer_timeout,
        )
        self.conduits = Conduits(self.state, self.faults, self.sockets)
        self.eventsub = EventSub(
            self.state,
            self.faults,
            self.conduits,
            self.sockets,
            resend_delays=resend_delays,
            failures_allowed=failures_allowed,
            answer_timeout=answer_timeout,
        )
        self._stopping = asyncio.Event()
        self.receiver = Receiver(clock, self.faults, self._stopping)
        self.discord = Discord(clock, self.faults, self._stopping)
        self._gate = Gate(
            state=self.state,
            faults=self.faults,
            tokens=self.tokens,
            rate=self.rate,
            stopping=self._stopping,
        )
        self._helix = Helix(self.state)
        self._videos = Videos(self.state)
        self._port = port
        self._runner: web.AppRunner | None = None

    @property
    def calls(self) -> Counter[str]:
        return self._gate.calls

    @property
    def other_calls(self) -> Counter[str]:
        return self._gate.other_calls

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

    def add_channel(self, login: str, **details: Unpack[Details]) -> Channel:
        """Make a channel. Raises ValueError if the login or the user id is taken."""
        return self.state.add(login, **details)

    async def go_live(
        self,
        login: str,
        *,
        stream_id: str | None = None,
        notify: bool = True,
        viewers: int = 25,
        type: str = "live",  # noqa: A002 - the field's own name
        delay: float = 0.0,
    ) -> Stream:
        """Start a stream; stream.online goes out in the background (`eventsub.idle()` waits for it).

        A channel that is live keeps its stream and is notified again, as flapping streams are. `delay`: seconds until
        the message goes out, so that messages arrive in another order. Raises KeyError if there is no such channel.
        """
        channel = self.state.get(login)
        stream = self.state.start_stream(channel, stream_id, viewers, type)
        if notify:
            event = messages.stream_online(self.state, channel, stream)
            self.eventsub.notify("stream.online", channel.user_id, event, delay)
        return stream

    async def go_offline(self, login: str, *, notify: bool = True, delay: float = 0.0) -> None:
        """End the stream; stream.offline goes out in the background, after `delay` seconds. Raises KeyError."""
        channel = self.state.get(login)
        self.state.end_stream(channel)
        if notify:
            event = messages.stream_offline(channel)
            self.eventsub.notify("stream.offline", channel.user_id, event, delay)

    async def update_channel(
        self,
        login: str,
        *,
        title: str | None = None,
        category: str | None = None,
        language: str | None = None,
        tags: Iterable[str] | None = None,
        notify: bool = True,
        delay: float = 0.0,
    ) -> Channel:
        """Change what is given; channel.update goes out in the background, after `delay` seconds. Raises KeyError."""
        channel = self.state.get(login)
        channel.title = channel.title if title is None else title
        channel.category = channel.category if category is None else self.state.category(category)
        channel.language = channel.language if language is None else language
        channel.tags = channel.tags if tags is None else tuple(tags)
        if notify:
            self.eventsub.notify("channel.update", channel.user_id, messages.channel_update(channel), delay)
        return channel

    async def subscribe(
        self,
        broadcaster_id: str,
        type: str,  # noqa: A002 - the field's own name
        callback: str = "",
        secret: str | None = None,
        *,
        conduit_id: str = "",
    ) -> Subscription:
        """What Create EventSub Subscription does, handshake included; its outcome is in `status`.

        For a callback (without a `secret`, `webhook_secret` it is) or a conduit. Raises RefusedError.
        """
        kind = KINDS.get(type)
        transport = {
            "method": "webhook",
            "callback": callback,
            "secret": self.webhook_secret if secret is None else secret,
        }
        made = self.eventsub.subscriptions.create(
            {
                "type": type,
                "version": kind.versions[-1] if kind else "1",
                "condition": {kind.condition if kind else "broadcaster_user_id": broadcaster_id},
                "transport": {"method": "conduit", "conduit_id": conduit_id} if conduit_id else transport,
            }
        )
        if made.transport.callback:
            await self.eventsub.challenge(made)
        return made

    async def drop_sockets(self, code: int | None = None) -> int:
        """Close all WebSockets with `code` (4000 to 4007), or cut them without a word. Returns how many."""
        return await self.sockets.drop(code)

    async def ask_reconnect(self) -> int:
        """Send session_reconnect to every WebSocket session. Returns how many were told."""
        return await self.sockets.ask_reconnect()

    async def send(self, subscription: Subscription | str, event: dict[str, Any] | None, **details: Any) -> Sent:
        """Send one message once; `details` as in `EventSub.send`. Raises KeyError for an unknown id."""
        return await self.eventsub.send(self._held(subscription), event, **details)

    async def revoke(self, subscription: Subscription | str, status: SubscriptionStatus | str) -> bool:
        """Switch a subscription off and tell its callback or conduit. Raises KeyError, ValueError."""
        return await self.eventsub.revoke(self._held(subscription), SubscriptionStatus(status))

    def _held(self, subscription: Subscription | str) -> Subscription:
        found = self.eventsub.subscriptions.get(subscription) if isinstance(subscription, str) else subscription
        if found is None:
            raise KeyError(subscription)
        return found

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
