from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.engine.twitch.rig import Rig, running_rig


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with running_rig() as running:
        yield running
