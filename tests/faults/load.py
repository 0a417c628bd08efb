"""Twitch under load, as a program that is killed meets it: what is not answered with 2xx is sent again."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiohttp

from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.simulator import Simulator
from itsjustintv_desktop.simulator.state import Channel
from tests.support import signed

_AT_A_TIME = 48
_PATIENCE = aiohttp.ClientTimeout(total=10.0)


@dataclass(slots=True, eq=False)
class Sent:
    """One message: how often it was posted and how often that was answered 2xx. `stream` is "" for an offline."""

    message: signed.Message
    broadcaster: str
    stream: str
    tries: int = 0
    acknowledged: int = 0


class Load:
    """Posts signed notifications to wherever `address` says at the moment (None = it does not run).

    A mix: new streams, streams told a second time under another message id, messages that come again although they
    were acknowledged, offlines, and channels nobody watches.
    """

    def __init__(self, simulator: Simulator, address: Callable[[], str | None], seed: int) -> None:
        self.sent: list[Sent] = []
        self._simulator = simulator
        self._address = address
        self._random = random.Random(seed)
        self._channels = list(simulator.state.channels.values())
        self._random.shuffle(self._channels)
        self._told: deque[Sent] = deque(maxlen=100)
        self._places = asyncio.Semaphore(_AT_A_TIME)
        self._tasks = Tasks()
        self._session: aiohttp.ClientSession | None = None

    async def run(self, rate: float) -> None:
        """`rate` messages a second on average, in bursts, until cancelled."""
        due = time.monotonic()
        while True:
            burst = self._random.choice((1, 1, 2, 3, 5, 8, 20))
            for _ in range(burst):
                await self._places.acquire()  # a program that is down lets messages wait, not pile up without end
                self._tasks.start("load.message", self._until_taken(self._next()))
            # What this itself costs is made up for; what a program that was down missed is not.
            due = max(due, time.monotonic() - 1.0) + burst / rate * self._random.uniform(0.5, 1.5)
            await asyncio.sleep(due - time.monotonic())

    async def settled(self, timeout: float) -> None:
        """Wait until every message is acknowledged. Raises TimeoutError."""
        async with asyncio.timeout(timeout):
            for _ in range(_AT_A_TIME):
                await self._places.acquire()

    async def close(self) -> None:
        await self._tasks.stop()
        if self._session is not None:
            await self._session.close()

    def go_live(self, channel: Channel) -> Sent:
        """A new stream of that channel, and the message that tells of it, not posted yet."""
        channel.stream = None
        stream = self._simulator.state.start_stream(channel, None, 25)
        return self._keep(self._online(channel, stream.id))

    async def post(self, sent: Sent) -> bool:
        """Post it once. True: answered 2xx."""
        address = self._address()
        if address is None:
            return False
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=_PATIENCE, connector=aiohttp.TCPConnector(limit=0))
        sent.tries += 1
        try:
            headers: Any = sent.message.headers()
            async with self._session.post(f"{address}/twitch", data=sent.message.body, headers=headers) as answer:
                taken = 200 <= answer.status < 300
                await answer.read()
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False
        sent.acknowledged += taken
        return taken

    async def _until_taken(self, sent: Sent) -> None:
        try:
            while not await self.post(sent):
                await asyncio.sleep(self._random.uniform(0.02, 0.2))
            if self._random.random() < 0.1:
                await asyncio.sleep(self._random.uniform(0.0, 1.0))
                await self.post(sent)
        finally:
            self._places.release()

    def _next(self) -> Sent:
        dice = self._random.random()
        if dice < 0.15 and self._told:
            earlier = self._random.choice(self._told)
            return self._keep(self._online(self._simulator.state.channels[earlier.broadcaster], earlier.stream))
        if dice < 0.20:
            channel = self._channels[0]
            body = {
                "subscription": signed.subscription("stream.offline", channel.user_id),
                "event": {"broadcaster_user_id": channel.user_id},
            }
            message = signed.message(time.time(), body, type="stream.offline")
            return self._keep(Sent(self._signed(message), channel.user_id, ""))
        if dice < 0.23:
            stranger = str(self._random.randrange(10**9, 10**10))
            message = signed.online(time.time(), user_id=stranger, login=f"stranger{stranger}", stream_id=stranger)
            return self._keep(Sent(self._signed(message), stranger, stranger))
        # The channel that was live longest ago: its stream before is settled by then.
        channel = self._channels.pop(0)
        self._channels.append(channel)
        fresh = self.go_live(channel)
        self._told.append(fresh)
        return fresh

    def _online(self, channel: Channel, stream_id: str) -> Sent:
        message = signed.online(time.time(), user_id=channel.user_id, login=channel.login, stream_id=stream_id)
        return Sent(self._signed(message), channel.user_id, stream_id)

    def _signed(self, message: signed.Message) -> signed.Message:
        return message.but(secret=self._simulator.webhook_secret)

    def _keep(self, sent: Sent) -> Sent:
        self.sent.append(sent)
        return sent
