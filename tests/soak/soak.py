"""The real program for as long as one likes, with everything around it failing at random; and a verdict."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import msgspec

from itsjustintv_desktop.engine.control import address
from itsjustintv_desktop.engine.control.client import ControlClient
from itsjustintv_desktop.engine.core.errors import ControlError, NotFoundError, UsageError
from itsjustintv_desktop.engine.core.models import DeliveryState
from itsjustintv_desktop.engine.core.tasks import Tasks
from tests.faults import killing
from tests.faults.killing import DOWN, FIT, Scene
from tests.faults.load import Load
from tests.soak import gauge
from tests.soak.gauge import Gauge, Sample
from tests.soak.strangers import Strangers
from tests.soak.verdict import Account, settle
from tests.soak.weather import Weather
from tests.support.ports import free_port
from tests.support.process import MODULE
from tests.support.waiting import until

TWITCHS_RATE = 800
"""Calls a minute."""
SUBSCRIBED_SECONDS = 180.0
DRAIN_SECONDS = 600.0
TASKS_SECONDS = 120.0

Say = Callable[[str], None]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How it shall be."""

    seconds: float = 3600.0
    rate: float = 20.0
    """Messages a second."""
    seed: int = 1
    streamers: int = 300
    every: float = 5.0
    """Seconds between two looks at it."""
    tasks_seconds: float = TASKS_SECONDS
    """How long tasks may take to end when all is quiet again."""
    kills: int = 0
    config_edits: bool = False

    @property
    def warm(self) -> float:
        """Until when growth is no leak: ten minutes, in short runs a sixth."""
        return min(600.0, self.seconds / 6)


class Result(msgspec.Struct, kw_only=True):
    """Figures, and why it failed (empty: it did not)."""

    plan: Plan
    account: Account
    growth: dict[str, tuple[float, float]]
    """rss, pss: medians after warming up and at the end, MB."""
    before: Sample
    after: Sample
    most: dict[str, float]
    weather: dict[str, int]
    strangers: dict[str, int]
    drained_in: float
    samples: list[Sample]
    failures: list[str] = []


async def run(folder: Path, plan: Plan, say: Say = print, *, program: Sequence[str] = MODULE) -> Result:
    """Raises only if it cannot be run at all; all else is told in `failures`."""
    async with killing.scene(folder, streamers=plan.streamers, program=program) as scene:
        scene.serve.environ |= _environ(free_port())
        return await Soak(scene, plan, say).run()


def _environ(port: int) -> dict[str, str]:
    return {
        "ITSJUSTINTV_SERVER_PORT": str(port),
        "ITSJUSTINTV_TWITCH_INCOMING_WEBHOOK_URL": f"http://127.0.0.1:{port}/twitch",
        "ITSJUSTINTV_TWITCH_POLL_INTERVAL": "1m",
        "ITSJUSTINTV_RETRY_INITIAL_DELAY": "1s",
        "ITSJUSTINTV_RETRY_MAX_DELAY": "20s",
    }


class Soak:
    def __init__(self, scene: Scene, plan: Plan, say: Say) -> None:
        self._scene = scene
        self._serve = scene.serve
        self._plan = plan
        self._say = say
        self._load = Load(scene.simulator, lambda: scene.serve.address, plan.seed)
        self._gauge = Gauge(scene.serve)
        self._strangers = Strangers(lambda: scene.serve.address, scene.simulator.webhook_secret, plan.seed)
        self._weather = Weather(
            scene.simulator,
            plan.seed,
            (*FIT, DOWN),
            plan.seconds,
            lambda text: self._tell(f"         {text}"),
            self._edit if plan.config_edits else None,
        )
        self._config = scene.paths.config.read_text(encoding="utf-8")
        self._whole = asyncio.Lock()
        """Held while the config may be broken."""
        self._failures: list[str] = []
        self._began = time.monotonic()
        self._slimmed = 0

    async def run(self) -> Result:
        tasks = Tasks()
        try:
            await self._serve.started()
            before = await self._rested()
            self._gauge.begin()
            self._began = time.monotonic()
            busy = [
                tasks.start("soak.load", self._load.run(self._plan.rate)),
                *self._weather.begin(tasks),
                *self._strangers.begin(tasks),
                tasks.start("soak.person", self._person()),
            ]
            if self._plan.kills:
                busy.append(tasks.start("soak.kills", self._kill()))
            await self._watch()
            for task in busy:
                if task.done() and task.exception() is not None:
                    self._failures.append(f"the soak itself broke: {task.exception()!r}")
                task.cancel()
            await asyncio.wait(busy, timeout=30.0)
            self._weather.clear()
            self._scene.paths.config.write_text(self._scene.config, encoding="utf-8")
            drained_in = await self._drain()
            after = await self._settled_tasks(before)
            if (code := await self._serve.stop()) != 0:
                self._failures.append(f"it did not stop cleanly: {code}")
            self._gauge.read_log()
        finally:
            await tasks.stop()
            await self._load.close()
        return await self._result(before, after, drained_in)

    async def _watch(self) -> None:
        """Look at it every few seconds until the time is over."""
        due = self._began
        while (passed := time.monotonic() - self._began) < self._plan.seconds:
            sample = await self._gauge.note()
            self._slim()
            if self._serve.process.returncode is not None and not self._plan.kills:
                self._failures.append(f"it ended by itself: {self._serve.process.returncode}")
                return
            if sample is not None and passed >= (due - self._began):
                due += max(self._plan.every, min(30.0, self._plan.seconds / 20))
                self._progress(sample)
            await asyncio.sleep(self._plan.every)

    def _slim(self) -> None:
        """Two hundred thousand sets of headers would be too much for this process."""
        posts = self._scene.simulator.receiver.all
        for post in posts[self._slimmed : -50]:
            post.headers, post.body, post.json = {}, b"", None
        self._slimmed = max(self._slimmed, len(posts) - 50)

    async def _rested(self) -> Sample:
        """How it is before anything happens, subscriptions made and all."""
        self._scene.simulator.rate.limit = TWITCHS_RATE
        await self._subscribed(SUBSCRIBED_SECONDS)
        looks = []
        for _ in range(10):  # short-lived ones come and go
            looks.append(await self._gauge.look())
            await asyncio.sleep(0.5)
        found = [each for each in looks if each is not None and each.tasks]
        assert found, f"it does not answer:\n{self._serve.tail()}"
        names = {name for each in found for name in each.tasks}
        return msgspec.structs.replace(
            found[-1], tasks={name: max(each.tasks.get(name, 0) for each in found) for name in sorted(names)}
        )

    async def _subscribed(self, timeout: float) -> None:
        held = self._scene.simulator.eventsub
        wanted = 2 * self._plan.streamers
        async with asyncio.timeout(timeout):
            while sum(one.status == "enabled" for one in held.subscriptions) < wanted:
                await asyncio.sleep(0.2)

    async def _person(self) -> None:
        """The owner of a destination that paused itself (410) mends it and says so."""
        dice = random.Random(f"{self._plan.seed} person")
        while True:
            await asyncio.sleep(dice.uniform(3, 15))
            await self._with_client(self._resume)

    async def _resume(self, client: ControlClient) -> None:
        for one in await client.destinations.list():
            if one.state == "paused":
                for waiting in await client.deliveries.list(
                    destination=one.name, states=[DeliveryState.PENDING], limit=1
                ):
                    await client.deliveries.retry(waiting.id)

    async def _with_client(self, ask: Callable[[ControlClient], Awaitable[None]]) -> None:
        found = address.read(self._scene.paths.control)
        if found is not None:
            with contextlib.suppress(ControlError, UsageError, NotFoundError):
                async with ControlClient(found) as client:
                    await ask(client)

    async def _kill(self) -> None:
        dice = random.Random(f"{self._plan.seed} kill")
        for _ in range(self._plan.kills):
            await asyncio.sleep(self._plan.seconds / (self._plan.kills + 1) * dice.uniform(0.8, 1.0))
            async with self._whole:  # with a broken config it would rightly not start
                self._tell("         kill -9")
                await self._serve.kill()
                await self._serve.started()

    async def _edit(self, dice: random.Random) -> str:
        """One edit of the config, as people and editors make them; a broken one is mended after a moment."""
        async with self._whole:
            return await self._edited(dice)

    async def _edited(self, dice: random.Random) -> str:
        path, good = self._scene.paths.config, self._config
        what = dice.choice(("other lines", "saved by rename", "half written", "deleted", "a mistake"))
        if what in {"half written", "a mistake"}:
            broken = good[: len(good) // 2] if what == "half written" else f"{good}\n[retry]\nmax_delay = 7\n"
            path.write_text(broken, encoding="utf-8")
        elif what == "deleted":
            path.unlink()
        if what != "other lines":
            await asyncio.sleep(dice.uniform(0.5, 3))
        self._config = good = f"{self._scene.config}# edited {dice.random()}\n"
        if what == "saved by rename":
            fresh = path.with_suffix(".new")
            fresh.write_text(good, encoding="utf-8")
            fresh.replace(path)
        else:
            path.write_text(good, encoding="utf-8")
        return what

    async def _drain(self) -> float:
        """All is well outside now: whatever waits must go out. The seconds it took."""
        begun = time.monotonic()
        self._tell("the faults are over, it drains")
        try:
            await self._load.settled(60.0)
            # Events are numbered; those long before the end were settled long ago, and the verdict looks at them all.
            self._scene.skip_to(len({sent.message.id for sent in self._load.sent if sent.acknowledged}) - 1000)
            await until(self._scene.idle, timeout=DRAIN_SECONDS, what="the queue is drained")
        except (TimeoutError, AssertionError) as error:
            self._failures.append(f"it did not drain: {error}")
        return time.monotonic() - begun

    async def _settled_tasks(self, before: Sample) -> Sample:
        """Connections and loops need a while to end; what is left over then is a leak."""
        await self._load.close()
        deadline = time.monotonic() + self._plan.tasks_seconds
        while True:
            after = await self._gauge.look()
            more = gauge.leaked(before.tasks, after.tasks) if after is not None and after.tasks else {"no answer": 1}
            if not more or time.monotonic() > deadline:
                break
            await asyncio.sleep(1.0)
        if more:
            self._failures.append(f"tasks leaked: {more}")
        assert after is not None, "it does not run any more"
        return after

    async def _result(self, before: Sample, after: Sample, drained_in: float) -> Result:
        posts = self._scene.simulator.receiver.all
        account = await asyncio.to_thread(
            settle, self._scene.paths.ledger, self._load, self._scene.expected, posts
        )  # fmt: skip
        samples = self._gauge.samples
        grown = {
            name: gauge.growth(samples, of, self._plan.warm, self._plan.seconds)
            for name, of in (("rss", lambda one: one.rss), ("pss", lambda one: one.pss))
        }
        failures = self._failures
        # By what it holds itself: its share of what is shared depends on who else runs.
        first, last = grown["rss"]
        if last - first >= gauge.MOST_GROWTH and not self._plan.kills:
            failures.append(f"memory grew: from {first:.1f} to {last:.1f} MB")
        failures += [f"an error in its log: {line}" for line in self._gauge.trouble[:20]]
        failures += [f"hostile input: {text}" for text in self._strangers.wrong[:20]]
        for kind in ("lost", "doubled", "other"):
            failures += [f"{kind}: {text}" for text in getattr(account, kind)[:20]]
        return Result(
            plan=self._plan,
            account=account,
            growth=grown,
            before=before,
            after=after,
            most={
                name: max(float(getattr(one, name)) for one in samples)
                for name in ("rss", "pss", "threads", "descriptors", "ledger", "waiting")
            }
            | {"tasks": max(sum(one.tasks.values()) for one in samples)},
            weather=dict(sorted(self._weather.counts.items())),
            strangers=dict(sorted(self._strangers.counts.items())),
            drained_in=drained_in,
            samples=samples,
            failures=failures,
        )

    def _progress(self, sample: Sample) -> None:
        acknowledged = sum(1 for sent in self._load.sent if sent.acknowledged)
        faults = ", ".join(f"{place} {what}" for place, what in self._weather.now.items()) or "all is well"
        self._tell(
            f"messages {len(self._load.sent)}, acknowledged {acknowledged}, rss {sample.rss:.1f} MB, "
            f"pss {sample.pss:.1f} MB, tasks {sum(sample.tasks.values())}, threads {sample.threads}, "
            f"fds {sample.descriptors}, ledger {sample.ledger:.1f} MB, waiting {sample.waiting}, "
            f"errors {len(self._gauge.trouble)} | {faults}"
        )

    def _tell(self, text: str) -> None:
        passed = int(time.monotonic() - self._began)
        self._say(f"{passed // 60:3d}:{passed % 60:02d} {text}")
