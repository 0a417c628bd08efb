"""The real program in many situations: whoever is asked how things stand gives the same answer, and soon."""

from __future__ import annotations

import asyncio
import os
import signal
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication, QSystemTrayIcon
from qasync import QEventLoop

from itsjustintv_desktop.app import Desktop
from itsjustintv_desktop.engine import EngineOptions, Level
from itsjustintv_desktop.engine.config import watch as config_watch
from itsjustintv_desktop.engine.core.errors import (
    LedgerError,
    TwitchAuthError,
)
from itsjustintv_desktop.engine.core.models import DeliveryState
from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.engine.core.status import Status
from itsjustintv_desktop.engine.engine import Engine
from itsjustintv_desktop.engine.ingress.catch_up import catch_up
from itsjustintv_desktop.engine.ingress.transports import TransportState
from itsjustintv_desktop.engine.storage.secrets import TWITCH_CLIENT_SECRET
from itsjustintv_desktop.engine.twitch.subscriptions import reconciler
from itsjustintv_desktop.simulator import Simulator
from itsjustintv_desktop.ui.engine_thread import Setting
from itsjustintv_desktop.ui.gc_control import GcControl
from itsjustintv_desktop.ui.pages.destinations import View as Destinations
from itsjustintv_desktop.ui.pages.destinations.table import state_of as destination_state
from itsjustintv_desktop.ui.pages.overview import View as Overview
from itsjustintv_desktop.ui.pages.streamers import View as Streamers
from itsjustintv_desktop.ui.status import TONES
from itsjustintv_desktop.ui.status import state_of as streamer_state
from tests.support.waiting import until
from tests.ui.situations import (
    LATE,
    NAMES,
    SOON,
    Situation,
    Stage,
    breaks,
    clock_is_wrong,
    config,
    gets_a_double,
    goes_missing,
    has_disk,
    has_property,
    in_state,
    locks,
    on_engine,
    opens,
    pauses,
    refuses,
    refuses_pictures,
    revokes,
    together,
    unanswered,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ALL, ONE_LESS, NONE = (
    "All 9 streams will be announced", "8 of 9 streams will be announced", "No stream will be announced",
)  # fmt: skip
SHARED = 'destinations = ["shared"]'
SINGLE = 'destinations = ["single"]'
OFF_ALL = dict.fromkeys(NAMES, "enabled = false")
PAUSED = "Announcements are paused"
PAUSE = on_engine(lambda engine: engine.api.announcements.pause())
RESUME = on_engine(lambda engine: engine.api.announcements.resume())
FOR_AN_HOUR = on_engine(lambda engine: engine.api.announcements.pause(engine.now() + 3600))
SITUATIONS = [
    Situation("all is well", on_engine(lambda _: None), Level.OK, ALL, {}),
    Situation("paused", PAUSE, Level.PAUSED, PAUSED, {"i": "paused"}),
    Situation("resumed", RESUME, Level.OK, ALL, {}),
    Situation("paused for an hour", FOR_AN_HOUR, Level.PAUSED, PAUSED, {"i": "paused"}),
    Situation("the destination of one of nine refuses everything", refuses,
              Level.ATTENTION, ONE_LESS, {"i": "failing", "single": "failing"}),
    Situation("that, and paused", together(refuses, PAUSE), Level.PAUSED, PAUSED,
              {"i": "failing", "single": "failing"}),
    Situation("the destination of one of nine is gone", lambda stage: stage.fails(DeliveryState.PENDING, status=410),
              Level.ATTENTION, ONE_LESS, {"i": "failing", "single": "failing"}),
    Situation("one delivery was given up and another waits",
              together(refuses, lambda stage: stage.fails(DeliveryState.PENDING, status=503)), Level.ATTENTION,
              ONE_LESS, {"i": "failing", "single": "failing"}),
    Situation("a delivery waits for its next try", lambda stage: stage.fails(DeliveryState.PENDING, status=503),
              Level.ATTENTION, ALL, {"i": "attention", "single": "attention"}),
    Situation("a destination is left alone", on_engine(opens), Level.ATTENTION, ALL,
              {"i": "attention", "single": "attention"}),
    Situation("a destination was paused by its answers", pauses("single"), Level.ATTENTION, ONE_LESS,
              {"i": "failing", "single": "failing"}),
    Situation("the destination of eight of nine was", pauses("shared"), Level.ATTENTION,
              "1 of 9 streams will be announced", {"shared": "failing"}),
    Situation("all destinations were", pauses("shared", "single"), Level.FAILING, NONE,
              {"i": "failing", "shared": "failing", "single": "failing"}),
    Situation("a destination is paused by a person",
              on_engine(lambda engine: engine.api.destinations.pause("single")), Level.ATTENTION, ONE_LESS,
              {"i": "paused", "single": "paused"}),
    Situation("a destination refuses pictures", refuses_pictures, Level.ATTENTION, ALL,
              {"i": "attention", "single": "attention"}),
    Situation("a destination is switched off", config(single="enabled = false"), Level.ATTENTION, ONE_LESS,
              {"i": "failing", "single": "off"}),
    Situation("a destination is not used", config(i=SHARED), Level.ATTENTION, ALL, {"single": "attention"}),
    Situation("a streamer is switched off", config(i=f"{SINGLE}\nenabled = false"), Level.ATTENTION,
              "All 8 streams will be announced", {"i": "off", "single": "attention"}),
    Situation("every streamer is switched off", config(**OFF_ALL), Level.OFF, "Every streamer is switched off",
              {"i": "off", "shared": "attention", "single": "attention"}),
    Situation("there is no streamer", lambda stage: stage.write(stage.text().partition("[streamers")[0]), Level.OFF,
              "No streamer is set up yet", {"shared": "attention", "single": "attention"}),
    Situation("a channel is unknown to Twitch",
              lambda stage: stage.write(stage.text().replace('login = "i"', 'login = "nobody"')), Level.ATTENTION,
              ONE_LESS, {"i": "failing"}),
    Situation("a channel is listed twice", gets_a_double, Level.ATTENTION, "All 10 streams will be announced", {}),
    Situation("tags are filtered", config(i=f'{SINGLE}\ntag_filter = ["Chess"]'), Level.ATTENTION, ONE_LESS,
              {"i": "attention"}),
    Situation("config.toml is broken", lambda stage: stage.write("[twitch\n"), Level.ATTENTION, ALL, {}),
    Situation("config.toml is gone", goes_missing, Level.ATTENTION, ALL, {}),
    Situation("a subscription was ended, and Twitch is asked", revokes, Level.ATTENTION, ALL,
              {"i": "attention"}),
    Situation("a subscription was ended, and nobody asks",
              together(config(twitch="poll_interval = 0"), revokes), Level.ATTENTION, ONE_LESS,
              {"i": "failing"}),
    Situation("the keyring is locked", locks(forgets=False), Level.ATTENTION, ONE_LESS,
              {"i": "failing", "single": "failing"}),
    Situation("the keyring is locked at the start", locks(forgets=True), Level.FAILING, NONE,
              {"i": "failing", "single": "failing"}),
    Situation("the clock is wrong", clock_is_wrong, Level.ATTENTION, ALL, {}),
    Situation("the connection is lost",
              together(unanswered(reset=True), in_state(TransportState.WAITING, "offline", "There is no connection.")),
              Level.FAILING, NONE, {"i": "failing"}),
    Situation("Twitch's API fails", unanswered(status=503), Level.ATTENTION, ALL, {}),
    Situation("the client secret is refused",
              on_engine(lambda engine: engine.twitch.client.failed(TwitchAuthError("Twitch refuses the secret."))),
              Level.FAILING, NONE, {"i": "failing"}),
    Situation("Twitch cannot reach us, and is asked", in_state(TransportState.FAILING, "refused", "It is refused."),
              Level.ATTENTION, ALL, {}),
    Situation("Twitch cannot reach us, and nobody asks",
              together(config(twitch="poll_interval = 0"),
                       in_state(TransportState.FAILING, "refused", "It is refused.")),
              Level.FAILING, NONE, {"i": "failing"}),
    Situation("the disk is getting full", has_disk(10**8), Level.ATTENTION, ALL, {}),
    Situation("the disk is full", has_disk(10**6), Level.FAILING, NONE, {"i": "failing"}),
    Situation("the ledger cannot be written",
              has_property(lambda engine: engine.ledger, "failure", LedgerError("It is full.")),
              Level.FAILING, NONE, {"i": "failing"}),
    Situation("output.json cannot be written",
              has_property(lambda engine: engine.feed, "problem", "output.json cannot be written."),
              Level.ATTENTION, ALL, {}),
    Situation("a loop is down", breaks("announce.pipeline"), Level.FAILING, NONE, {"i": "failing"}),
    Situation("a loop that no announcement needs is down", breaks("telemetry"), Level.ATTENTION, ALL, {}),
    Situation("too many connections",
              on_engine(lambda engine: engine.health.add("public port", lambda: Status(Level.WAITING, "Too many."))),
              Level.ATTENTION, ALL, {}),
    Situation("all is well again", on_engine(lambda _: None), Level.OK, ALL, {}),
]  # fmt: skip


def shown(desktop: Desktop) -> dict[str, Any]:
    """What the window and the tray say now, and how it looks."""
    overview = desktop.window.page("overview")
    assert isinstance(overview, Overview)
    sidebar, tray = desktop.window.sidebar, desktop.tray
    return {
        "Overview": (overview.answer.accessibleName(), overview.answer._tone),
        "sidebar": (sidebar._dot.accessibleName(), sidebar._dot._tone),
        "tray": (tray._icon.toolTip().split("\n")[1], tray.state == "attention"),
    }


def wanted(situation: Situation) -> dict[str, Any]:
    tone = TONES[situation.level]
    alarm = situation.level in {Level.ATTENTION, Level.FAILING, Level.OFF}
    return {
        "Overview": (situation.headline, tone),
        "sidebar": (situation.headline, tone),
        "tray": (situation.headline, alarm),
    }


async def rows(desktop: Desktop) -> dict[str, str]:
    """The tones of the two tables, where they are not well."""
    streamers, destinations = desktop.window.page("streamers"), desktop.window.page("destinations")
    assert isinstance(streamers, Streamers)
    assert isinstance(destinations, Destinations)
    for name in ("streamers", "destinations", "overview"):
        desktop.window.show_page(name)
        await asyncio.sleep(0)
    found: dict[str, str] = {
        row.view.key: streamer_state(row)[0] for row in streamers.table.all.rows if row.view.key == "i"
    }
    return found | {row.name: destination_state(row)[0] for row in destinations.table.rows.rows}


async def check(stage: Stage, situation: Situation) -> list[str]:
    """What disagrees."""
    tones = {"i": "off", "shared": "ok", "single": "ok"}  # a streamer that is well is offline
    tones |= {name: TONES[Level(level)] for name, level in situation.rows.items()}
    tables = await rows(stage.desktop)
    faults = [f"row {name}: {tone}" for name, tone in tables.items() if tone != tones[name]]
    report = await stage.on_engine(lambda engine: engine.api.diagnostics.doctor(recent=True))
    health = (await stage.on_engine(lambda engine: engine.doctor.health()))["announcing"]
    answers = {
        "doctor": (report.summary.level, report.summary.headline),
        "health": (Level(health["level"]), health["headline"]),
    }
    faults += [f"{who}: {it}" for who, it in answers.items() if it != (situation.level, situation.headline)]
    levels = {each.name.partition(" ")[2]: each.level for each in report.checks if each.name.startswith("dest")}
    faults += [
        f"doctor of {name}: {levels[name]}"
        for name, level in situation.rows.items()
        if name in levels and TONES[levels[name]] != TONES[Level(level)]
    ]
    return faults


@pytest.fixture
def stage(
    qapp: QApplication, qt_loop: QEventLoop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., None]]:
    """Runs a test's coroutine beside the program."""
    for target, name, value in (
        (config_watch, "EVERY", 0.02), (config_watch, "SETTLE", 0.02), (reconciler, "_SETTLE_SECONDS", 0.01),
        (catch_up, "LEAST", 0.01),
    ):  # fmt: skip
        monkeypatch.setattr(target, name, value)
    monkeypatch.setattr("itsjustintv_desktop.engine.runtime.config_reloader.CAREFUL", 0.05)
    monkeypatch.setattr("itsjustintv_desktop.ui.pages.overview.view.AGAIN_MS", 10**8)  # nothing is asked by itself
    monkeypatch.setattr("itsjustintv_desktop.engine.runtime.unlocking.Unlocking.look", _nobody_unlocks)
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", lambda: True)
    paths = Paths(tmp_path / "config" / "config.toml", tmp_path / "data")
    paths.create()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    gc_control = GcControl()
    made = Stage(paths)

    @asynccontextmanager
    async def prepare() -> AsyncIterator[Setting]:
        async with Simulator() as simulator:
            made.simulator = simulator
            for name in NAMES:
                simulator.add_channel(name)
            if made.has_config:
                paths.config.parent.mkdir(exist_ok=True)
                paths.config.write_text(made.text())
            own = {"ITSJUSTINTV_PASSPHRASE": "open sesame", "ITSJUSTINTV_TWITCH_CLIENT_SECRET": ""}
            if not made.has_config:
                own["ITSJUSTINTV_SERVER_PORT"] = "0"  # no test listens at the port of the program itself
            environ = {**os.environ, **simulator.environment(), **own}
            yield Setting(EngineOptions(paths=paths, environ=environ), None)

    async def run(test: Callable[[Stage], Awaitable[None]], has_config: bool) -> None:
        made.has_config = has_config
        made.desktop = Desktop(qapp, paths, prepare, hidden=False)
        made.desktop.preferences.assistant_done = True
        life = asyncio.ensure_future(made.desktop.live())
        try:
            await until(lambda: made.desktop.store.snapshot)
            await test(made)
        finally:
            made.desktop.quit()
            assert await life == 0
            made.desktop.window.deleteLater()

    yield lambda test, has_config=True: qt_loop.run_until_complete(run(test, has_config))
    gc_control.end()
    for number, handler in before.items():
        signal.signal(number, handler)


async def _nobody_unlocks(_: Engine) -> None:
    """A person who leaves the keyring as it is."""


async def _furnish(engine: Engine, simulator: Simulator) -> None:
    await engine.secrets.set(TWITCH_CLIENT_SECRET, simulator.environment()["ITSJUSTINTV_TWITCH_CLIENT_SECRET"])
    await engine.secrets.set_destination("single", url=f"{simulator.url}/receiver/single")
    engine.twitch.directory.refresh()
    engine.reach.way.trigger()
    engine.reach.subscriptions.trigger("secret")


async def agree(stage: Stage, situation: Situation) -> tuple[float, list[str]]:
    """How many seconds it took until all said the same, and what does not."""
    began, expected = time.monotonic(), wanted(situation)
    while shown(stage.desktop) != expected and time.monotonic() - began < LATE:
        await asyncio.sleep(0.01)
    took, said = time.monotonic() - began, shown(stage.desktop)
    faults = [f"{who}: {it}" for who, it in said.items() if it != expected[who]] + await check(stage, situation)
    return took, [f"{situation.name}: {fault}" for fault in faults]


@pytest.mark.expected_errors("cannot be written", "does not answer", "output.json")
def test_everybody_gives_the_same_answer(stage: Callable[..., None]) -> None:
    took: dict[str, float] = {}
    faults: list[str] = []

    async def test(stage: Stage) -> None:
        await stage.on_engine(lambda engine: _furnish(engine, stage.simulator))
        await stage.wait(lambda engine: engine.reach.way.status.state is TransportState.READY)
        await stage.arrives()
        for situation in SITUATIONS:
            if situation.name != "resumed":
                await stage.reset()
                await until(lambda: shown(stage.desktop) == wanted(SITUATIONS[0]), what=f"before {situation.name}")
            await situation.act(stage)
            took[situation.name], found = await agree(stage, situation)
            faults.extend(found)

    stage(test)
    print("\n".join(f"{seconds:5.2f} s  {name}" for name, seconds in took.items()))
    assert faults == [], "\n".join(faults)
    assert statistics.median(took.values()) < SOON
    assert len(took) >= 30


def test_before_anything_is_set_up(stage: Callable[..., None]) -> None:
    async def test(stage: Stage) -> None:
        nothing = Situation("nothing is set up", on_engine(lambda _: None), Level.OFF, "Nothing is set up yet", {})
        assert (await agree(stage, nothing))[1] == []

    stage(test, has_config=False)
