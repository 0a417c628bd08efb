"""Keyrings that put up a question whenever they are locked (all but the Secret Service)."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.core.errors import SecretsLockedError
from itsjustintv_desktop.engine.storage.secrets.blocking_thread import BlockingThread
from itsjustintv_desktop.engine.storage.secrets.keyring_backend import ASK_AGAIN, KeyringBackend, KeyringWaitingError
from itsjustintv_desktop.engine.storage.secrets.keyring_library import Keyring
from itsjustintv_desktop.engine.storage.secrets.vault import Vault
from tests.engine.storage.secrets.conftest import HandClock


class AskingKeyring(Keyring):
    """As the macOS one: every look at it asks, and the person says no until `allowed`."""

    def __init__(self, data: Path) -> None:
        super().__init__("test", data)
        self.questions = 0
        self.allowed = False
        self.release = threading.Event()

    @property
    def asks_by_itself(self) -> bool:
        return True

    def open(self, *, prompt: bool) -> None:
        self.questions += 1
        if not self.allowed:
            raise SecretsLockedError("The keyring is locked.")

    def get(self, name: str) -> str | None:
        return None

    def set(self, name: str, value: str) -> None:
        self.release.wait(20)


@pytest.mark.fault(
    "keyring: its question is dismissed",
    seen="the state locked; the question is not put again for a while, unless somebody asks for it",
)
async def test_a_person_who_said_no_is_left_alone_for_a_while(data: Path, clock: HandClock) -> None:
    keyring = AskingKeyring(data)
    disk = BlockingThread("test.disk")
    home = KeyringBackend(keyring, Vault(data / "secrets.vault", clock), disk, clock)
    assert isinstance((await home.open(prompt=True)).items, SecretsLockedError)
    for _ in range(20):
        clock.time += 20
        assert isinstance((await home.open(prompt=False)).items, SecretsLockedError)
    assert keyring.questions == 1
    await home.open(prompt=True)
    assert keyring.questions == 2, "who clicks on unlock is asked at once"
    keyring.allowed = True
    clock.time += ASK_AGAIN
    assert (await home.open(prompt=False)).items is None
    assert keyring.questions == 3
    await home.close()
    await disk.close()


async def test_nothing_is_queued_behind_a_call_that_is_late(data: Path, clock: HandClock) -> None:
    keyring = AskingKeyring(data)
    keyring.allowed = True
    disk = BlockingThread("test.disk")
    home = KeyringBackend(keyring, Vault(data / "secrets.vault", clock), disk, clock, deadline=0.05)
    with pytest.raises(KeyringWaitingError):
        await home.set("item", "value")
    for _ in range(5):
        assert isinstance((await home.open(prompt=True)).items, KeyringWaitingError)
    keyring.release.set()
    await home._thread.run(lambda: None)
    assert keyring.questions == 0
    async with asyncio.timeout(10):
        while (await home.open(prompt=True)).items is not None:
            await asyncio.sleep(0.01)
    assert keyring.questions == 1
    await home.close()
    await disk.close()
