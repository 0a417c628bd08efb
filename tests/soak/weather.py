"""What fails when: each place goes bad and gets well by itself, at random times drawn from a seed."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.simulator import Simulator
from itsjustintv_desktop.simulator.faults import Fault, ReceiverFault

LONG_OUTAGE = 780.0
"""Seconds: more than the ten minutes after which Twitch is asked whether a stream still runs."""

_RECEIVERS: dict[str, Callable[[random.Random], ReceiverFault]] = {
    "500": lambda dice: ReceiverFault(status=500, failure_rate=dice.choice((0.3, 1.0))),
    "503 with a date": lambda _: ReceiverFault(status=503, retry_after="Wed, 21 Oct 2026 07:28:00 GMT"),
    "429": lambda _: ReceiverFault(status=429, retry_after="2"),
    "429 without end": lambda _: ReceiverFault(status=429, retry_after="9e99"),
    "404": lambda _: ReceiverFault(status=404, times=3),
    "410": lambda _: ReceiverFault(status=410, times=1),
    "redirect": lambda _: ReceiverFault(redirect="http://169.254.169.254/latest/meta-data/", failure_rate=0.5),
    "hangs": lambda _: ReceiverFault(hang=True, failure_rate=0.5),
    "resets": lambda dice: ReceiverFault(reset=True, failure_rate=dice.choice((0.3, 1.0))),
    "endless": lambda _: ReceiverFault(endless=True, failure_rate=0.3),
    "slow": lambda dice: ReceiverFault(latency=dice.uniform(0.1, 3.0)),
}
_HELIX: dict[str, Callable[[], Fault]] = {
    "401": lambda: Fault(status=401, failure_rate=0.5),
    "429": lambda: Fault(status=429, reset_in=5.0, failure_rate=0.5),
    "500": lambda: Fault(status=500),
    "503 now and then": lambda: Fault(status=503, failure_rate=0.4),
    "hangs": lambda: Fault(hang=True, failure_rate=0.5),
    "resets": lambda: Fault(reset=True),
    "breaks off": lambda: Fault(broken=True, failure_rate=0.5),
    "slow": lambda: Fault(latency=2.0),
}
_ENDPOINTS = ("users", "streams", "channels", "followers", "subscriptions", "token", "validate", "images", "*")


@dataclass(slots=True)
class Weather:
    """Redraws faults until cancelled. `tell` hears of every change, one line each."""

    simulator: Simulator
    seed: int
    receivers: Sequence[str]
    seconds: float
    """How long all of it lasts: no fault is long beside it."""
    tell: Callable[[str], None]
    edit: Callable[[random.Random], Awaitable[str]] | None = None
    """Touches the config and says how; left out unless asked for."""
    now: dict[str, str] = field(default_factory=dict)
    """Place -> what is wrong there at the moment."""
    counts: Counter[str] = field(default_factory=Counter)

    def begin(self, tasks: Tasks) -> list[asyncio.Task[None]]:
        """One task a place."""
        places: list[tuple[str, Callable[[random.Random], tuple[str, Callable[[], None]]]]] = [
            *((f"receiver {name}", self._receiver(name)) for name in self.receivers),
            *((f"twitch {endpoint}", self._twitch(endpoint)) for endpoint in _ENDPOINTS),
            ("twitch lags", self._lag),
            ("twitch's clock", self._clock),
            ("token", self._token),
        ]
        begun = [tasks.start("soak.weather", self._change(name, draw)) for name, draw in places]
        if self.edit is not None:
            begun.append(tasks.start("soak.config", self._config(self.edit)))
        return begun

    def clear(self) -> None:
        """The sun comes out."""
        self.simulator.faults.clear()
        self.now.clear()

    async def _change(self, place: str, draw: Callable[[random.Random], tuple[str, Callable[[], None]]]) -> None:
        dice = random.Random(f"{self.seed} {place}")
        pace = min(1.0, self.seconds / 300)
        helix = not place.startswith("receiver")
        while True:
            await asyncio.sleep(dice.uniform(10, 180 if helix else 90) * pace)
            what, end = draw(dice)
            lasts = dice.uniform(3, 40) * pace
            if not helix and dice.random() < 0.04:
                lasts = min(LONG_OUTAGE, self.seconds / 4)
            self.counts[f"{place.split()[0]} {what}"] += 1
            self.now[place] = what
            self.tell(f"{place}: {what} for {lasts:.0f} s")
            await asyncio.sleep(lasts)
            end()
            self.now.pop(place, None)

    def _receiver(self, name: str) -> Callable[[random.Random], tuple[str, Callable[[], None]]]:
        def draw(dice: random.Random) -> tuple[str, Callable[[], None]]:
            what = dice.choice(list(_RECEIVERS))
            self.simulator.faults.set_receiver(name, _RECEIVERS[what](dice))
            return what, lambda: _forget(self.simulator.faults.receivers, name)

        return draw

    def _twitch(self, endpoint: str) -> Callable[[random.Random], tuple[str, Callable[[], None]]]:
        def draw(dice: random.Random) -> tuple[str, Callable[[], None]]:
            what = dice.choice(list(_HELIX))
            self.simulator.faults.set(endpoint, _HELIX[what]())
            return what, lambda: _forget(self.simulator.faults.endpoints, endpoint)

        return draw

    def _lag(self, dice: random.Random) -> tuple[str, Callable[[], None]]:
        faults = self.simulator.faults
        faults.streams_lag = dice.uniform(1, 30)
        return "streams show late", lambda: setattr(faults, "streams_lag", 0.0)

    def _clock(self, dice: random.Random) -> tuple[str, Callable[[], None]]:
        faults = self.simulator.faults
        faults.clock_skew = dice.uniform(-5, 5)
        return "wrong by seconds", lambda: setattr(faults, "clock_skew", 0.0)

    def _token(self, _: random.Random) -> tuple[str, Callable[[], None]]:
        self.simulator.faults.revoke_tokens()
        return "revoked", lambda: None

    async def _config(self, edit: Callable[[random.Random], Awaitable[str]]) -> None:
        dice = random.Random(f"{self.seed} config")
        while True:
            await asyncio.sleep(dice.uniform(5, 60) * min(1.0, self.seconds / 300))
            what = await edit(dice)
            self.counts[f"config {what}"] += 1
            self.tell(f"config: {what}")


def _forget(faults: dict[str, object] | dict[str, ReceiverFault] | dict[str, Fault], name: str) -> None:
    faults.pop(name, None)
