"""Sends what Twitch sends to callbacks and into conduits: challenges, notifications with their resends, revocations."""

from __future__ import annotations

import asyncio
import secrets
import time
import uuid
from collections import deque
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

import aiohttp

from itsjustintv_desktop.simulator import answers, messages
from itsjustintv_desktop.simulator.background import Background
from itsjustintv_desktop.simulator.conduits import Conduit, Conduits
from itsjustintv_desktop.simulator.faults import Faults
from itsjustintv_desktop.simulator.messages import Sent
from itsjustintv_desktop.simulator.shards import Shard, ShardStatus
from itsjustintv_desktop.simulator.state import State
from itsjustintv_desktop.simulator.subscriptions import (
    ALIVE,
    Subscription,
    Subscriptions,
    SubscriptionStatus,
    Transport,
)
from itsjustintv_desktop.simulator.websocket import Sockets

RESEND_DELAYS = (1.0, 5.0, 15.0, 60.0)
"""Seconds before each resend. Twitch does not publish its own."""


class EventSub:
    """The sending half; `_send` is where the transports part."""

    def __init__(
        self,
        state: State,
        faults: Faults,
        conduits: Conduits,
        sockets: Sockets,
        *,
        resend_delays: Sequence[float] = RESEND_DELAYS,
        failures_allowed: int = 5,
        answer_timeout: float = 10.0,
        connections: int = 100,
        history: int = 20_000,
    ) -> None:
        """`failures_allowed`: messages given up in a row until the subscription is switched off."""
        self.conduits = conduits
        self.lost = 0
        """Notifications for a conduit that no shard and no living session got: Twitch does not send them again."""
        self.resend_delays = tuple(resend_delays)
        self.failures_allowed = failures_allowed
        self.sent: deque[Sent] = deque(maxlen=history)
        """Every POST and every frame with a message, oldest first; the last `history` of them."""
        self._subscriptions = Subscriptions(state, conduits)
        conduits.on_deleted = self._subscriptions.conduit_deleted
        self._sockets = sockets
        self._state = state
        self._faults = faults
        self._timeout = aiohttp.ClientTimeout(total=answer_timeout)
        self._slots = asyncio.Semaphore(connections)
        self._tasks = Background()
        self._busy: set[asyncio.Task[Any]] = set()
        self._session: aiohttp.ClientSession | None = None

    @property
    def subscriptions(self) -> Subscriptions:
        self.conduits.sweep()
        return self._subscriptions

    async def start(self) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=self._timeout,
        )

    async def stop(self) -> None:
        await self._tasks.stop()
        if self._session is not None:
            await self._session.close()

    async def idle(self, timeout: float = 30.0) -> None:
        """Wait until nothing is on its way any more, resends included. Raises TimeoutError."""
        async with asyncio.timeout(timeout):
            while self._busy:
                await asyncio.wait(self._busy)

    def create(self, wanted: Mapping[str, Any]) -> Subscription:
        """Make a subscription and challenge its callback, if any, in the background. Raises RefusedError."""
        made = self.subscriptions.create(wanted)
        if made.transport.callback:
            self._background("simulator.challenge", self.challenge(made))
        return made

    async def challenge(self, subscription: Subscription) -> None:
        """The handshake: the callback must give the challenge back as text/plain, with status 200 and its length."""
        if await self._challenged({"subscription": subscription.public()}, subscription, subscription.transport):
            outcome = SubscriptionStatus.ENABLED
        else:
            outcome = SubscriptionStatus.VERIFICATION_FAILED
        if subscription.status is SubscriptionStatus.PENDING:
            subscription.status = outcome

    def assign(self, conduit: Conduit, wanted: Sequence[Any]) -> tuple[list[Shard], list[dict[str, str]]]:
        """`Conduits.assign`, and callbacks are challenged in the background."""
        done, errors = self.conduits.assign(conduit, wanted)
        for shard in done:
            if shard.callback:
                self._background("simulator.challenge", self._challenge_shard(conduit, shard))
        return done, errors

    def notify(self, type: str, user_id: str, event: dict[str, Any], delay: float = 0.0) -> int:  # noqa: A002 - the field's name
        """Send an event in the background to all who listen, after `delay` seconds. Returns how many that are."""
        listening = self.subscriptions.listening(type, user_id)
        for subscription in listening:
            self._background("simulator.notify", self._notify(subscription, event, delay))
        return len(listening)

    async def revoke(self, subscription: Subscription, status: SubscriptionStatus) -> bool:
        """Switch a subscription off and tell its callback or conduit. True if that one took note."""
        subscription.status = status
        body = answers.body({"subscription": subscription.public()})
        sent = await self._deliver(subscription, messages.REVOCATION, body, str(uuid.uuid4()))
        return sent is not None and sent.ok

    def revoke_soon(self, subscription: Subscription, status: SubscriptionStatus) -> None:
        """Switch a subscription off; its callback or conduit is told in the background."""
        subscription.status = status
        self._background("simulator.revoke", self.revoke(subscription, status))

    async def send(
        self,
        subscription: Subscription,
        event: dict[str, Any] | None,
        *,
        message_id: str | None = None,
        timestamp: str | None = None,
        retry: int = 0,
        kind: str = messages.NOTIFICATION,
        body: bytes | None = None,
        signature: str | None = None,
    ) -> Sent:
        """Send one message once, a POST signed unless another signature is given; no resends.

        An earlier message comes again by its `message_id`.
        """
        if body is None:
            body = self._notification(subscription, event)
        return await self._send(
            subscription,
            kind,
            body,
            message_id=message_id,
            timestamp=timestamp,
            retry=retry,
            signature=signature,
        )

    async def _notify(self, subscription: Subscription, event: dict[str, Any], delay: float) -> None:
        if delay:
            await self._state.clock.sleep(delay)
        body = self._notification(subscription, event)
        ids = [str(uuid.uuid4()) for _ in range(1 + self._faults.duplicate_ids)]
        for message_id in ids:
            sent = await self._deliver(subscription, messages.NOTIFICATION, body, message_id)
            if sent is None or not sent.ok:
                await self._given_up(subscription, sent)
                return
            subscription.failures = 0
            if sent.shard is not None:
                sent.shard.failures = 0
            for again in range(self._faults.duplicates):
                await self._send(subscription, messages.NOTIFICATION, body, message_id=message_id, retry=again + 1)

    async def _given_up(self, subscription: Subscription, sent: Sent | None) -> None:
        """A callback that fails too often is switched off: a shard without a word, a subscription with a revocation."""
        shard = sent.shard if sent is not None else None
        if subscription.transport.conduit_id:
            if shard is not None and shard.callback:
                shard.failures += 1
                if shard.failures >= self.failures_allowed and shard.status is ShardStatus.ENABLED:
                    shard.status = ShardStatus.FAILURES_EXCEEDED
                    self.conduits.note(self.conduits.get(subscription.transport.conduit_id))
            return
        subscription.failures += 1
        wanted = subscription in self.subscriptions and subscription.status is SubscriptionStatus.ENABLED
        if wanted and subscription.failures >= self.failures_allowed:
            await self.revoke(subscription, SubscriptionStatus.FAILURES_EXCEEDED)

    async def _deliver(self, subscription: Subscription, kind: str, body: bytes, message_id: str) -> Sent | None:
        """Send until it is taken or the resends are used up; only POSTs are sent again.

        A subscription deleted meanwhile ends it. Returns the last that was sent.
        """
        sent: Sent | None = None
        for retry, delay in enumerate((0.0, *self.resend_delays)):
            if delay:
                await self._state.clock.sleep(delay)
            unwanted = subscription not in self.subscriptions
            if unwanted or (kind == messages.NOTIFICATION and subscription.status not in ALIVE):
                return sent
            sent = await self._send(subscription, kind, body, message_id=message_id, retry=retry)
            if sent.ok or not sent.headers:
                return sent
        return sent

    async def _send(
        self,
        subscription: Subscription,
        kind: str,
        body: bytes,
        *,
        message_id: str | None = None,
        timestamp: str | None = None,
        retry: int = 0,
        signature: str | None = None,
    ) -> Sent:
        sent = Sent(
            subscription=subscription,
            kind=kind,
            message_id=message_id or str(uuid.uuid4()),
            timestamp=timestamp or self._state.stamp(),
            retry=retry,
            body=body,
        )
        way = subscription.transport
        if not way.conduit_id:
            await self._post(sent, way, signature)
            return sent
        begun = time.perf_counter()
        sent.error = "NoShard"
        for sent.shard in self._routes(subscription):
            if sent.shard.callback:  # a callback is tried again by itself alone
                sent.session_id, sent.error = "", None
                await self._post(sent, sent.shard, signature)
                return sent
            sent.session_id = sent.shard.session_id
            sent.error = await self._sockets.send(sent.session_id, messages.notification_frame(sent))
            if sent.ok:
                break
        sent.elapsed = time.perf_counter() - begun
        self.lost += kind == messages.NOTIFICATION and not sent.ok
        self.sent.append(sent)
        return sent

    def _routes(self, subscription: Subscription) -> list[Shard]:
        conduit_id = subscription.transport.conduit_id
        if conduit_id not in self.conduits:
            return []
        return self.conduits.get(conduit_id).routes(next(iter(subscription.condition.values()), ""))

    def _notification(self, subscription: Subscription, event: dict[str, Any] | None) -> bytes:
        return answers.body(self._faults.nulled({"subscription": subscription.public(), "event": event}))

    async def _challenge_shard(self, conduit: Conduit, shard: Shard) -> None:
        about = {"conduit_shard": {"conduit_id": conduit.id, "shard": shard.id}}
        good = await self._challenged(about, None, shard)
        if shard.status is ShardStatus.PENDING:
            shard.status = ShardStatus.ENABLED if good else ShardStatus.VERIFICATION_FAILED
            self.conduits.note(conduit)

    async def _challenged(
        self, about: dict[str, Any], subscription: Subscription | None, way: Transport | Shard
    ) -> bool:
        text = secrets.token_urlsafe(32)
        sent = Sent(
            subscription=subscription,
            kind=messages.VERIFICATION,
            message_id=str(uuid.uuid4()),
            timestamp=self._state.stamp(),
            retry=0,
            body=answers.body({"challenge": text, **about}),
        )
        await self._post(sent, way)
        return sent.status == 200 and sent.answer == text.encode() and sent.answer_type == "text/plain"

    async def _post(self, sent: Sent, way: Transport | Shard, signature: str | None = None) -> None:
        if self._session is None:
            raise RuntimeError("the simulator is not started")
        sent.headers = messages.headers(sent, signature, secret=way.secret)
        async with self._slots:
            begun = time.perf_counter()
            try:
                async with self._session.post(
                    way.callback, data=sent.body, headers=sent.headers, allow_redirects=False
                ) as response:
                    sent.elapsed = time.perf_counter() - begun
                    sent.status = response.status
                    sent.answer_type = response.content_type if response.content_length is not None else ""
                    sent.answer = await response.content.read(64 * 1024)
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                sent.elapsed = time.perf_counter() - begun
                sent.error = type(error).__name__
                sent.status = None
        self.sent.append(sent)

    def _background(self, name: str, work: Coroutine[Any, Any, object]) -> None:
        task = self._tasks.start(name, work)
        self._busy.add(task)
        task.add_done_callback(self._busy.discard)
