"""What can be done to the simulated Twitch, by tests in this process and by `Admin` over HTTP."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Unpack

from itsjustintv_desktop.simulator import messages
from itsjustintv_desktop.simulator.conduits import Conduits
from itsjustintv_desktop.simulator.eventsub import EventSub
from itsjustintv_desktop.simulator.faults import Faults
from itsjustintv_desktop.simulator.messages import Sent
from itsjustintv_desktop.simulator.receiver import Receiver
from itsjustintv_desktop.simulator.state import Channel, Details, State, Stream
from itsjustintv_desktop.simulator.subscriptions import KINDS, Subscription, SubscriptionStatus
from itsjustintv_desktop.simulator.websocket import Sockets


class Steering:
    """The parts that are steered, and what is done to them.

    `state` (channels), `faults`, `eventsub`, `conduits`, `sockets` (WebSocket sessions), `receiver`, `calls` (Counter
    of Helix calls by endpoint: users, streams, channels, followers, games, videos, subscriptions, conduits, shards).
    """

    def __init__(
        self,
        *,
        state: State,
        faults: Faults,
        eventsub: EventSub,
        conduits: Conduits,
        sockets: Sockets,
        receiver: Receiver,
        calls: Counter[str],
        webhook_secret: str,
    ) -> None:
        self.state = state
        self.faults = faults
        self.eventsub = eventsub
        self.conduits = conduits
        self.sockets = sockets
        self.receiver = receiver
        self.calls = calls
        self.webhook_secret = webhook_secret

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
