"""Sends what Twitch sends to callbacks: challenges, notifications with their resends, revocations."""

from __future__ import annotations

import asyncio
import secrets
import time
import uuid
from collections import deque
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

import aiohttp

from itsjustintv_desktop.engine.tasks import Tasks
from itsjustintv_desktop.simulator import answers, messages
from itsjustintv_desktop.simulator.faults import Faults
from itsjustintv_desktop.simulator.messages import Sent
from itsjustintv_desktop.simulator.state import State
from itsjustintv_desktop.simulator.subscriptions import ALIVE, Status, Subscription, Subscriptions

RESEND_DELAYS = (1.0, 5.0, 15.0, 60.0)
"""Seconds before each resend. Twitch does not publish its own."""


class EventSub:
    """The sending half. Webhooks are the one transport so far; `_post` is where another would branch off."""

    def __init__(
        self,
        state: State,
        faults: Faults,
        *,
        resend_delays: Sequence[float] = RESEND_DELAYS,
        failures_allowed: int = 5,
        answer_timeout: float = 10.0,
        connections: int = 100,
        history: int = 20_000,
    ) -> None:
        """`failures_allowed`: messages given up in a row until the subscription is switched off."""
        self.subscriptions = Subscriptions(state)
        self.resend_delays = tuple(resend_delays)
        self.failures_allowed = failures_allowed
        self.sent: deque[Sent] = deque(maxlen=history)
        """Every POST to a callback, oldest first; the last `history` of them."""
        self._state = state
        self._faults = faults
        self._timeout = aiohttp.ClientTimeout(total=answer_timeout)
        self._slots = asyncio.Semaphore(connections)
        self._tasks = Tasks()
        self._busy: set[asyncio.Task[Any]] = set()
        self._session: aiohttp.ClientSession | None = None

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
        """Make a subscription and challenge its callback in the background. Raises RefusedError."""
        made = self.subscriptions.create(wanted)
        self._background("simulator.challenge", self.challenge(made))
        return made

    async def challenge(self, subscription: Subscription) -> None:
        """The handshake: the callback must give the challenge back with status 200."""
        text = secrets.token_urlsafe(32)
        body = answers.body({"challenge": text, "subscription": subscription.public()})
        sent = await self._post(subscription, messages.VERIFICATION, body)
        good = sent.status == 200 and sent.answer == text.encode()
        if subscription.status is Status.PENDING:
            subscription.status = Status.ENABLED if good else Status.VERIFICATION_FAILED

    def notify(self, type: str, user_id: str, event: dict[str, Any]) -> int:  # noqa: A002 - the field's name
        """Send an event to all who listen, in the background. Returns how many that are."""
        listening = self.subscriptions.listening(type, user_id)
        for subscription in listening:
            self._background("simulator.notify", self._notify(subscription, event))
        return len(listening)

    async def revoke(self, subscription: Subscription, status: Status) -> bool:
        """Switch a subscription off and tell its callback. True if that one took note."""
        subscription.status = status
        body = answers.body({"subscription": subscription.public()})
        return await self._deliver(subscription, messages.REVOCATION, body, str(uuid.uuid4()))

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
        """POST one message once, signed unless another signature is given; no resends.

        An earlier message comes again by its `message_id`.
        """
        if body is None:
            body = _notification(subscription, event)
        return await self._post(
            subscription,
            kind,
            body,
            message_id=message_id,
            timestamp=timestamp,
            retry=retry,
            signature=signature,
        )

    async def _notify(self, subscription: Subscription, event: dict[str, Any]) -> None:
        body = _notification(subscription, event)
        ids = [str(uuid.uuid4()) for _ in range(1 + self._faults.duplicate_ids)]
        for message_id in ids:
            if not await self._deliver(subscription, messages.NOTIFICATION, body, message_id):
                await self._given_up(subscription)
                return
            subscription.failures = 0
            for again in range(self._faults.duplicates):
                await self._post(subscription, messages.NOTIFICATION, body, message_id=message_id, retry=again + 1)

    async def _given_up(self, subscription: Subscription) -> None:
        subscription.failures += 1
        wanted = subscription in self.subscriptions and subscription.status is Status.ENABLED
        if wanted and subscription.failures >= self.failures_allowed:
            await self.revoke(subscription, Status.FAILURES_EXCEEDED)

    async def _deliver(self, subscription: Subscription, kind: str, body: bytes, message_id: str) -> bool:
        """Send until it is taken or the resends are used up. A subscription deleted meanwhile ends it."""
        for retry, delay in enumerate((0.0, *self.resend_delays)):
            if delay:
                await self._state.clock.sleep(delay)
            unwanted = subscription not in self.subscriptions
            if unwanted or (kind == messages.NOTIFICATION and subscription.status not in ALIVE):
                return False
            sent = await self._post(subscription, kind, body, message_id=message_id, retry=retry)
            if sent.ok:
                return True
        return False

    async def _post(
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
        if self._session is None:
            raise RuntimeError("the simulator is not started")
        sent = Sent(
            subscription=subscription,
            kind=kind,
            message_id=message_id or str(uuid.uuid4()),
            timestamp=timestamp or self._state.stamp(),
            retry=retry,
            body=body,
        )
        sent.headers = messages.headers(sent, signature)
        async with self._slots:
            begun = time.perf_counter()
            try:
                async with self._session.post(
                    subscription.transport.callback, data=body, headers=sent.headers, allow_redirects=False
                ) as response:
                    sent.elapsed = time.perf_counter() - begun
                    sent.status = response.status
                    sent.answer = await response.content.read(64 * 1024)
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                sent.elapsed = time.perf_counter() - begun
                sent.error = type(error).__name__
                sent.status = None
        self.sent.append(sent)
        return sent

    def _background(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        task = self._tasks.start(name, work)
        self._busy.add(task)
        task.add_done_callback(self._busy.discard)


def _notification(subscription: Subscription, event: dict[str, Any] | None) -> bytes:
    return answers.body({"subscription": subscription.public(), "event": event})
