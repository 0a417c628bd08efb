"""A real engine on its thread, asked over the real bridge."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot
from qasync import QEventLoop

from itsjustintv_desktop.engine import EngineOptions, errors, events
from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.ui import engine_thread
from itsjustintv_desktop.ui.bridge import Bridge
from itsjustintv_desktop.ui.engine_thread import Prepare, Setting
from tests.support.waiting import until

CONFIG = '[server]\nport = 0\n[secrets]\nstore = "memory"\n'


def prepare(folder: Path, config: str = CONFIG, companion: Callable[[Any], Awaitable[None]] | None = None) -> Prepare:
    paths = Paths(folder / "config" / "config.toml", folder / "data")
    paths.config.parent.mkdir(exist_ok=True)
    paths.config.write_text(config)

    @asynccontextmanager
    async def setting() -> AsyncIterator[Setting]:
        yield Setting(EngineOptions(paths=paths, environ=dict(os.environ)), companion)

    return setting


def started(bridge: Bridge, qtbot: QtBot, state: str = "running") -> Bridge:
    bridge.start()
    qtbot.waitUntil(lambda: bridge.state == state, timeout=20_000)
    return bridge


def test_start_ask_stop(tmp_path: Path, qtbot: QtBot, qt_loop: QEventLoop) -> None:
    bridge = Bridge(prepare(tmp_path))
    with pytest.raises(errors.EngineGoneError):
        qt_loop.run_until_complete(bridge.call(lambda engine: engine.snapshot()))
    states: list[str] = []
    bridge.state_changed.connect(states.append)
    started(bridge, qtbot)
    snapshot = qt_loop.run_until_complete(bridge.call(lambda engine: engine.snapshot()))
    assert snapshot.address is not None

    async def where(_: Any) -> str:
        return threading.current_thread().name

    assert qt_loop.run_until_complete(bridge.call(where)) == "engine"
    with pytest.raises(errors.NotFoundError):
        qt_loop.run_until_complete(bridge.call(lambda engine: engine.api.deliveries.retry(5)))
    assert qt_loop.run_until_complete(bridge.stop())
    qtbot.waitUntil(lambda: states == ["running", "stopped"])
    with pytest.raises(errors.EngineGoneError):
        qt_loop.run_until_complete(bridge.call(lambda engine: engine.snapshot()))
    assert qt_loop.run_until_complete(bridge.stop()), "a second time is no fault"


def test_an_engine_that_cannot_start_says_why(tmp_path: Path, qtbot: QtBot, qt_loop: QEventLoop) -> None:
    bridge = started(Bridge(prepare(tmp_path, "[server\n")), qtbot, "failed")
    assert isinstance(bridge.error, errors.ConfigError)
    assert "config.toml" in bridge.error.message
    assert qt_loop.run_until_complete(bridge.stop())


def test_it_is_started_again_once_that_is_mended(tmp_path: Path, qtbot: QtBot, qt_loop: QEventLoop) -> None:
    bridge = started(Bridge(prepare(tmp_path, "[server\n")), qtbot, "failed")
    states: list[str] = []
    bridge.state_changed.connect(states.append)
    bridge.again()
    qtbot.waitUntil(lambda: states == ["starting", "failed"])
    (config,) = tmp_path.rglob("config.toml")
    config.write_text(CONFIG)
    bridge.again()
    bridge.again()  # it is on its way
    qtbot.waitUntil(lambda: bridge.state == "running")
    assert states[2:] == ["starting", "running"]
    assert qt_loop.run_until_complete(bridge.call(lambda engine: engine.snapshot()))
    bridge.again()
    assert bridge.state == "running", "one that runs is left alone"
    assert qt_loop.run_until_complete(bridge.stop())


@pytest.mark.expected_errors("the engine broke")
def test_a_fault_of_the_programs_is_no_silence(tmp_path: Path, qtbot: QtBot, qt_loop: QEventLoop) -> None:
    @asynccontextmanager
    async def broken() -> AsyncIterator[Setting]:
        yield Setting(EngineOptions(paths=Paths(tmp_path / str(1 // 0), tmp_path)))

    bridge = started(Bridge(broken), qtbot, "failed")
    assert isinstance(bridge.error, errors.EngineGoneError)
    assert qt_loop.run_until_complete(bridge.stop())


def test_never_started_it_stops_at_once(tmp_path: Path, qt_loop: QEventLoop) -> None:
    assert qt_loop.run_until_complete(Bridge(prepare(tmp_path)).stop())


def test_events_come_in_batches_and_in_order(tmp_path: Path, qtbot: QtBot, qt_loop: QEventLoop) -> None:
    bridge = started(Bridge(prepare(tmp_path)), qtbot)
    batches: list[list[str]] = []
    bridge.events.connect(lambda batch: batches.append([e.text for e in batch if isinstance(e, events.Notice)]))
    wanted = [str(number) for number in range(1000)]

    async def happen(engine: Any) -> None:
        for text in wanted:
            engine.bus.publish(events.Notice(text=text))
            if text.endswith("00"):
                await asyncio.sleep(0)

    qt_loop.run_until_complete(bridge.call(happen))
    qtbot.waitUntil(lambda: sum(map(len, batches)) == 1000)
    assert [text for batch in batches for text in batch] == wanted
    assert len(batches) < 20
    assert qt_loop.run_until_complete(bridge.stop())


def test_more_than_a_screen_can_take_is_told_as_lost(tmp_path: Path, qtbot: QtBot, qt_loop: QEventLoop) -> None:
    bridge = started(Bridge(prepare(tmp_path)), qtbot)
    seen: list[str] = []
    lost: list[bool] = []
    bridge.events.connect(lambda batch: seen.extend(e.text for e in batch if isinstance(e, events.Notice)))
    bridge.lost.connect(lambda: lost.append(True))

    async def happen(engine: Any) -> None:
        for number in range(engine_thread.MOST_WAITING * 3):
            engine.bus.publish(events.Notice(text=str(number)))

    qt_loop.run_until_complete(bridge.call(happen))
    last = str(engine_thread.MOST_WAITING * 3 - 1)
    qtbot.waitUntil(lambda: last in seen)
    assert lost
    assert len(seen) <= engine_thread.MOST_WAITING
    qt_loop.run_until_complete(bridge.call(lambda engine: engine.snapshot()))
    assert qt_loop.run_until_complete(bridge.stop())


def test_an_answer_that_does_not_come(tmp_path: Path, qtbot: QtBot, qt_loop: QEventLoop) -> None:
    bridge = started(Bridge(prepare(tmp_path)), qtbot)
    began: list[bool] = []
    cancelled: list[bool] = []

    async def forever(_: Any) -> None:
        began.append(True)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    with pytest.raises(errors.EngineGoneError, match="in time"):
        qt_loop.run_until_complete(bridge.call(forever, timeout=0.05))
    qtbot.waitUntil(lambda: cancelled == [True])  # it does not go on behind a person's back

    async def given_up_by_the_caller() -> None:
        waiting = asyncio.create_task(bridge.call(forever))
        await until(lambda: began)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await until(lambda: len(cancelled) == 2)

    async def left_alone_by_the_engine() -> None:
        waiting = asyncio.create_task(bridge.call(forever))
        await until(lambda: began)
        assert await bridge.stop()
        with pytest.raises(errors.EngineGoneError):
            await waiting

    for work in (given_up_by_the_caller, left_alone_by_the_engine):
        began.clear()
        qt_loop.run_until_complete(work())


def test_what_runs_beside_it_ends_with_it(tmp_path: Path, qtbot: QtBot, qt_loop: QEventLoop) -> None:
    said: list[str] = []

    async def companion(_: Any) -> None:
        said.append("began")
        try:
            await asyncio.Event().wait()
        finally:
            said.append("ended")

    bridge = started(Bridge(prepare(tmp_path, companion=companion)), qtbot)
    qtbot.waitUntil(lambda: said == ["began"])
    assert qt_loop.run_until_complete(bridge.stop())
    assert said == ["began", "ended"]


def test_one_that_hangs_is_left_behind_within_the_deadline(
    tmp_path: Path, qtbot: QtBot, qt_loop: QEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_thread, "STOP_SECONDS", 0.2)
    go_on = threading.Event()

    @asynccontextmanager
    async def hanging() -> AsyncIterator[Setting]:
        if go_on.wait(20):
            raise errors.UsageError("It ends late.")
        yield Setting(EngineOptions(paths=Paths(tmp_path, tmp_path)))

    bridge = Bridge(hanging)
    bridge.start()
    began = time.monotonic()
    assert not qt_loop.run_until_complete(bridge.stop())
    assert time.monotonic() - began < 5
    go_on.set()
    qtbot.waitUntil(lambda: bridge.state == "failed")
