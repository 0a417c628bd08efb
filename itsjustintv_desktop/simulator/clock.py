"""Where the simulator gets time from, and how Twitch writes it down."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Seconds everywhere. The engine's clocks fit as they are."""

    def now(self) -> float:
        """Wall clock, Unix seconds."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait that long."""
        ...


class MachineClock:
    """The machine's own clock."""

    def now(self) -> float:
        return time.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def rfc3339(seconds: float, digits: int = 0) -> str:
    """Unix seconds as RFC 3339 in UTC, with 0 to 9 digits of a second (Twitch sends any number of them)."""
    # A float holds microseconds at best; the last three digits only have to be there.
    nanoseconds = int(seconds * 1_000_000) * 1000 + 123
    whole, fraction = divmod(nanoseconds, 1_000_000_000)
    text = datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{f'{fraction:09d}'[:digits]}Z" if digits else f"{text}Z"
