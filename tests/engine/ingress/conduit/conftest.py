from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import stamina

from tests.engine.ingress.conduit.rig import Rig, running_rig


@pytest.fixture
def once() -> Iterator[None]:
    """Questions to Twitch's API are asked once: its retries wait by the machine's clock."""
    stamina.set_testing(True, attempts=1)
    yield
    stamina.set_testing(False)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with running_rig(tmp_path) as running:
        yield running
