"""Waiting on conditions instead of sleeping for luck."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable
from typing import Any

_TURNS = 3


async def until(condition: Callable[[], Any], *, timeout: float = 30.0, what: str = "") -> Any:
    """Wait until `condition` (plain or async) gives something true, and return that. Fails the test otherwise.

    What was started in the same turn of the loop gets to its first wait, too: a clock that a test moves then wakes it.
    """
    deadline = time.monotonic() + timeout
    while True:
        found = condition()
        value = await found if inspect.isawaitable(found) else found
        if value:
            for _ in range(_TURNS):
                await asyncio.sleep(0)
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout:g} s: {what or inspect.getsource(condition).strip()}")
        await asyncio.sleep(0.005)
