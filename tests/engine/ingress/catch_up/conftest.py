from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.engine.ingress.catch_up.rig import Net, opened_net


@pytest.fixture
async def net(tmp_path: Path) -> AsyncIterator[Net]:
    """Alice is watched, the pipeline stands still."""
    async with opened_net(tmp_path) as made:
        made.watch("alice")
        yield made
