"""The way in use, steered from the screen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.core.net.client import Outbound
from itsjustintv_desktop.engine.ingress.ngrok import install
from tests.support.engine import running_engine


async def test_a_person_has_the_way_looked_at_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_engine(tmp_path, subscribe=False) as running:
        nudged: list[str] = []
        reach = running.engine.reach
        monkeypatch.setattr(reach.way, "trigger", lambda: nudged.append("way"))
        monkeypatch.setattr(reach.subscriptions, "trigger", nudged.append)
        await running.engine.api.connection.trigger()
        assert nudged == ["way", "asked"]


async def test_when_twitch_was_heard_of_last(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as running:
        assert await running.engine.api.connection.last_message() is None
        await running.simulator.go_live("alice")
        await running.settled()
        heard = await running.engine.api.connection.last_message()
        assert heard is not None
        assert abs(heard - running.engine.now()) < 30


async def test_ngrok_goes_to_where_the_tunnel_looks_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Path] = []

    async def fetch(folder: Path, progress: Callable[[int, int | None], None], *, outbound: Outbound) -> str:
        assert outbound is running.engine.outbound
        asked.append(folder)
        progress(5, 10)
        return "3.30.0"

    monkeypatch.setattr(install, "install", fetch)
    async with running_engine(tmp_path, subscribe=False) as running:
        seen: list[tuple[int, int | None]] = []
        version = await running.engine.api.connection.install_ngrok(lambda done, whole: seen.append((done, whole)))
        assert (version, seen, asked) == ("3.30.0", [(5, 10)], [running.engine.paths.ngrok])
