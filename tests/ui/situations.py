"""The real program and what can happen to it: for the test that everybody gives the same answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from itsjustintv_desktop.app import Desktop
from itsjustintv_desktop.engine import Level
from itsjustintv_desktop.engine.core.errors import (
    SecretsLockedError,
    TwitchUnreachableError,
)
from itsjustintv_desktop.engine.core.models import DeliveryState, Outcome
from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.engine.ingress.transports import TransportState, TransportStatus
from itsjustintv_desktop.engine.monitoring import watchdog
from itsjustintv_desktop.engine.storage.secrets import TWITCH_CLIENT_SECRET
from itsjustintv_desktop.engine.storage.secrets.secret_backend import UnlockResult
from itsjustintv_desktop.simulator import Simulator
from tests.support.waiting import until

NAMES = "abcdefghi"
HEAD = """
[server]
port = 0
[secrets]
store = "passphrase"
[twitch]
transport = "conduit"
{twitch}
[destinations.shared]
url = "RECEIVER/shared"
[destinations.single]
url = "@keyring"
{single}
"""
SOON = 1.0
"""Seconds within which all agree, as a rule; a machine that is busy may take longer now and then."""
LATE = 10.0


class Stage:
    """The program, and what can be done to it. Everything is put right again by `reset`."""

    def __init__(self, paths: Paths) -> None:
        self.paths = paths
        self.simulator: Simulator
        self.desktop: Desktop
        self.undo: list[Callable[[Any], Any]] = []
        self._written = ""
        self.has_config = True

    async def on_engine(self, act: Callable[[Any], Any]) -> Any:
        async def run(engine: Any) -> Any:
            found = act(engine)
            return await found if asyncio.iscoroutine(found) else found

        return await self.desktop.bridge.call(run)

    def text(self, twitch: str = "", single: str = "", **changes: str) -> str:
        """A config; `changes` are further lines of a streamer. "i" announces to `single`, all others to `shared`."""
        found = [HEAD.format(twitch=twitch, single=single).replace("RECEIVER", f"{self.simulator.url}/receiver")]
        for name in NAMES:
            where = 'destinations = ["single"]' if name == "i" else 'destinations = ["shared"]'
            found.append(f'[streamers.{name}]\nlogin = "{name}"\n{changes.get(name, where)}\n')
        return "\n".join(found)

    async def write(self, text: str) -> None:
        """Until it is in force, or was refused."""
        self.paths.config.write_text(text, encoding="utf-8")
        await self.on_engine(lambda engine: engine.reload.trigger())

        def is_taken(engine: Any) -> bool:
            return engine.reload.state.state != "ok" or (self.paths.config.exists() and _digest(engine, text))

        await self.wait(is_taken)
        self._written = text

    async def wait(self, condition: Callable[[Any], Any]) -> None:
        async def met() -> Any:
            return await self.on_engine(condition)

        await until(met)

    async def arrives(self) -> None:
        """One announcement to each destination, delivered."""
        for login in ("a", "i"):
            await self.wait(_settled(await self.sends_test(login)))

    async def sends_test(self, login: str) -> int:
        event: int = await self.on_engine(lambda engine: engine.api.announcements.test_event(login))
        return event

    async def fails(self, state: DeliveryState, **fault: object) -> None:
        """An announcement to `single` that it refuses, or does not take now."""
        self.simulator.faults.set_receiver("single", **fault)
        event = await self.sends_test("i")

        async def came(engine: Any) -> bool:
            report = await engine.api.announcements.event_report(event)
            return any(each.state is state and each.attempts for each in report.deliveries)

        await self.wait(came)
        self.undo.append(lambda engine: _take_back(engine, event))

    async def reset(self) -> None:
        self.simulator.faults.clear()
        undo, self.undo = self.undo, []
        for act in reversed(undo):
            await self.on_engine(act)
        if self._written != self.text():
            await self.write(self.text())
        await self.on_engine(_put_right)
        if undo:
            await self.arrives()
        await self.on_engine(lambda engine: engine.api.diagnostics.doctor())


def _digest(engine: Any, text: str) -> bool:
    from itsjustintv_desktop.engine.config.load import digest_of

    return bool(engine.loaded.digest == digest_of(text.encode()))


def _settled(event: int) -> Callable[[Any], Awaitable[bool]]:
    async def is_settled(engine: Any) -> bool:
        return bool((await engine.api.announcements.event_report(event)).is_settled)

    return is_settled


async def _take_back(engine: Any, event: int) -> None:
    for each in (await engine.api.announcements.event_report(event)).deliveries:
        if each.state is DeliveryState.PENDING:
            await engine.api.deliveries.drop(each.id)


async def _put_right(engine: Any) -> None:
    await engine.pause.resume()
    for name in ("shared", "single"):
        await engine.api.destinations.resume(name)
    engine.supervisor.broken.clear()
    engine.watch.disk.free = 10**11
    engine.health.add("public port", lambda: None)
    await engine.secrets.refresh()
    await engine.secrets.get(TWITCH_CLIENT_SECRET)
    subscriptions = engine.reach.subscriptions
    subscriptions._withheld.clear()
    subscriptions.trigger("config")
    await subscriptions.listing()


Act = Callable[[Stage], Awaitable[object]]


class Situation(NamedTuple):
    name: str
    act: Act
    level: Level
    headline: str
    rows: Mapping[str, str]
    """Levels of "i", and of destinations, that are not ok."""


def on_engine(act: Callable[[Any], Any]) -> Act:
    return lambda stage: stage.on_engine(act)


def config(**changes: str) -> Act:
    return lambda stage: stage.write(stage.text(**changes))


def breaks(name: str) -> Act:
    return on_engine(lambda engine: engine.supervisor.broken.update({name: "ValueError"}))


def pauses(*names: str) -> Act:
    def act(engine: Any) -> None:
        for name in names:
            engine.dispatcher.queues.queue(name).breaker.pause("it answered 410 Gone", "", engine.now())

    return on_engine(act)


def opens(engine: Any) -> None:
    for _ in range(20):
        engine.dispatcher.queues.queue("single").breaker.record(Outcome.RETRY, engine.now(), "it answered 503")


def in_state(state: TransportState, code: str, message: str) -> Act:
    """A change of the config may make the way say how it is once more, a moment later."""

    def tell(engine: Any, *said: Any) -> TransportStatus:
        before: TransportStatus = engine.reach.way.status
        engine.reach.way._tell(*said)
        return before

    async def act(stage: Stage) -> None:
        before = await stage.on_engine(lambda engine: tell(engine, state, code, message))
        stage.undo.append(lambda engine: tell(engine, before.state, before.code, before.message))
        since = time.monotonic()
        while time.monotonic() - since < 0.3:
            if (await stage.on_engine(lambda engine: tell(engine, state, code, message))).state is not state:
                since = time.monotonic()
            await asyncio.sleep(0.01)

    return act


async def both(stage: Stage, *acts: Act) -> None:
    for act in acts:
        await act(stage)


def together(*acts: Act) -> Act:
    return lambda stage: both(stage, *acts)


def unanswered(**fault: Any) -> Act:
    async def act(stage: Stage) -> None:
        stage.simulator.faults.set("*", **fault)
        error = TwitchUnreachableError("There is no connection.")
        await stage.on_engine(lambda engine: engine.twitch.client.failed(error))
        stage.undo.append(lambda engine: None)

    return act


def locks(*, forgets: bool) -> Act:
    error = SecretsLockedError("The keyring is locked.")

    def act(engine: Any) -> None:
        if forgets:
            engine.secrets._cache.clear()
        engine.secrets._note(UnlockResult(error, error))

    return on_engine(act)


def clock_is_wrong(stage: Stage) -> Awaitable[object]:
    def act(engine: Any) -> None:
        engine.twitch.skew.describe = lambda: "This computer's clock is 9 minutes behind Twitch's."
        stage.undo.append(lambda engine: engine.twitch.skew.__dict__.pop("describe"))

    return stage.on_engine(act)


async def revokes(stage: Stage) -> None:
    async def revoke(engine: Any) -> None:
        user_id = engine.live.resolved["i"].user_id
        for held in list(stage.simulator.eventsub.subscriptions):
            if held.condition.get("broadcaster_user_id") == user_id:
                await stage.simulator.revoke(held, "authorization_revoked")
        await until(lambda: engine.reach.subscriptions.states[user_id].status == "failing")

    await stage.on_engine(revoke)


def refuses(stage: Stage) -> Awaitable[None]:
    return stage.fails(DeliveryState.DEAD, status=301, redirect="https://example.org")


async def refuses_pictures(stage: Stage) -> None:
    def note(engine: Any) -> None:
        engine.dispatcher.queues.queue("single").only_link = engine.now()

    await stage.on_engine(note)
    await stage.arrives()


def has_disk(size: int) -> Act:
    async def act(stage: Stage) -> None:
        real = watchdog.free
        watchdog.free = lambda _: size  # type: ignore[assignment]

        def put_back(engine: Any) -> None:
            watchdog.free = real

        stage.undo.append(put_back)
        await stage.on_engine(lambda engine: setattr(engine.watch.disk, "free", size))

    return act


def has_property(part: Callable[[Any], object], name: str, value: object) -> Act:
    """A part that says so of itself, whatever it does meanwhile."""

    async def act(stage: Stage) -> None:
        def change(engine: Any) -> None:
            kind = type(part(engine))
            real = getattr(kind, name)
            stage.undo.append(lambda _: setattr(kind, name, real))
            setattr(kind, name, property(lambda _: value))

        await stage.on_engine(change)

    return act


async def goes_missing(stage: Stage) -> None:
    stage.paths.config.unlink()
    await stage.on_engine(lambda engine: engine.reload.trigger())
    await stage.wait(lambda engine: engine.reload.state.state == "missing")
    stage._written = ""


async def gets_a_double(stage: Stage) -> None:
    user_id = stage.simulator.state.get("a").user_id
    await stage.write(stage.text() + f'[streamers.j]\nuser_id = "{user_id}"\ndestinations = ["shared"]\n')
