"""Those who come to the public port and are not Twitch, all the time: forgers, slow sockets, and who hangs up."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Callable
from urllib.parse import urlsplit

from itsjustintv_desktop.engine.core.tasks import Tasks
from tests.support import rawhttp, signed

SLOW = 20
"""Sockets that drip a byte a second."""
_PAUSE = 0.5


class Strangers:
    """`counts`: what was tried; `wrong`: answers that should not have been."""

    def __init__(self, address: Callable[[], str | None], secret: str, seed: int) -> None:
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._address = address
        self._secret = secret
        self._dice = random.Random(seed)

    def begin(self, tasks: Tasks) -> list[asyncio.Task[None]]:
        return [
            tasks.start("soak.forger", self._forge()),
            tasks.start("soak.hangs-up", self._hang_up()),
            *(tasks.start("soak.slow", self._drip(number)) for number in range(SLOW)),
        ]

    async def _forge(self) -> None:
        while True:
            await asyncio.sleep(self._dice.uniform(0, 2 * _PAUSE))
            kind, message, wanted = self._forged()
            place = self._place()
            if place is None:
                continue
            try:
                answer = await rawhttp.ask(place, message.request(), timeout=10)
            except (OSError, TimeoutError, AssertionError):
                continue
            self.counts[kind] += 1
            if answer.status not in wanted:
                self.wrong.append(f"{kind} was answered {answer.status}")

    def _forged(self) -> tuple[str, signed.Message, set[int]]:
        good = signed.online(time.time(), stream_id=str(self._dice.randrange(10**9))).but(secret=self._secret)
        return self._dice.choice(
            (
                ("a forged signature", good.but(secret="not the secret at all"), {403}),
                ("md5", good.but(signature="md5=" + "0" * 32), {403}),
                ("an old message", good.but(at=good.at - 3600), {403}),
                ("a message of tomorrow", good.but(at=good.at + 86400), {403}),
                ("signed rubbish", good.but(body=b"{" * 2000), {400}),
                ("a body without end", good.but(body=b" " * 70_000), {413}),
            )
        )

    async def _drip(self, number: int) -> None:
        while True:
            place = self._place()
            await asyncio.sleep(self._dice.uniform(0.5, 3))
            if place is None:
                continue
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection(*place)
                self.counts["a slow socket"] += 1
                with contextlib.closing(writer):
                    for byte in b"POST /twitch HTTP/1.1\r\nHost: x\r\nX-Slow: " + b"a" * 4000:
                        writer.write(bytes([byte]))
                        await writer.drain()
                        await asyncio.sleep(1.0 + number / 100)

    async def _hang_up(self) -> None:
        while True:
            await asyncio.sleep(self._dice.uniform(0, 4 * _PAUSE))
            place = self._place()
            if place is None:
                continue
            whole = signed.online(time.time()).but(secret=self._secret).request()
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection(*place)
                self.counts["hung up in the middle"] += 1
                writer.write(whole[: self._dice.randrange(1, len(whole) - 1)])
                await writer.drain()
                writer.close() if self._dice.random() < 0.5 else writer.transport.abort()

    def _place(self) -> tuple[str, int] | None:
        address = self._address()
        if address is None:
            return None
        parts = urlsplit(address)
        return parts.hostname or "127.0.0.1", parts.port or 0
