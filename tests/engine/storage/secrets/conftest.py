"""What the tests of the secrets share: a clock that is turned by hand, a data directory, a real keyring."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.storage.secrets import SecretStore
from itsjustintv_desktop.engine.storage.secrets import store as store_module
from itsjustintv_desktop.engine.storage.secrets.store import Choice
from tests.keyring_session import KeyringSession, keyring_session

OpenStore = Callable[..., SecretStore]


class HandClock:
    """Stands still until it is turned."""

    def __init__(self) -> None:
        self.time = 1_700_000_000.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    def boottime(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        if not event.is_set():
            self.time += seconds
        return event.is_set()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def session() -> Iterator[KeyringSession]:
    """A real, unlocked Secret Service that this process uses."""
    with keyring_session() as running, running.applied():
        yield running


@pytest.fixture
def no_keyring(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without any."""
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND", raising=False)
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path / 'no-bus'}")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(store_module, "FIRST_WAIT", 30.0)  # nobody is asked here; a busy machine derives keys slowly


@pytest.fixture
async def open_store(data: Path, clock: HandClock) -> AsyncIterator[OpenStore]:
    """Makes stores on the data directory and closes them afterwards. A second one is what a restart sees."""
    closing: list[Callable[[], Awaitable[None]]] = []

    def make(
        choice: Choice = "keyring",
        *,
        passphrase: str | None = None,
        folder: Path | None = None,
        deadline: float = 10.0,
    ) -> SecretStore:
        store = SecretStore.open(
            choice, vault=(folder or data) / "secrets.vault", passphrase=passphrase, clock=clock, deadline=deadline
        )
        closing.append(store.close)
        return store

    yield make
    for close in closing:
        await close()
