"""A keyring that a person unlocks outside of the program is noticed, and what waits for a secret tries again."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from itsjustintv_desktop.engine.engine import Engine

EVERY = 10.0
"""Seconds between two looks."""
LOOK_SECONDS = 5.0
"""A keyring that takes longer is looked at again later; its answer is taken then."""


async def run(engine: Engine) -> None:
    """Look until cancelled. Can be started again."""
    while True:
        await look(engine)
        await engine.clock.sleep(EVERY)


async def look(engine: Engine) -> None:
    """One look, asking nobody, while the secrets are locked. Over a conduit nothing else looks for them."""
    if engine.secrets.state.status != "locked":
        return
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LOOK_SECONDS):
            state = await engine.secrets.refresh()
            if state.status == "ready":
                try_again(engine)


def try_again(engine: Engine) -> None:
    """Whatever waits for a secret tries now."""
    engine.signing.look_again()
    engine.twitch.directory.refresh()
    engine.dispatcher.wake()
    if engine.listening is not None:
        engine.reach.way.trigger()
        engine.reach.subscriptions.trigger("secret")
