from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.storage.ledger import Ledger
from tests.engine.storage.ledger.book import Book
from tests.support.clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
async def ledger(path: Path, clock: FakeClock) -> AsyncIterator[Ledger]:
    made = Ledger(path, clock)
    await made.open()
    yield made
    await made.close()


@pytest.fixture
def book(ledger: Ledger, clock: FakeClock) -> Book:
    return Book(ledger, clock)
