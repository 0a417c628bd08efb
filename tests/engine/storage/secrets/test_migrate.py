"""Secrets that stand in the clear move out of the file, and only once they are safe elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from itsjustintv_desktop.engine.config.load import load
from itsjustintv_desktop.engine.config.schema import KEYRING
from itsjustintv_desktop.engine.core.errors import (
    ConfigChangedError,
    SecretsError,
    SecretsLockedError,
    UsageError,
)
from itsjustintv_desktop.engine.storage.secrets import (
    TUNNEL_AUTHTOKEN,
    TWITCH_CLIENT_SECRET,
    TWITCH_WEBHOOK_SECRET,
    VAULT_KEY,
    DestinationSecrets,
    SecretStore,
    move_into_keyring,
)
from tests.engine.storage.secrets.conftest import OpenStore
from tests.keyring_session import KeyringSession

CONFIG = """\
# mine
[twitch]
client_id = "abcdefabcdefabcdefabcdefabcdef"
client_secret = "clear-client-secret"  # from the console
webhook_secret = "clear-webhook-secret"

[tunnel]
authtoken = "clear-tunnel-token"

[destinations."dis.cord"]
url = "https://discord.com/api/webhooks/1/clear-discord-path"

[destinations.other]
url = "http://192.168.0.2/hook"
secret = "clear-other-secret"

[streamers.alice]
login = "alice"
target_webhook_url = "https://hooks.slack.com/services/clear-slack-path"
target_webhook_secret = "clear-alice-secret"

[streamers.twitch."b.o.b"]
login = "bob"
webhook_url = "http://192.168.0.3/hook"
target_webhook_secret = "clear-bob-secret"

[global_webhook]
enabled = true
url = "http://192.168.0.4/hook"
target_webhook_secret = "clear-global-secret"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config" / "config.toml"
    path.parent.mkdir()
    path.write_text(CONFIG)
    return path


async def move(config: Path, store: SecretStore) -> list[str]:
    return await move_into_keyring(config, load(config, {}).secrets_in_clear, store, environ={})


async def test_every_secret_moves_and_the_program_finds_it_there(
    open_store: OpenStore, session: KeyringSession, config: Path
) -> None:
    (config.parent / "config.toml.bak").write_text(CONFIG)
    expected = set(load(config, {}).secrets_in_clear)
    assert len(expected) == 9
    assert set(await move(config, open_store())) == expected

    for path in config.parent.iterdir():
        assert "clear-" not in path.read_text(), path.name
    text = config.read_text()
    assert text.startswith("# mine\n")
    loaded = load(config, {})
    assert loaded.secrets_in_clear == ()
    assert loaded.config.twitch.client_secret == ""
    assert loaded.config.destinations["dis.cord"].url == KEYRING
    assert loaded.config.destinations["other"].url == "http://192.168.0.2/hook"
    assert loaded.config.streamers["alice"].target_webhook_url == KEYRING
    assert loaded.config.streamers["b.o.b"].target_webhook_url == "http://192.168.0.3/hook"

    restarted = open_store()
    assert await restarted.get(TWITCH_CLIENT_SECRET) == "clear-client-secret"
    assert await restarted.get(TWITCH_WEBHOOK_SECRET) == "clear-webhook-secret"
    assert await restarted.get(TUNNEL_AUTHTOKEN) == "clear-tunnel-token"
    assert {name: await restarted.destination(name) for name in ("dis.cord", "other", "alice", "b.o.b", "global")} == {
        "dis.cord": DestinationSecrets(url="https://discord.com/api/webhooks/1/clear-discord-path"),
        "other": DestinationSecrets(secret="clear-other-secret"),
        "alice": DestinationSecrets(
            url="https://hooks.slack.com/services/clear-slack-path", secret="clear-alice-secret"
        ),
        "b.o.b": DestinationSecrets(secret="clear-bob-secret"),
        "global": DestinationSecrets(secret="clear-global-secret"),
    }


async def test_a_second_time_there_is_nothing_to_move(
    open_store: OpenStore, session: KeyringSession, config: Path
) -> None:
    await move(config, open_store())
    before = config.read_bytes()
    assert await move(config, open_store()) == []
    assert config.read_bytes() == before


async def test_a_passphrase_vault_takes_them_too(open_store: OpenStore, no_keyring: None, config: Path) -> None:
    await move(config, open_store("passphrase", passphrase="right"))
    assert "clear-" not in config.read_text()
    restarted = open_store("passphrase", passphrase="right")
    assert await restarted.get(TWITCH_CLIENT_SECRET) == "clear-client-secret"


async def test_a_locked_keyring_leaves_the_file(open_store: OpenStore, session: KeyringSession, config: Path) -> None:
    session.lock()
    with pytest.raises(SecretsLockedError):
        await move(config, open_store())
    assert config.read_text() == CONFIG


async def test_memory_only_is_refused(open_store: OpenStore, config: Path) -> None:
    with pytest.raises(UsageError, match="memory only"):
        await move(config, open_store("memory"))
    assert config.read_text() == CONFIG


async def test_what_cannot_be_read_back_leaves_the_file(
    open_store: OpenStore, session: KeyringSession, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from keyring.backends import SecretService

    real_set: Any = SecretService.Keyring.set_password

    def forget(self: SecretService.Keyring, service: str, name: str, value: str) -> None:
        """A keyring that says yes and keeps nothing but the vault's key."""
        if name == VAULT_KEY:
            real_set(self, service, name, value)

    monkeypatch.setattr(SecretService.Keyring, "set_password", forget)
    with pytest.raises(SecretsError, match="read back"):
        await move(config, open_store())
    assert config.read_text() == CONFIG


async def test_a_file_that_changed_meanwhile_is_not_written_over(
    open_store: OpenStore, session: KeyringSession, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = CONFIG.replace("# mine", "# changed by hand")
    real_set = SecretStore.set

    async def edited_meanwhile(self: SecretStore, name: str, value: str) -> None:
        config.write_text(changed)
        await real_set(self, name, value)

    monkeypatch.setattr(SecretStore, "set", edited_meanwhile)
    with pytest.raises(ConfigChangedError):
        await move(config, open_store())
    assert config.read_text() == changed


async def test_a_place_that_belongs_to_another_destination_is_left_to_it(
    open_store: OpenStore, session: KeyringSession, config: Path
) -> None:
    config.write_text(
        """\
[destinations.alice]
url = "@keyring"
secret = "clear-of-the-destination"

[streamers.alice]
login = "alice"
destinations = ["alice"]
target_webhook_secret = "clear-of-the-streamer"
"""
    )
    store = open_store()
    await store.set_destination("alice", url="http://kept")
    assert await move(config, store) == ["destinations.alice.secret"]
    assert "clear-of-the-streamer" in config.read_text()
    kept = DestinationSecrets(url="http://kept", secret="clear-of-the-destination")
    assert await open_store().destination("alice") == kept
