from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.engine.twitch.rig import Rig, running_rig


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with running_rig() as running:
        yield running


@pytest.fixture
def channel(rig: Rig) -> str:
    """The user id of a channel."""
    return rig.simulator.add_channel("cool_user").user_id
