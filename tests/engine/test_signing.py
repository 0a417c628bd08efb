"""The secret Twitch signs with: there without waiting, or named as missing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from itsjustintv_desktop.engine.config.schema import Config, Twitch
from itsjustintv_desktop.engine.signing import RETRY_SECONDS, SigningSecret
from itsjustintv_desktop.engine.storage.secrets import SecretStore, SecretValues
from itsjustintv_desktop.engine.tasks import Tasks
from tests.support.clock import FakeClock
from tests.support.waiting import until


class Rig:
    def __init__(self, folder: Path) -> None:
        self.vault = folder / "secrets.vault"
        self.clock = FakeClock()
        self.config = Config()
        self.tasks = Tasks()
        self.stores: list[SecretStore] = []

    def store(self, kind: str, passphrase: str | None = None) -> SecretStore:
        made = SecretStore.open(kind, vault=self.vault, passphrase=passphrase, clock=self.clock)  # type: ignore[arg-type]
        self.stores.append(made)
        return made

    def signing(self, store: SecretStore) -> SigningSecret:
        return SigningSecret(store, SecretValues(store, lambda: self.config), self.clock)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    made = Rig(tmp_path)
    yield made
    await made.tasks.stop()
    for store in made.stores:
        await store.close()


async def test_before_it_was_looked_up_there_is_none(rig: Rig) -> None:
    signing = rig.signing(rig.store("memory"))
    assert list(signing.current()) == []
    assert signing.problem


async def test_one_in_the_config_is_used(rig: Rig) -> None:
    rig.config = msgspec.structs.replace(rig.config, twitch=Twitch(webhook_secret="from-the-config"))
    signing = rig.signing(rig.store("memory"))
    await signing.keep()
    assert (list(signing.current()), signing.problem) == ([b"from-the-config"], None)


async def test_found_nowhere_it_is_made_and_stays_the_same(rig: Rig) -> None:
    store = rig.store("passphrase", "a long passphrase")
    first = rig.signing(store)
    await first.keep()
    (secret,) = first.current()
    assert 10 <= len(secret) <= 100
    assert secret.isascii()
    await store.close()
    again = rig.signing(rig.store("passphrase", "a long passphrase"))
    await again.keep()
    assert list(again.current()) == [secret]


async def test_while_it_is_locked_the_reason_is_named_and_it_comes_by_itself(rig: Rig) -> None:
    store = rig.store("passphrase")
    signing = rig.signing(store)
    task = rig.tasks.start("signing", signing.keep())
    await until(lambda: rig.clock.sleeping)
    for _ in range(3):
        assert rig.clock.sleeping == [RETRY_SECONDS]
        assert list(signing.current()) == []
        assert "passphrase" in (signing.problem or "")
        rig.clock.advance(RETRY_SECONDS)
        await until(lambda: rig.clock.sleeping == [RETRY_SECONDS])
    await store.unlock("a long passphrase")
    rig.clock.advance(RETRY_SECONDS)
    await until(task.done)
    assert len(signing.current()) == 1
    assert signing.problem is None
