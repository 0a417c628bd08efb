from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.engine.twitch.rig import Rig, running_rig
from tests.support.world import World, opened_world


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with running_rig() as running:
        yield running


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """With its pipeline running; a module that wants it otherwise changes this one, or has its own."""
    async with opened_world(tmp_path) as made:
        made.run_pipeline()
        yield made
