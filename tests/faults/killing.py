"""Kills the real program at random moments under load, while its destinations and Twitch's API fail at random.

`run` gives a Verdict. Also a program: `python -m tests.faults.killing --kills 200` prints its table.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from itsjustintv_desktop.engine.control import address
from itsjustintv_desktop.engine.control.client import ControlClient
from itsjustintv_desktop.engine.core.errors import ControlError, NotFoundError, UsageError
from itsjustintv_desktop.engine.core.models import DeliveryState
from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.simulator import Simulator
from itsjustintv_desktop.simulator.faults import ReceiverFault
from tests.faults.load import Load
from tests.faults.verdict import Kill, Verdict, examine
from tests.support.process import MODULE, Serve
from tests.support.waiting import until

SECRET = "a-secret-of-the-receivers"
STANDARD_SECRET = "whsec_c2l4dGVlbiBieXRlcyBvZiBrZXkgYW5kIG1vcmU="
LINES = 100
"""max_lines of output.json: long enough to write that kills meet it."""
DOWN = "down"
"""The destination that never works: its breaker opens and its deliveries stay in the queue."""
FIT = ("main", "sealed", "long", "chat", "picky")
"""Destinations that work in the end."""

_CONFIG = f"""
[server]
port = 0
[secrets]
store = "memory"
[twitch]
restart_window = "0s"
[retry]
initial_delay = "100ms"
max_delay = "1s"
[output]
max_lines = {LINES}
[destinations.main]
url = "RECEIVER/main"
secret = "{SECRET}"
timeout = "5s"
[destinations.sealed]
url = "RECEIVER/sealed"
secret = "{STANDARD_SECRET}"
signature = "standard-webhooks"
timeout = "5s"
[destinations.long]
url = "RECEIVER/long"
secret = "{SECRET}"
hashing = "SHA-512"
header = "X-Signed"
timeout = "5s"
[destinations.chat]
url = "RECEIVER/chat"
format = "discord"
timeout = "5s"
[destinations.picky]
url = "RECEIVER/picky"
secret = "{SECRET}"
timeout = "5s"
[destinations.{DOWN}]
url = "RECEIVER/{DOWN}"
secret = "{SECRET}"
timeout = "5s"
"""
_SETS = (
    ("main", "sealed"),
    ("main", "long", "chat"),
    ("sealed", "picky", "chat"),
    ("main", "sealed", "long", "picky"),
    ("main", DOWN),
)


def destinations_of(number: int) -> tuple[str, ...]:
    """Where the streamer of that number (from 0) is announced."""
    return _SETS[number % len(_SETS)]


class Scene:
    """Simulator, files and program of one run."""

    def __init__(self, folder: Path, simulator: Simulator, streamers: int, program: Sequence[str]) -> None:
        self.simulator = simulator
        self.paths = Paths(folder / "config" / "config.toml", folder / "data")
        self.lines = LINES
        self._settled = 0
        self.serve = Serve(self.paths, simulator.environment(), program=program)
        self.expected: dict[str, tuple[str, ...]] = {}
        """Destinations by user id of the streamer."""
        parts = [_CONFIG.replace("RECEIVER", f"{simulator.url}/receiver")]
        for number in range(streamers):
            channel = simulator.add_channel(f"streamer{number}", tags=("English",), followers=number)
            self.expected[channel.user_id] = destinations_of(number)
            names = ", ".join(f'"{name}"' for name in destinations_of(number))
            parts.append(f'[streamers.{channel.login}]\nuser_id = "{channel.user_id}"\nlogin = "{channel.login}"\n')
            parts.append(f"destinations = [{names}]\n")
        self.paths.config.parent.mkdir(parents=True, exist_ok=True)
        self.config = "".join(parts)
        self.paths.config.write_text(self.config, encoding="utf-8")
        simulator.receiver.expect("main", secret=SECRET)
        simulator.receiver.expect("sealed", secret=STANDARD_SECRET, scheme="standard-webhooks")
        simulator.receiver.expect("long", secret=SECRET, header="X-Signed", hashing="SHA-512")
        simulator.receiver.expect("picky", secret=SECRET)
        simulator.receiver.expect(DOWN, secret=SECRET)

    @property
    def output(self) -> Path:
        return self.paths.data / "output.json"

    def read_output(self) -> list[dict[str, object]]:
        """Raises if it is anything but a whole JSON array; none yet = empty."""
        try:
            content = self.output.read_bytes()
        except FileNotFoundError:
            return []
        return msgspec.json.decode(content, type=list[dict[str, object]])

    def skip_to(self, event_id: int) -> None:
        """Events before this one are known to be settled."""
        self._settled = max(self._settled, event_id)

    async def idle(self, stuck: Sequence[str] = ()) -> bool:
        """Whether no event and no delivery waits, `stuck` destinations apart. Asks the running program."""
        found = address.read(self.paths.control)
        if found is None:
            return False
        with contextlib.suppress(ControlError, UsageError):
            async with ControlClient(found) as client:
                if not await self._all_events_settled(client):
                    return False
                health = await client.health()
                waiting = [
                    one
                    for name in self._names(stuck)
                    for one in await client.deliveries.list(
                        states=[DeliveryState.PENDING, DeliveryState.SENDING], destination=name, limit=1
                    )
                ]
                for one in waiting:
                    # An open breaker waits 30 s and more. A person who knows better says "retry"; so does this.
                    if f"destination {one.destination}" in health["parts"]:
                        await client.deliveries.retry(one.id)
                return not waiting
        return False

    async def _all_events_settled(self, client: ControlClient) -> bool:
        """Event ids have no gaps: go on from the last one known to be settled."""
        with contextlib.suppress(NotFoundError):
            while (await client.announcements.event_report(self._settled + 1)).state != "accepted":
                self._settled += 1
            return False
        return True

    def _names(self, stuck: Sequence[str]) -> list[str]:
        return sorted({name for names in self.expected.values() for name in names} - set(stuck))


@asynccontextmanager
async def scene(folder: Path, *, streamers: int = 3, program: Sequence[str] = MODULE) -> AsyncIterator[Scene]:
    """Everything but the program's start, which is the test's own business. It is killed in the end."""
    async with Simulator(rate_limit=1_000_000) as simulator:
        made = Scene(folder, simulator, streamers, program)
        try:
            yield made
        finally:
            await made.serve.close()


class _Weather:
    """Redraws what fails, a few times a second, and looks at output.json."""

    def __init__(self, scene: Scene, dice: random.Random) -> None:
        self._scene = scene
        self._dice = dice
        self.looks = 0

    async def run(self) -> None:
        while True:
            self.redraw()
            self._scene.read_output()
            self.looks += 1
            await asyncio.sleep(self._dice.uniform(0.05, 0.25))

    def redraw(self) -> None:
        faults, dice = self._scene.simulator.faults, self._dice
        faults.receivers.clear()
        faults.endpoints.clear()
        for name in FIT:
            if dice.random() < 0.6:
                faults.set_receiver(name, self._receiver_fault(name))
        if dice.random() < 0.5:
            endpoint = dice.choice(("users", "streams", "channels", "followers", "token", "images"))
            fault = dice.choice(({"status": 500}, {"hang": True, "times": 3}, {"latency": 0.3}, {"reset": True}))
            faults.set(endpoint, failure_rate=0.5, **fault)
        faults.set_receiver(DOWN, status=500)

    def _receiver_fault(self, name: str) -> ReceiverFault:
        dice = self._dice
        if name == "picky" and dice.random() < 0.2:
            return ReceiverFault(status=404, times=1)
        kinds = (
            ReceiverFault(status=500, failure_rate=0.4),
            ReceiverFault(status=429, retry_after="1", times=1),
            ReceiverFault(reset=True, failure_rate=0.4),
            ReceiverFault(hang=True, times=1),
            ReceiverFault(latency=dice.uniform(0.05, 0.5)),
        )
        return dice.choice(kinds)


async def run(
    folder: Path,
    *,
    kills: int,
    seed: int,
    streamers: int = 200,
    rate: float = 25.0,
    program: Sequence[str] = MODULE,
    drain_seconds: float = 90.0,
) -> Verdict:
    """Start, warm up, kill `kills` times, let it drain with healthy destinations, stop it, and examine everything.

    Raises if output.json is ever not whole, if the program does not come back, or if it cannot drain.
    """
    dice = random.Random(seed)
    async with scene(folder, streamers=streamers, program=program) as stage:
        serve = stage.serve
        load = Load(stage.simulator, lambda: serve.address, seed)
        weather = _Weather(stage, dice)
        background = Tasks()
        fallen: list[Kill] = []
        try:
            begun = time.monotonic()
            await serve.started()
            took = time.monotonic() - begun
            loading = background.start("kill.load", load.run(rate))
            await stage.simulator.receiver.wait_for(5 * len(FIT), timeout=30.0)
            blowing = background.start("kill.weather", weather.run())
            for _ in range(kills):
                at_work = await _random_moment(serve, dice, took)
                fallen.append(Kill(time.time(), at_work))
                await serve.kill()
                stage.read_output()
                await serve.start()
            assert await serve.ready() is not None, f"serve ended:\n{serve.tail()}"
            for task in (loading, blowing):
                assert not task.done(), task
                task.cancel()
            stage.simulator.faults.clear()
            stage.simulator.faults.set_receiver(DOWN, status=500)
            await load.settled(30.0)
            await until(lambda: stage.idle([DOWN]), timeout=drain_seconds, what="the queue is drained")
            code = await serve.stop()
        finally:
            await background.stop()
            await load.close()
        return await examine(stage, load, fallen, code)


async def _random_moment(serve: Serve, dice: random.Random, took: float) -> bool:
    """Wait for a moment of a life: a quarter of them in its start, the others at work. True: it was at work."""
    if dice.random() < 0.25:
        await asyncio.sleep(dice.uniform(0.0, took))
        return False
    assert await serve.ready() is not None, f"serve ended:\n{serve.tail()}"
    await asyncio.sleep(dice.uniform(0.0, 1.0))
    return True


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Kill the program at random moments under load.")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--streamers", type=int, default=200)
    parser.add_argument("--rate", type=float, default=25.0, help="messages a second")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        verdict = asyncio.run(
            run(Path(folder), kills=chosen.kills, seed=chosen.seed, streamers=chosen.streamers, rate=chosen.rate)
        )
    print(verdict.table())
    for fault in verdict.faults():
        print(fault)
    return 1 if verdict.faults() else 0


if __name__ == "__main__":
    sys.exit(main())
