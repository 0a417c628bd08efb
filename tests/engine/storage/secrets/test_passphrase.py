"""The choices "passphrase" and "memory", and what a passphrase means to a machine without a keyring."""

from __future__ import annotations

from pathlib import Path

import pytest

from itsjustintv_desktop.engine.core.errors import SecretsLockedError, VaultDamagedError, WrongPassphraseError
from itsjustintv_desktop.engine.storage.secrets import TWITCH_CLIENT_SECRET, DestinationSecrets, secret_backend
from tests.engine.storage.secrets.conftest import OpenStore
from tests.keyring_session import KeyringSession

pytestmark = pytest.mark.usefixtures("no_keyring")

RIGHT = "correct horse battery staple ü"


async def test_everything_lies_in_the_vault_and_survives_a_restart(open_store: OpenStore, data: Path) -> None:
    store = open_store("passphrase", passphrase=RIGHT)
    assert (await store.unlock()).status == "ready"
    assert list(data.iterdir()) == []
    await store.set(TWITCH_CLIENT_SECRET, "the client secret")
    await store.set_destination("d", url="http://the-address", secret="the secret")
    restarted = open_store("passphrase", passphrase=RIGHT)
    assert await restarted.get(TWITCH_CLIENT_SECRET) == "the client secret"
    assert await restarted.destination("d") == DestinationSecrets(url="http://the-address", secret="the secret")
    await restarted.delete(TWITCH_CLIENT_SECRET)
    assert await open_store("passphrase", passphrase=RIGHT).get(TWITCH_CLIENT_SECRET) is None
    (file,) = data.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    for secret in ("the client secret", "the-address", "the secret", RIGHT):
        assert secret.encode() not in file.read_bytes()


async def test_a_wrong_passphrase_is_a_named_state_and_the_vault_stays(open_store: OpenStore, data: Path) -> None:
    await open_store("passphrase", passphrase=RIGHT).set(TWITCH_CLIENT_SECRET, "kept")
    before = (data / "secrets.vault").read_bytes()
    store = open_store("passphrase", passphrase="wrong")
    assert (await store.unlock()).status == "wrong-passphrase"
    state = await store.refresh()
    assert (state.status, state.takes_passphrase) == ("wrong-passphrase", True)
    with pytest.raises(WrongPassphraseError):
        await store.get(TWITCH_CLIENT_SECRET)
    with pytest.raises(WrongPassphraseError):
        await store.set(TWITCH_CLIENT_SECRET, "new")
    with pytest.raises(WrongPassphraseError):
        await store.set_destination("d", url="http://new")
    assert (data / "secrets.vault").read_bytes() == before
    assert (await store.unlock(RIGHT)).status == "ready"
    assert not store.state.takes_passphrase
    assert await store.get(TWITCH_CLIENT_SECRET) == "kept"


@pytest.mark.parametrize("passphrase", [None, ""])
async def test_no_passphrase_is_a_named_state(open_store: OpenStore, data: Path, passphrase: str | None) -> None:
    store = open_store("passphrase", passphrase=passphrase)
    state = await store.unlock()
    assert (state.status, state.takes_passphrase) == ("locked", True)
    assert "ITSJUSTINTV_PASSPHRASE" in state.message
    with pytest.raises(SecretsLockedError):
        await store.set(TWITCH_CLIENT_SECRET, "x")
    assert list(data.iterdir()) == []
    assert (await store.unlock(RIGHT)).status == "ready"


@pytest.mark.expected_errors("vault damaged and put aside")
async def test_damage_is_told_from_a_wrong_passphrase(open_store: OpenStore, data: Path) -> None:
    await open_store("passphrase", passphrase=RIGHT).set(TWITCH_CLIENT_SECRET, "kept")
    vault = data / "secrets.vault"
    damaged = bytearray(vault.read_bytes())
    damaged[60] ^= 1
    vault.write_bytes(damaged)
    store = open_store("passphrase", passphrase=RIGHT)
    assert (await store.unlock()).status == "damaged"
    assert not store.state.takes_passphrase
    with pytest.raises(VaultDamagedError):
        await store.get(TWITCH_CLIENT_SECRET)
    (aside,) = data.iterdir()
    await store.set(TWITCH_CLIENT_SECRET, "new")
    assert store.state.status == "ready"
    assert aside.read_bytes() == damaged
    assert await open_store("passphrase", passphrase=RIGHT).get(TWITCH_CLIENT_SECRET) == "new"


async def test_a_vault_of_a_newer_version_stays_where_it_is(open_store: OpenStore, data: Path) -> None:
    import hashlib

    await open_store("passphrase", passphrase=RIGHT).set(TWITCH_CLIENT_SECRET, "kept")
    vault = data / "secrets.vault"
    newer = bytearray(vault.read_bytes()[:-32])
    newer[8] += 1
    vault.write_bytes(newer + hashlib.sha256(newer).digest())
    before = vault.read_bytes()
    store = open_store("passphrase", passphrase=RIGHT)
    state = await store.unlock()
    assert (state.status, "newer version" in state.message) == ("damaged", True)
    with pytest.raises(VaultDamagedError):
        await store.set(TWITCH_CLIENT_SECRET, "new")
    assert vault.read_bytes() == before


async def test_a_passphrase_stands_in_where_there_is_no_keyring(open_store: OpenStore) -> None:
    store = open_store("keyring", passphrase=RIGHT)
    assert (await store.unlock()).status == "ready"
    await store.set(TWITCH_CLIENT_SECRET, "kept")
    assert await open_store("keyring", passphrase=RIGHT).get(TWITCH_CLIENT_SECRET) == "kept"
    without = open_store("keyring")
    state = await without.unlock()
    assert (state.status, state.takes_passphrase) == ("locked", True)
    assert "ITSJUSTINTV_PASSPHRASE" in state.message


async def test_memory_only_forgets_and_writes_nothing(open_store: OpenStore, data: Path) -> None:
    store = open_store("memory")
    assert (await store.unlock()).status == "ready"
    await store.set(TWITCH_CLIENT_SECRET, "kept")
    await store.set_destination("d", url="http://d", secret="s")
    assert await store.get(TWITCH_CLIENT_SECRET) == "kept"
    assert await store.destination("d") == DestinationSecrets(url="http://d", secret="s")
    await store.rename_destination("d", "e")
    await store.delete(TWITCH_CLIENT_SECRET)
    assert await store.get(TWITCH_CLIENT_SECRET) is None
    assert (await store.destination("e")).url == "http://d"
    assert list(data.iterdir()) == []
    assert await open_store("memory").destination("e") == DestinationSecrets()


class TestBesideAKeyring:
    """Secrets have one home: the vault that is there decides which."""

    async def test_a_passphrase_vault_stays_in_use_when_a_keyring_appears(
        self, open_store: OpenStore, session: KeyringSession
    ) -> None:
        await open_store("passphrase", passphrase=RIGHT).set(TWITCH_CLIENT_SECRET, "kept")
        assert await open_store("keyring", passphrase=RIGHT).get(TWITCH_CLIENT_SECRET) == "kept"

    async def test_a_keyring_is_preferred_to_a_passphrase(
        self, open_store: OpenStore, data: Path, session: KeyringSession
    ) -> None:
        await open_store("keyring", passphrase=RIGHT).set(TWITCH_CLIENT_SECRET, "kept")
        assert await open_store("keyring").get(TWITCH_CLIENT_SECRET) == "kept"
        assert list(data.iterdir()) == []

    async def test_a_vault_of_the_keyring_is_never_replaced_by_one_with_a_passphrase(
        self, open_store: OpenStore, data: Path, session: KeyringSession
    ) -> None:
        await open_store("keyring").set_destination("d", url="http://d")
        before = (data / "secrets.vault").read_bytes()
        session.stop()
        asked = open_store("passphrase", passphrase=RIGHT)
        assert (await asked.unlock()).status == "locked"
        assert "keyring" in asked.state.message
        with pytest.raises(SecretsLockedError):
            await asked.set(TWITCH_CLIENT_SECRET, "x")
        state = await open_store("keyring", passphrase=RIGHT).unlock()
        assert (state.status, state.takes_passphrase) == ("absent", False)
        assert (data / "secrets.vault").read_bytes() == before


async def test_a_line_break_after_the_passphrase_is_no_part_of_it(open_store: OpenStore) -> None:
    await open_store("passphrase", passphrase=f"{RIGHT}\n").set(TWITCH_CLIENT_SECRET, "kept")
    for given in (RIGHT, f" {RIGHT}\r\n"):
        assert await open_store("passphrase", passphrase=given).get(TWITCH_CLIENT_SECRET) == "kept"


async def test_a_vault_that_was_made_with_the_line_break_still_opens(
    open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr(secret_backend, "trimmed", str)
        await open_store("passphrase", passphrase=f"{RIGHT}\n").set(TWITCH_CLIENT_SECRET, "kept")
    assert await open_store("passphrase", passphrase=f"{RIGHT}\n").get(TWITCH_CLIENT_SECRET) == "kept"
    assert (await open_store("passphrase", passphrase=RIGHT).unlock()).status == "wrong-passphrase"


@pytest.mark.fault("files: secrets.vault is deleted while it runs", seen="Nothing: it is written again in seconds.")
async def test_a_vault_that_is_deleted_while_it_is_open_is_written_again(open_store: OpenStore, data: Path) -> None:
    store, vault = open_store("passphrase", passphrase=RIGHT), data / "secrets.vault"
    assert not await store.keep(), "not open yet"
    assert (await store.unlock()).status == "ready"
    assert not await store.keep(), "there was nothing to write"
    await store.set(TWITCH_CLIENT_SECRET, "the client secret")
    await store.set_destination("d", url="http://the-address")
    assert not await store.keep(), "it is there"
    vault.unlink()
    assert await store.keep()
    assert vault.stat().st_mode & 0o777 == 0o600
    restarted = open_store("passphrase", passphrase=RIGHT)
    assert await restarted.get(TWITCH_CLIENT_SECRET) == "the client secret"
    assert (await restarted.destination("d")).url == "http://the-address"


async def test_a_vault_that_could_not_be_opened_is_not_written_again(open_store: OpenStore, data: Path) -> None:
    await open_store("passphrase", passphrase=RIGHT).set(TWITCH_CLIENT_SECRET, "kept")
    store = open_store("passphrase", passphrase="wrong")
    assert (await store.unlock()).status == "wrong-passphrase"
    (data / "secrets.vault").unlink()
    assert not await store.keep()
    assert list(data.iterdir()) == []


async def test_what_is_kept_in_memory_makes_no_file(open_store: OpenStore, data: Path) -> None:
    store = open_store("memory")
    await store.set_destination("d", url="http://the-address")
    assert not await store.keep()
    assert list(data.iterdir()) == []
