from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.public import PublicRig, public_port


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[PublicRig]:
    """The public port with its usual limits."""
    async with public_port(tmp_path) as rig:
        yield rig
