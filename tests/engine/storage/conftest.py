from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.engine.storage.feed_rig import Rig


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    made = Rig(tmp_path)
    await made.ledger.open()
    made.tasks.start("feed", made.feed.run())
    yield made
    await made.tasks.stop()
    await made.ledger.close()
