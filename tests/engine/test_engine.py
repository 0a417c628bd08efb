"""What only the whole engine shows."""

from __future__ import annotations

from pathlib import Path

from tests.support.engine import running_engine
from tests.support.waiting import until


async def test_a_channel_found_by_its_login_is_asked_about_before_it_goes_live(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as running:
        profiles = running.engine.twitch.profiles
        user_id = running.simulator.state.get("alice").user_id
        await until(lambda: profiles.get(user_id).followers is not None, what="its followers are known")
        await until(lambda: profiles.get(user_id).image is not None, what="its picture is there")
