from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.storage.ledger import Ledger, walcopy, writer
from tests.engine.storage.ledger.book import Book
from tests.support.clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """In a folder of its own, as it is in life."""
    folder = tmp_path / "data"
    folder.mkdir()
    return folder / "ledger.db"


@pytest.fixture
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """An idle ledger is looked for often. Stands before `ledger`."""
    monkeypatch.setattr(writer, "_LOOK_SECONDS", 0.05)
    monkeypatch.setattr(walcopy, "_COMPARE_SECONDS", 0.05)


@pytest.fixture
def notices() -> list[str]:
    """What the ledger has to say."""
    return []


@pytest.fixture
async def ledger(path: Path, clock: FakeClock, notices: list[str]) -> AsyncIterator[Ledger]:
    made = Ledger(path, clock, on_notice=notices.append)
    await made.open()
    yield made
    await made.close()


@pytest.fixture
def book(ledger: Ledger, clock: FakeClock) -> Book:
    return Book(ledger, clock)
