"""Many coroutines ask for one key each; few calls of up to 100 keys go out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping
from typing import Generic, TypeVar

from itsjustintv_desktop.engine.core.errors import AppError, TwitchUnreachableError
from itsjustintv_desktop.engine.core.tasks import Tasks

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

LINGER = 0.03
"""Seconds the first key waits for company."""
INTERVAL = 0.25
"""Least seconds between two calls that aren't full."""

_TOGETHER = 4
"""Most waiters that hear their answer in one turn of the loop."""


class Batcher(Generic[K, V]):
    """Collects keys and calls `call` with them.

    A quiet moment's key goes out after `linger`; under load there is one call per `interval`, or one whenever
    `size` keys are together. The same key asked twice is asked for once. A failed call fails its keys alone. A
    waiter that gives up or is cancelled changes nothing for the others. While nothing is asked, nothing runs.
    """

    def __init__(
        self,
        name: str,
        call: Callable[[list[K]], Awaitable[Mapping[K, V]]],
        tasks: Tasks,
        *,
        size: int = 100,
        linger: float = LINGER,
        interval: float = INTERVAL,
    ) -> None:
        self._name = name
        self._call = call
        self._tasks = tasks
        self._size = size
        self._linger = linger
        self._interval = interval
        self._waiting: dict[K, asyncio.Future[V | None]] = {}
        self._flying: dict[K, asyncio.Future[V | None]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._last = float("-inf")

    async def get(self, key: K, *, timeout: float) -> V | None:
        """The value, or None if the answer has none for this key.

        Raises what `call` raised for its batch, and TwitchUnreachableError after `timeout` seconds.
        """
        future = self._waiting.get(key) or self._flying.get(key)
        if future is None:
            future = self._waiting[key] = asyncio.get_running_loop().create_future()
            self._arm()
        try:
            async with asyncio.timeout(timeout):
                return await asyncio.shield(future)
        except TimeoutError:
            raise TwitchUnreachableError("Twitch did not answer in time.") from None

    def close(self) -> None:
        """Send nothing more. Whoever still waits gets TwitchUnreachableError."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        batch, self._waiting = self._waiting, {}
        for future in batch.values():
            _fail(future, TwitchUnreachableError("The program is stopping."))

    def _arm(self) -> None:
        loop = asyncio.get_running_loop()
        if len(self._waiting) >= self._size:
            self._send()
        elif self._timer is None:
            due = max(loop.time() + self._linger, self._last + self._interval)
            self._timer = loop.call_at(due, self._send)

    def _send(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        batch, self._waiting = self._waiting, {}
        self._flying.update(batch)
        self._last = asyncio.get_running_loop().time()
        self._tasks.start(f"twitch.batch.{self._name}", self._ask(batch), alone=len(batch) > 1)

    async def _ask(self, batch: dict[K, asyncio.Future[V | None]]) -> None:
        failure: AppError = TwitchUnreachableError("The question to Twitch was broken off.")
        values: Mapping[K, V] | None = None
        try:
            values = await self._call(list(batch))
        except AppError as error:
            failure = error
        finally:  # also when cancelled or broken: nobody may wait for an answer that never comes
            self._hand_out(list(batch.items()), values, failure)

    def _hand_out(
        self, batch: list[tuple[K, asyncio.Future[V | None]]], values: Mapping[K, V] | None, failure: AppError
    ) -> None:
        """A few a turn of the loop: a hundred that wake together would hold up everything else."""
        for key, future in batch[:_TOGETHER]:
            del self._flying[key]
            if values is not None:
                future.set_result(values.get(key))
            else:
                _fail(future, failure)
        if rest := batch[_TOGETHER:]:
            asyncio.get_running_loop().call_soon(self._hand_out, rest, values, failure)


def _fail(future: asyncio.Future[V], error: AppError) -> None:
    future.set_exception(error)
    future.exception()  # marks it as seen, even if all who waited are gone
