"""What happens in the demo, and when: good streams, and everything that goes wrong on a normal evening."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from itsjustintv_desktop.demo import environment
from itsjustintv_desktop.simulator.server import Simulator

Say = Callable[[str], None]

LEAST_SECONDS = 5.0


class Script:
    """Plays the scenes spread over `seconds`, leaving the end for what is still on its way."""

    def __init__(self, simulator: Simulator, say: Say, *, callback: str) -> None:
        self._simulator = simulator
        self._say = say
        self._callback = callback
        self._subscriptions: dict[str, str] = {}

    async def subscribe(self) -> None:
        """Have Twitch ask our callback whether it is ours, and watch every channel. Raises RuntimeError."""
        for login in environment.CHANNELS:
            channel = self._simulator.state.get(login)
            made = await self._simulator.subscribe(channel.user_id, "stream.online", self._callback)
            if made.status != "enabled":
                raise RuntimeError(f"Twitch's challenge for {login} was not answered rightly: {made.status}")
            self._subscriptions[login] = made.id
        self._say(f"asked {len(environment.CHANNELS)} times whether our address is ours, and got the right answer")

    async def play(self, seconds: float) -> None:
        """All scenes; returns about 4 s before `seconds` are over."""
        scenes: list[Callable[[], Awaitable[None]]] = [
            self._plain, self._no_destination, self._receiver_down, self._filtered, self._duplicates, self._slow_helix,
        ]  # fmt: skip
        pause = max(0.2, (seconds - 4.0) / len(scenes))
        for scene in scenes:
            await scene()
            await asyncio.sleep(pause)

    async def _plain(self) -> None:
        self._say("pixelforge goes live")
        await self._simulator.go_live("pixelforge", viewers=412)

    async def _no_destination(self) -> None:
        self._say("soupandstories goes live; it has no destination, so output.json is the output")
        await self._simulator.go_live("soupandstories", viewers=31)

    async def _receiver_down(self) -> None:
        self._say("the receiver `archive` answers 503 to its next two requests, then bytewright goes live")
        self._simulator.faults.set_receiver("archive", status=503, times=2)
        await self._simulator.go_live("bytewright", viewers=96)

    async def _filtered(self) -> None:
        self._say("quietcorner goes live; its tag filter wants Speedrun")
        await self._simulator.go_live("quietcorner", viewers=7)

    async def _duplicates(self) -> None:
        self._say("aurora_plays goes live; we are told three times, once with another message id")
        self._simulator.faults.duplicates = 1
        await self._simulator.go_live("aurora_plays", viewers=2_304)
        await self._simulator.go_live("aurora_plays")
        self._simulator.faults.duplicates = 0

    async def _slow_helix(self) -> None:
        self._say("the list of streams lags by 2 s, and nachtschicht goes live")
        self._simulator.faults.streams_lag = 2.0
        await self._simulator.go_live("nachtschicht", viewers=154)
