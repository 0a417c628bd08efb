"""In a running engine: the switch in the config, what a screen and the doctor are told, and when nobody is asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog

from itsjustintv_desktop.demo import environment
from itsjustintv_desktop.engine.config import watch
from itsjustintv_desktop.engine.core.clock import SystemClock
from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.engine.engine import Engine
from itsjustintv_desktop.engine.monitoring.updates import check, signing
from itsjustintv_desktop.simulator import Simulator
from tests.support.engine import ONE_STREAMER, Running, running_engine
from tests.support.versions import Versions, manifest, versions
from tests.support.waiting import until

OFF = "[updates]\ncheck = false\n"


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Versions]:
    monkeypatch.setattr(check, "FIRST", 0.05)
    monkeypatch.setattr(watch, "EVERY", 0.02)
    monkeypatch.setattr(watch, "SETTLE", 0.02)
    async with versions() as made:
        monkeypatch.setattr(signing, "pinned_keys", lambda: (made.key.public,))
        made.publish(manifest("99.0.0", now=SystemClock().now()))
        yield made


@pytest.fixture
async def running(tmp_path: Path, server: Versions) -> AsyncIterator[Running]:
    async with running_engine(tmp_path, environ={"ITSJUSTINTV_UPDATES_URL": server.url}, start=False) as running:
        yield running


async def shown(running: Running) -> str:
    update = (await running.engine.snapshot()).update
    return update.version if update is not None else ""


async def test_a_newer_version_comes_to_the_screen_the_doctor_and_the_log(running: Running) -> None:
    with structlog.testing.capture_logs() as lines:
        await running.start()
        await until(lambda: running.engine.updates.view)
        await until(lambda: any(line["event"] == "there is a newer version" for line in lines))
    assert await shown(running) == "99.0.0"
    (line,) = [line for line in lines if line["event"] == "there is a newer version"]
    assert line["page"] == "https://example.org/releases/99.0.0"
    parts = (await running.engine.doctor.health())["parts"]
    assert parts["updates"]["status"] == "ok"
    report = await running.engine.api.diagnostics.doctor()
    (found,) = [one for one in report.checks if one.name == "updates"]
    assert found.state == "green"
    assert found.message.startswith("Version 99.0.0 is there; this is ")
    with structlog.testing.capture_logs() as lines:
        await running.restart()
        await until(lambda: running.engine.updates.view)
    assert [line for line in lines if line["event"] == "there is a newer version"] == [], "once a version"


async def test_skipped_it_is_gone_from_all_of_them_across_restarts(running: Running) -> None:
    await running.start()
    await until(lambda: running.engine.updates.view)
    await running.engine.api.updates.skip("99.0.0")
    for _ in range(2):
        assert await shown(running) == ""
        report = await running.engine.api.diagnostics.doctor()
        assert [one for one in report.checks if one.name == "updates"] == []
        await running.restart()
        await until(lambda: running.engine.updates._kept.skipped)


async def test_a_tampered_list_is_a_note_and_no_alarm(running: Running, server: Versions) -> None:
    server.raw = server.raw.replace(b"99.0.0", b"99.0.1")
    await running.start()
    await until(lambda: running.engine.updates.code == "refused")
    report = await running.engine.api.diagnostics.doctor()
    (found,) = [one for one in report.checks if one.name == "updates"]
    assert found.state == "green"
    assert "is not believed" in found.message
    assert (await running.engine.doctor.health())["parts"]["updates"]["status"] == "ok"
    assert "updates" not in [each.code for each in (await running.engine.snapshot()).status.problems]


async def test_the_switch_is_taken_up_while_it_runs(running: Running, server: Versions) -> None:
    running.write_config(ONE_STREAMER + OFF)
    await running.start()
    assert running.engine.updates.code == "off"
    assert running.engine.updates._due_in() == float("inf")
    running.write_config(ONE_STREAMER)
    await until(lambda: running.engine.updates.view)
    running.write_config(ONE_STREAMER + OFF)
    await until(lambda: running.engine.updates.code == "off")
    assert await shown(running) == ""
    assert {request.path for request in server.asked} == {"/latest.json", "/latest.json.sig"}


async def test_the_environment_switches_it_off(tmp_path: Path, server: Versions) -> None:
    environ = {"ITSJUSTINTV_UPDATES_URL": server.url, "ITSJUSTINTV_UPDATES_CHECK": "false"}
    async with running_engine(tmp_path, environ=environ) as running:
        await until(lambda: running.engine.supervisor.keeps("updates"))
        assert running.engine.updates.code == "off"


@pytest.mark.usefixtures("server")
async def test_with_a_simulated_twitch_nobody_outside_is_asked(tmp_path: Path) -> None:
    """What every demo, test and soak is."""
    async with running_engine(tmp_path) as running:
        assert running.engine.updates.code == "simulated"
        assert running.engine.updates._due_in() == float("inf")


@pytest.mark.usefixtures("server")
async def test_the_demo_asks_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ITSJUSTINTV_UPDATES_CHECK", "true")
    pytest.importorskip(
        "PySide6.QtWidgets", reason="Qt's libraries are not on this machine (make system-deps)", exc_type=ImportError
    )
    from itsjustintv_desktop.demo.window import prepare

    paths = Paths(config=tmp_path / "config" / "config.toml", data=tmp_path / "data")
    async with prepare(paths)() as setting:
        engine = Engine(setting.options)
        await engine.start()
        try:
            assert engine.updates.code == "simulated"
        finally:
            await engine.stop()
    async with Simulator() as simulator:
        assert "updates" not in environment.config(simulator)


async def test_a_command_by_itself_asks_nobody(tmp_path: Path, server: Versions) -> None:
    async with running_engine(tmp_path, listen=False, environ={"ITSJUSTINTV_UPDATES_URL": server.url}) as running:
        assert not running.engine.supervisor.keeps("updates")
        report = await running.engine.api.diagnostics.doctor()
        assert [one for one in report.checks if one.name == "updates"] == []
    assert server.asked == []
