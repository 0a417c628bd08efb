"""The part of the ledger that keeps small things: subscriptions at Twitch, breakers, profiles, notes, the clock."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable
from typing import Any, TypeVar

from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.storage.ledger import keyed_values, shifting, subscribing

T = TypeVar("T")


class LedgerState(ABC):
    """All methods raise LedgerError, as those of Ledger."""

    _clock: Clock

    # Subscriptions at Twitch

    async def subscriptions(self) -> dict[str, subscribing.Remembered]:
        """Those we made, by id."""
        return await self._run(subscribing.load)

    async def remember_subscription(self, made: subscribing.Remembered) -> None:
        await self._run(subscribing.remember, made)

    async def forget_subscriptions(self, ids: Collection[str]) -> None:
        await self._run(subscribing.forget, list(ids))

    async def targets(self) -> list[str]:
        """Where our subscriptions ever pointed, the latest first."""
        return await self._run(subscribing.targets)

    async def remember_target(self, target: str) -> None:
        await self._run(subscribing.remember_target, target, self._clock.now())

    # Keeping small things

    async def load_breakers(self) -> dict[str, bytes]:
        return await self._run(keyed_values.load, "breakers")

    async def save_breaker(self, destination: str, state: bytes | None) -> None:
        """None forgets it."""
        await self._run(keyed_values.save, "breakers", [(destination, state)])

    async def load_profiles(self) -> dict[str, bytes]:
        return await self._run(keyed_values.load, "profiles")

    async def save_profiles(self, profiles: Iterable[tuple[str, bytes | None]]) -> None:
        await self._run(keyed_values.save, "profiles", list(profiles))

    async def meta(self, key: str) -> str | None:
        return await self._run(keyed_values.meta, key)

    async def set_meta(self, key: str, value: str) -> None:
        await self._run(keyed_values.set_meta, key, value)

    # The clock that times were written down by

    async def clock_frame(self) -> shifting.Frame | None:
        return await self._run(shifting.frame)

    async def keep_clock_frame(self, frame: shifting.Frame) -> None:
        await self._run(shifting.keep_frame, frame)

    async def next_boot(self, frame: shifting.Frame) -> shifting.Frame:
        """See shifting.next_boot."""
        return await self._run(shifting.next_boot, frame)

    async def shift_times(self, by: float, frame: shifting.Frame, *, earlier: bool = False) -> None:
        """See shifting.shift."""
        await self._run(shifting.shift, by, frame, earlier=earlier)

    @abstractmethod
    async def _run(self, job: Callable[..., T], *arguments: Any, **named: Any) -> T: ...
