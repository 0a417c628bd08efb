"""Twitch, the machine with the program, its neighbour, and the hand that lets things happen to them."""

from __future__ import annotations

import os
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
import stamina

from itsjustintv_desktop.engine import EngineOptions
from itsjustintv_desktop.engine.announce import pipeline
from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.engine.engine import Engine
from itsjustintv_desktop.engine.twitch import client
from itsjustintv_desktop.simulator import Simulator, messages
from itsjustintv_desktop.simulator.subscriptions import SubscriptionStatus
from tests.faults.day.neighbour import Neighbour
from tests.faults.day.script import BY_LOGIN, LOGINS, Happening
from tests.faults.day.times import Times
from tests.support import tunnel
from tests.support.waiting import until

Transport = Literal["webhook", "conduit"]
SECRET = "what-the-receivers-know"
RESENDS = (1.0, 5.0, 15.0, 60.0)


@dataclass(slots=True)
class Run:
    """A channel was live, from `began` to `ended`. Twitch's list shows it from `visible` on. Unix seconds."""

    login: str
    stream_id: str
    began: float
    visible: float
    ended: float = float("inf")


@dataclass(slots=True)
class Diary:
    """What is known of the day without asking the program."""

    runs: list[Run] = field(default_factory=list)
    blind: list[tuple[float, float]] = field(default_factory=list)
    """When the program could not ask who is live: asleep, stopped, or Twitch's API down."""
    club_down: tuple[float, float] = (0.0, 0.0)
    revoked: list[str] = field(default_factory=list)
    """Subscriptions that were ended by hand."""


class World:
    """Methods named after what a script says: `do` calls them."""

    def __init__(self, folder: Path, simulator: Simulator, times: Times, transport: Transport, seed: int) -> None:
        self.simulator = simulator
        self.times = times
        self.transport = transport
        self.tunnel = tunnel.Tunnel(times.twitch)
        self.neighbour = Neighbour(simulator)
        self.diary = Diary()
        self.secrets_used: set[str] = set()
        """The webhook secrets that were in force at each start."""
        self.engine: Engine | None = None
        self._paths = Paths(folder / "config" / "config.toml", folder / "data")
        self._dice = random.Random(seed)
        self._tasks = Tasks()
        self._blind_since: dict[str, float] = {}
        times.busy = self._busy
        self.tunnel.target = lambda: self.engine.address if self.engine is not None else None

    @property
    def running(self) -> Engine:
        assert self.engine is not None, "it does not run"
        return self.engine

    async def prepare(self) -> None:
        """Channels, the neighbour, the config and the first address."""
        for number, login in enumerate(LOGINS):
            self.simulator.add_channel(login, tags=("English",), user_id=str(1000 + number))
        for name in ("main", "club"):
            self.simulator.receiver.expect(name, secret=SECRET)
        await self.tunnel.move()
        await self.neighbour.start()
        await self.neighbour.subscribe("ada", "stream.online")
        await self.neighbour.subscribe("ada", "channel.update")
        await self.neighbour.subscribe("bob", "stream.online")
        await self.neighbour.subscribe("bob", "stream.online", "two")
        if self.transport == "conduit":
            await self.neighbour.own_conduit("cleo")
        self._paths.config.parent.mkdir(parents=True)
        self._paths.config.write_text(_config(self.transport, f"{self.simulator.url}/receiver"))
        self._paths.config.chmod(0o600)

    async def close(self) -> None:
        await self._tasks.stop()
        if self.engine is not None:
            await self.engine.stop()
        await self.tunnel.close()
        await self.neighbour.stop()

    async def do(self, happening: Happening) -> None:
        await self.times.to(happening.at)
        await getattr(self, f"on_{happening.what}")(*happening.about.split())
        await self.times.rest()

    # Channels

    async def on_live(self, login: str, stream: str) -> None:
        began = await self.simulator.go_live(login, stream_id=stream)
        self.diary.runs.append(Run(login, stream, began.started_at, began.visible_at))

    async def on_again(self, login: str, stream: str) -> None:
        """Twitch told that it ended, and it goes on: the same id and the same beginning."""
        state = self.simulator.state
        first = next(run for run in self.diary.runs if run.stream_id == stream)
        again = await self.simulator.go_live(login, stream_id=stream, notify=False)
        again.started_at = first.began
        channel = state.get(login)
        event = messages.stream_online(state, channel, again)
        self.simulator.eventsub.notify("stream.online", channel.user_id, event)
        self.diary.runs.append(Run(login, stream, first.began, again.visible_at))

    async def on_offline(self, login: str) -> None:
        await self.simulator.go_offline(login)
        last = next(run for run in reversed(self.diary.runs) if run.login == login)
        last.ended = self.times.twitch.now()

    # The machine

    async def on_sleep(self) -> None:
        await self.tunnel.turn("offline")
        self.times.sleep()
        self._go_blind("sleep")
        self.simulator.faults.ws_silent = self._dice.random() < 0.5
        if not self.simulator.faults.ws_silent:
            await self.simulator.drop_sockets()

    async def on_wake(self) -> None:
        self.simulator.faults.ws_silent = False
        self.times.wake()
        self._see_again("sleep")
        await self.tunnel.turn("open")

    async def on_start(self) -> None:
        """The program starts on the files it left."""
        # The secret Twitch signs with is the program's own here, so that it can be changed.
        environ = {
            name: value
            for name, value in {**os.environ, **self.simulator.environment()}.items()
            if name != "ITSJUSTINTV_TWITCH_WEBHOOK_SECRET"
        }
        environ["ITSJUSTINTV_PASSPHRASE"] = "a passphrase of this test"
        engine = Engine(EngineOptions(paths=self._paths, environ=environ, clock=self.times.machine))
        await engine.start()
        for batcher in (
            engine.twitch.enricher._users,
            engine.twitch.enricher._channels,
            engine.twitch.enricher._streams,
        ):
            batcher._linger = batcher._interval = 0.0  # real seconds, which are hours here
        self.engine = engine
        await until(lambda: engine.signing.problem is None, what="the passphrase opened the vault")
        self.secrets_used.add(engine.signing.primary or "")
        self._see_again("stopped")

    async def on_stop(self) -> None:
        self._go_blind("stopped")
        engine, self.engine = self.running, None
        await engine.stop()

    async def on_new_secret(self) -> None:
        """`subscriptions sync --new-secret`"""
        self._tasks.start("day.new-secret", self.running.api.subscriptions.sync(new_secret=True))

    # Twitch

    async def on_helix_down(self) -> None:
        self._go_blind("helix")
        self.simulator.faults.set("*", status=503)

    async def on_helix_up(self) -> None:
        self.simulator.faults.endpoints.clear()
        self._see_again("helix")

    async def on_revoke_tokens(self) -> None:
        self.simulator.faults.revoke_tokens()

    async def on_revoke(self, status: str) -> None:
        """Of one of ours that tells of channels going live."""
        ours = [
            held
            for held in self.simulator.eventsub.subscriptions
            if held.type == "stream.online"
            and held.status is SubscriptionStatus.ENABLED
            and held not in self.neighbour.held
        ]
        chosen = self._dice.choice(ours)
        self.diary.revoked.append(chosen.id)
        self._tasks.start("day.revoke", self.simulator.revoke(chosen, status))

    async def on_duplicates(self, count: str) -> None:
        self.simulator.faults.duplicates = int(count)

    async def on_duplicate_ids(self, count: str) -> None:
        self.simulator.faults.duplicate_ids = int(count)

    async def on_streams_lag(self, seconds: str) -> None:
        self.simulator.faults.streams_lag = float(seconds)

    # The way

    async def on_move(self) -> None:
        await self.tunnel.move()

    async def on_silent(self) -> None:
        await self.tunnel.turn("silent")

    async def on_open(self) -> None:
        await self.tunnel.turn("open")

    async def on_drop(self, code: str = "") -> None:
        assert await self.simulator.drop_sockets(int(code) if code else None)

    async def on_reconnect(self) -> None:
        assert await self.simulator.ask_reconnect()

    async def on_ws_silent(self) -> None:
        self.simulator.faults.ws_silent = True

    async def on_ws_heard(self) -> None:
        self.simulator.faults.ws_silent = False

    async def on_delete_conduit(self) -> None:
        """Twitch takes ours away, as it does with one that nobody was connected to for 72 hours."""
        theirs = {held.transport.conduit_id for held in self.neighbour.held}
        (ours,) = [held.id for held in self.simulator.conduits if held.id not in theirs]
        self.simulator.conduits.delete(ours)

    # Destinations

    async def on_club_down(self) -> None:
        self.simulator.faults.set_receiver("club", status=503)
        self.diary.club_down = (self.times.twitch.now(), float("inf"))

    async def on_club_up(self) -> None:
        self.simulator.faults.receivers.clear()
        self.diary.club_down = (self.diary.club_down[0], self.times.twitch.now())

    def _go_blind(self, why: str) -> None:
        self._blind_since[why] = self.times.twitch.now()

    def _see_again(self, why: str) -> None:
        since = self._blind_since.pop(why, self.times.began)
        self.diary.blind.append((since, self.times.twitch.now()))

    def _busy(self) -> bool:
        if self.engine is None:
            return False
        writer = self.engine.ledger._writer
        if writer._jobs or writer._accepts or not writer._sleeping:
            return True
        if self.engine.signing._lock.locked() or self.engine.secrets._lock.locked():
            return True
        enricher = self.engine.twitch.enricher
        return any(each._waiting or each._flying for each in (enricher._users, enricher._channels, enricher._streams))


def _config(transport: Transport, receiver: str) -> str:
    text = f"""
[server]
port = 0
[secrets]
store = "passphrase"
[twitch]
transport = "{transport}"
[destinations.main]
url = "{receiver}/main"
secret = "{SECRET}"
[destinations.club]
url = "{receiver}/club"
secret = "{SECRET}"
"""
    for number, login in enumerate(LOGINS):
        who = f'login = "{login}"' if login == BY_LOGIN else f'login = "{login}"\nuser_id = "{1000 + number}"'
        text += f'[streamers.{login}]\n{who}\ndestinations = ["main", "club"]\n'
    return text


@asynccontextmanager
async def opened(
    folder: Path, transport: Transport, seed: int, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[World]:
    """Everything there, and nothing started yet."""
    random.seed(seed)  # jitter
    # What counts real time would be hours here: our own ceiling of calls, the pause between two pages of events.
    monkeypatch.setattr(client, "_CALLS_A_MINUTE", 1_000_000)
    monkeypatch.setattr(pipeline, "_BREATH", 0.0)
    with stamina.set_testing(True, attempts=2, cap=True), Times() as times:
        async with Simulator(clock=times.twitch, resend_delays=RESENDS, seed=seed) as simulator:
            world = World(folder, simulator, times, transport, seed)
            if transport == "webhook":
                tunnel.use(world.tunnel, monkeypatch)
            try:
                await world.prepare()
                yield world
            finally:
                await world.close()
