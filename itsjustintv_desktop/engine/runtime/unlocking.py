"""A keyring that a person unlocks outside of the program is noticed, and what waits for a secret tries again."""

from __future__ import annotations

import asyncio
import contextlib

from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.events import Signal
from itsjustintv_desktop.engine.storage.secrets import SecretStore

EVERY = 10.0
"""Seconds between two looks."""
LOOK_SECONDS = 5.0
"""A keyring that takes longer is looked at again later; its answer is taken then."""


class Unlocking:
    def __init__(self, secrets: SecretStore, clock: Clock) -> None:
        self._clock = clock
        self._secrets = secrets
        self.unlocked: Signal[()] = Signal()
        """Whatever waits for a secret tries now."""

    async def run(self) -> None:
        """Look until cancelled. Can be started again."""
        while True:
            await self.look()
            await self._clock.sleep(EVERY)

    async def look(self) -> None:
        """One look, asking nobody, while the secrets are locked. Over a conduit nothing else looks for them."""
        if self._secrets.state.status != "locked":
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                state = await self._secrets.refresh()
                if state.status == "ready":
                    self.unlocked.emit()
