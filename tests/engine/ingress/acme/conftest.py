from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.engine.ingress.acme.pebble import Pebble, pebble
from tests.engine.ingress.acme.rig import Rig


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pebble]:
    """One Pebble for all tests of this process: it comes back to two fixed ports, one test after the other."""
    with pebble(tmp_path_factory.mktemp("pebble")) as running:
        yield running


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as opened:
        yield opened


@pytest.fixture
async def rig(authority: Pebble, tmp_path: Path) -> AsyncIterator[Rig]:
    """A public port with our own TLS, not begun yet."""
    made = Rig(authority, tmp_path)
    await made.listen()
    try:
        yield made
    finally:
        await made.close()
