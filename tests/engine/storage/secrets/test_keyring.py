"""The choice "keyring" against a real GNOME Keyring on a bus of its own."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import structlog

from itsjustintv_desktop.engine.core.errors import (
    SecretsError,
    SecretsLockedError,
    UsageError,
    VaultDamagedError,
)
from itsjustintv_desktop.engine.storage.secrets import (
    TWITCH_APP_TOKEN,
    TWITCH_CLIENT_SECRET,
    VAULT_KEY,
    DestinationSecrets,
)
from tests.engine.storage.secrets.conftest import OpenStore
from tests.keyring_session import KeyringSession, private_keyring

URL = "https://discord.com/api/webhooks/1/the-secret-path"
SECRET = "a destination's secret"


async def test_nothing_is_touched_before_it_is_asked(
    open_store: OpenStore, data: Path, session: KeyringSession
) -> None:
    session.pause()
    store = open_store()
    assert store.state.status == "unopened"
    assert list(data.iterdir()) == []


async def test_items_are_kept_read_after_a_restart_and_forgotten(
    open_store: OpenStore, session: KeyringSession
) -> None:
    store = open_store()
    assert (await store.unlock()).status == "ready"
    assert await store.get(TWITCH_CLIENT_SECRET) is None
    await store.set(TWITCH_CLIENT_SECRET, "ünïcode secret \N{SNOWMAN}")
    assert await store.get(TWITCH_CLIENT_SECRET) == "ünïcode secret \N{SNOWMAN}"

    restarted = open_store()
    assert await restarted.get(TWITCH_CLIENT_SECRET) == "ünïcode secret \N{SNOWMAN}"
    await restarted.delete(TWITCH_CLIENT_SECRET)
    await restarted.delete(TWITCH_CLIENT_SECRET)
    assert await restarted.get(TWITCH_CLIENT_SECRET) is None
    assert await open_store().get(TWITCH_CLIENT_SECRET) is None


async def test_an_item_that_is_set_to_nothing_is_gone(open_store: OpenStore, session: KeyringSession) -> None:
    store = open_store()
    await store.set(TWITCH_APP_TOKEN, "token")
    await store.set(TWITCH_APP_TOKEN, "")
    assert await open_store().get(TWITCH_APP_TOKEN) is None


async def test_destinations_survive_a_restart_and_a_restart_of_the_keyring(
    open_store: OpenStore, session: KeyringSession
) -> None:
    store = open_store()
    await store.set_destination("discord", url=URL, secret=SECRET)
    await store.set_destination("plain", url="http://192.168.0.2/hook")
    await store.set_destination("discord", secret=None)
    session.stop_daemon()
    session.start_daemon(unlocked=True)
    restarted = open_store()
    assert await restarted.destination("discord") == DestinationSecrets(url=URL)
    assert await restarted.destination("plain") == DestinationSecrets(url="http://192.168.0.2/hook")
    assert await restarted.destination("unknown") == DestinationSecrets()


async def test_destinations_are_renamed_and_deleted(open_store: OpenStore, session: KeyringSession) -> None:
    store = open_store()
    await store.set_destination("one", url=URL, secret=SECRET)
    await store.set_destination("other", url="http://other")
    with pytest.raises(UsageError, match="other"):
        await store.rename_destination("one", "other")
    await store.rename_destination("one", "two")
    await store.rename_destination("nobody", "somebody")
    await store.delete_destination("other")
    await store.delete_destination("other")
    restarted = open_store()
    assert await restarted.destination("two") == DestinationSecrets(url=URL, secret=SECRET)
    assert await restarted.destination("one") == DestinationSecrets()
    assert await restarted.destination("other") == DestinationSecrets()


async def test_two_data_directories_share_nothing(
    open_store: OpenStore, session: KeyringSession, tmp_path: Path
) -> None:
    folders = [tmp_path / "first", tmp_path / "second"]
    for folder in folders:
        folder.mkdir()
        store = open_store(folder=folder)
        assert await store.get(TWITCH_CLIENT_SECRET) is None
        await store.set(TWITCH_CLIENT_SECRET, f"of {folder.name}")
        await store.set_destination("d", url=f"http://{folder.name}")
    for folder in folders:
        store = open_store(folder=folder)
        assert await store.get(TWITCH_CLIENT_SECRET) == f"of {folder.name}"
        assert (await store.destination("d")).url == f"http://{folder.name}"
    await open_store(folder=folders[0]).delete(TWITCH_CLIENT_SECRET)
    assert await open_store(folder=folders[1]).get(TWITCH_CLIENT_SECRET) == "of second"


async def test_no_file_shows_a_secret_and_the_vault_is_the_owners_alone(
    open_store: OpenStore, data: Path, session: KeyringSession
) -> None:
    store = open_store()
    await store.set(TWITCH_CLIENT_SECRET, "the client secret")
    await store.set_destination("d", url=URL, secret=SECRET)
    await store.set_destination("d", url=URL + "2")
    files = [path for path in data.rglob("*") if path.is_file()]
    assert [path.name for path in files] == ["secrets.vault"]
    assert files[0].stat().st_mode & 0o777 == 0o600
    for secret in ("the client secret", "the-secret-path", SECRET):
        assert secret.encode() not in files[0].read_bytes()


async def test_the_steady_state_asks_the_keyring_nothing(open_store: OpenStore, session: KeyringSession) -> None:
    store = open_store()
    await store.set(TWITCH_CLIENT_SECRET, "kept")
    await store.set_destination("d", url=URL)
    assert await store.get(TWITCH_APP_TOKEN) is None
    session.pause()
    assert await store.get(TWITCH_CLIENT_SECRET) == "kept"
    assert await store.get(TWITCH_APP_TOKEN) is None
    assert (await store.destination("d")).url == URL
    await store.set_destination("d", url="http://changed")
    assert (await store.destination("d")).url == "http://changed"
    assert (await store.refresh()).status == "ready"


async def test_a_vault_whose_key_is_not_in_this_keyring_is_left_alone(
    open_store: OpenStore, data: Path, session: KeyringSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_store().set_destination("d", url=URL)
    before = (data / "secrets.vault").read_bytes()
    with private_keyring() as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        store = open_store()
        state = await store.unlock()
        assert state.status == "damaged"
        assert "does not hold" in state.message
        await store.set(TWITCH_CLIENT_SECRET, "items are not concerned")
        assert await store.get(TWITCH_CLIENT_SECRET) == "items are not concerned"
        with pytest.raises(VaultDamagedError):
            await store.destination("d")
        with pytest.raises(VaultDamagedError):
            await store.set_destination("d", url="http://new")
        assert await store.get(VAULT_KEY) is None
    assert (data / "secrets.vault").read_bytes() == before


@pytest.mark.expected_errors("vault damaged and put aside")
async def test_a_damaged_vault_is_put_aside_and_says_so_until_a_new_one_is_begun(
    open_store: OpenStore, data: Path, session: KeyringSession
) -> None:
    await open_store().set_destination("d", url=URL)
    vault = data / "secrets.vault"
    damaged = vault.read_bytes()[:-40]
    vault.write_bytes(damaged)

    store = open_store()
    state = await store.unlock()
    assert state.status == "damaged"
    (aside,) = data.glob("secrets.vault.damaged-*")
    assert aside.name in state.message
    assert aside.read_bytes() == damaged
    assert (await store.refresh()) == state
    with pytest.raises(VaultDamagedError):
        await store.destination("d")
    await store.set(TWITCH_CLIENT_SECRET, "items are not concerned")
    assert (await open_store().unlock()).status == "damaged"

    await store.set_destination("d", url="http://new")
    assert store.state.status == "ready"
    assert (await open_store().destination("d")).url == "http://new"
    assert aside.read_bytes() == damaged


async def test_a_vault_that_is_a_link_is_refused(
    open_store: OpenStore, data: Path, session: KeyringSession, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").write_bytes(b"")
    (data / "secrets.vault").symlink_to(tmp_path / "elsewhere")
    store = open_store()
    state = await store.unlock()
    assert (state.status, "symbolic link" in state.message) == ("damaged", True)
    with pytest.raises(VaultDamagedError):
        await store.set_destination("d", url=URL)
    assert (data / "secrets.vault").is_symlink()
    (data / "secrets.vault").unlink()
    assert (await store.refresh()).status == "ready"


async def test_a_disk_that_refuses_changes_neither_file_nor_memory(
    open_store: OpenStore, data: Path, session: KeyringSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store()
    await store.set_destination("d", url=URL)

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuse)
        with pytest.raises(SecretsError, match="disk is full"):
            await store.set_destination("d", url="http://new")
    assert (await store.destination("d")).url == URL
    assert store.state.status == "ready"
    assert (await open_store().destination("d")).url == URL


async def test_no_vault_is_written_with_a_key_that_was_not_kept(
    open_store: OpenStore, data: Path, session: KeyringSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    from keyring.backends import SecretService

    def forget(*_: object) -> None:
        """A keyring that says yes and keeps nothing."""

    monkeypatch.setattr(SecretService.Keyring, "set_password", forget)
    with pytest.raises(SecretsLockedError, match="did not keep"):
        await open_store().set_destination("d", url=URL)
    assert list(data.iterdir()) == []


async def test_the_keyring_meets_a_new_client_with_a_call_it_survives(
    open_store: OpenStore, session: KeyringSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GNOME Keyring aborts when the first word of a client it has not noted yet is a question for a property."""
    from secretstorage import util

    words: dict[int, list[str]] = {}
    connections = []  # kept, so that no two have one id
    say = util.DBusAddressWrapper.send_and_get_reply

    def send_and_get_reply(self: util.DBusAddressWrapper, message: Any) -> object:
        fields = {kind.name: value for kind, value in message.header.fields.items()}
        if fields["destination"] == util.BUS_NAME:
            connections.append(self._connection)
            words.setdefault(id(self._connection), []).append(fields["member"])
        return say(self, message)

    monkeypatch.setattr(util.DBusAddressWrapper, "send_and_get_reply", send_and_get_reply)
    store = open_store()
    await store.set_destination("d", url=URL, secret="s")
    await store.set(TWITCH_CLIENT_SECRET, "c")
    await store.delete(TWITCH_CLIENT_SECRET)
    assert (await open_store().destination("d")).url == URL
    assert len(words) > 5
    assert {each[0] for each in words.values()} == {"ReadAlias"}


async def test_values_are_checked_before_they_are_kept(open_store: OpenStore, session: KeyringSession) -> None:
    store = open_store()
    with pytest.raises(UsageError):
        await store.set(TWITCH_APP_TOKEN, "x" * 1281)
    with pytest.raises(UsageError):
        await store.set_destination("d", url="http://\ud800")
    await store.set(TWITCH_APP_TOKEN, "x" * 1280)
    assert await open_store().get(TWITCH_APP_TOKEN) == "x" * 1280


async def test_no_log_and_no_repr_shows_a_secret(open_store: OpenStore, data: Path, session: KeyringSession) -> None:
    with structlog.testing.capture_logs() as logs:
        store = open_store()
        await store.set(TWITCH_CLIENT_SECRET, "shown-client")
        await store.set_destination("d", url="http://shown-url", secret="shown-secret")
        session.lock()
        await open_store().unlock()
        (data / "secrets.vault").write_bytes(b"damaged")
        session.unlock()
        await open_store().unlock()
    assert {entry["event"] for entry in logs} >= {"secrets changed state", "vault damaged and put aside"}
    shown = f"{logs} {await store.destination('d')!r} {store!r} {store.state!r}"
    assert "shown-" not in shown


async def test_many_at_once_are_served_one_after_another(open_store: OpenStore, session: KeyringSession) -> None:
    store = open_store()
    await asyncio.gather(
        *(store.set_destination(f"d{number}", url=f"http://{number}") for number in range(20)),
        *(store.set(f"item.{number}", str(number)) for number in range(10)),
        *(store.get(TWITCH_CLIENT_SECRET) for _ in range(10)),
    )
    restarted = open_store()
    for number in range(20):
        assert (await restarted.destination(f"d{number}")).url == f"http://{number}"
    assert await restarted.get("item.9") == "9"


async def test_a_caller_that_gives_up_leaves_a_whole_vault(open_store: OpenStore, session: KeyringSession) -> None:
    store = open_store()
    await store.set_destination("first", url=URL)
    writes = [asyncio.ensure_future(store.set_destination(f"d{n}", url="http://x" * 1000)) for n in range(5)]
    await asyncio.sleep(0)
    for write in writes:
        write.cancel()
    await asyncio.gather(*writes, return_exceptions=True)
    await store.set_destination("last", url=URL)
    restarted = open_store()
    assert (await restarted.destination("first")).url == URL
    assert (await restarted.destination("last")).url == URL


async def test_after_close_nothing_is_left_to_read(open_store: OpenStore, session: KeyringSession) -> None:
    store = open_store()
    await store.set(TWITCH_CLIENT_SECRET, "kept")
    await store.close()
    with pytest.raises(SecretsLockedError):
        await store.get(TWITCH_CLIENT_SECRET)
    with pytest.raises(SecretsLockedError):
        await store.destination("d")
    assert (await store.refresh()).status == "unopened"


def test_no_heavy_library_is_loaded_before_it_is_needed() -> None:
    script = """
import sys
import itsjustintv_desktop.engine.storage.secrets
print({"keyring", "cryptography", "secretstorage", "tomlkit"} & {name.split(".")[0] for name in sys.modules})
"""
    ended = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)
    assert ended.stdout == "set()\n", ended.stderr
