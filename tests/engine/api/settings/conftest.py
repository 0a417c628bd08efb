"""Engines whose config watcher looks often, so that a save is in force soon."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.config import watch
from tests.support.engine import ONE_STREAMER, Running, running_engine

PASSPHRASE = "a passphrase of these tests"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "EVERY", 0.05)
    monkeypatch.setattr(watch, "SETTLE", 0.02)


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    """Alice, one destination, secrets in memory."""
    async with running_engine(tmp_path, logins=("alice", "bob")) as running:
        yield running


@pytest.fixture
async def with_vault(tmp_path: Path) -> AsyncIterator[Running]:
    """The same with a real vault under a passphrase."""
    environ = {
        "ITSJUSTINTV_PASSPHRASE": PASSPHRASE,
        "ITSJUSTINTV_SECRETS_STORE": "passphrase",
        "ITSJUSTINTV_SERVER_PORT": "0",  # whatever a config that is taken in says, or does not
    }
    async with running_engine(tmp_path, ONE_STREAMER, logins=("alice", "bob"), environ=environ) as running:
        yield running
