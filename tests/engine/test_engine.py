"""What only the whole engine shows."""

from __future__ import annotations

import asyncio
from pathlib import Path

from itsjustintv_desktop.engine.core.tasks import census
from tests.support.engine import running_engine
from tests.support.waiting import until


async def test_a_channel_found_by_its_login_is_asked_about_before_it_goes_live(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as running:
        profiles = running.engine.twitch.profiles
        user_id = running.simulator.state.get("alice").user_id
        await until(lambda: profiles.get(user_id).followers is not None, what="its followers are known")
        await until(lambda: profiles.get(user_id).image is not None, what="its picture is there")


async def test_a_question_begun_during_the_stop_does_not_outlive_it(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as running:
        twitch, simulator = running.engine.twitch, running.simulator
        user_id = simulator.state.get("alice").user_id
        simulator.faults.set("streams", hang=True)
        asked: list[asyncio.Task[object]] = []

        async def ask_late() -> None:
            before = simulator.calls["streams"]
            asked.append(asyncio.create_task(twitch.enricher.is_live(user_id, "1", timeout=60)))
            await until(lambda: simulator.calls["streams"] > before, what="Twitch was asked")

        running.engine.closing("one that asks late", ask_late)
        await running.stop()
        assert [name for name in census() if name.startswith("twitch.")] == []
        assert await asyncio.wait_for(asked[0], 1) is None
