"""Secrets kept in a real vault, shown on purpose, and out of the config in the same breath."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.api.settings.secrets import SecretView
from itsjustintv_desktop.engine.config.save import Set
from itsjustintv_desktop.engine.core.errors import ConfigChangedError, NotFoundError, SecretsError, UsageError
from itsjustintv_desktop.engine.storage.secrets import TUNNEL_AUTHTOKEN, TWITCH_CLIENT_SECRET, TWITCH_WEBHOOK_SECRET
from tests.engine.api.settings.conftest import PASSPHRASE
from tests.support.engine import SECRET, Running, running_engine
from tests.support.waiting import until

CLEAR = "a-client-secret-in-the-clear"
OURS = "a-new-client-secret-of-ours"
CONFIG = f'[twitch]\nclient_secret = "{CLEAR}"\n[destinations.main]\nurl = "RECEIVER/main"\nsecret = "{SECRET}"\n'


@pytest.fixture
async def vault(tmp_path: Path) -> AsyncIterator[Running]:
    """A vault under a passphrase; the client secret stands in the file, nothing of it in the environment."""
    environ = {
        "ITSJUSTINTV_PASSPHRASE": PASSPHRASE,
        "ITSJUSTINTV_SECRETS_STORE": "passphrase",
        "ITSJUSTINTV_TWITCH_CLIENT_SECRET": "",
        "ITSJUSTINTV_TWITCH_WEBHOOK_SECRET": "",
    }
    async with running_engine(tmp_path, CONFIG, environ=environ, subscribe=False) as running:
        yield running


async def view(running: Running, name: str) -> SecretView:
    return {one.name: one for one in await running.engine.api.settings.secrets.list()}[name]


def on_disk(running: Running) -> bytes:
    folders = (running.paths.config.parent, running.paths.data)
    return b"".join(path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file())


async def test_where_each_is(vault: Running) -> None:
    assert (await view(vault, TWITCH_CLIENT_SECRET)).where == "config"
    assert (await view(vault, TWITCH_WEBHOOK_SECRET)).where == "vault"
    assert (await view(vault, TUNNEL_AUTHTOKEN)).where == "absent"


async def test_what_the_environment_says_wins_and_is_named(with_vault: Running) -> None:
    found = await view(with_vault, TWITCH_CLIENT_SECRET)
    assert found.where == "environment"
    assert "ITSJUSTINTV_TWITCH_CLIENT_SECRET" in found.sentence


async def test_keeping_one_takes_the_old_one_out_of_file_and_backup(vault: Running) -> None:
    editing = vault.engine.api.settings
    await editing.documents.edit([])
    assert CLEAR.encode() in on_disk(vault)
    kept = await editing.secrets.keep(TWITCH_CLIENT_SECRET, f" {OURS}\n")
    assert kept.where == "vault"
    assert CLEAR.encode() not in on_disk(vault)
    assert OURS.encode() not in on_disk(vault)
    assert await editing.secrets.reveal(TWITCH_CLIENT_SECRET) == OURS
    assert vault.engine.live.config.twitch.client_secret == ""
    await vault.restart()
    assert await vault.engine.api.settings.secrets.reveal(TWITCH_CLIENT_SECRET) == OURS


async def test_a_secret_and_what_needs_it_are_saved_together_or_neither(vault: Running) -> None:
    editing, path = vault.engine.api.settings, vault.paths.config
    changes = [Set(("twitch", "client_id"), "another-client-id")]
    kept = {TWITCH_CLIENT_SECRET: OURS, TUNNEL_AUTHTOKEN: "a-token-of-ngrok"}
    seen = (await editing.documents.document()).digest
    path.write_text(path.read_text(encoding="utf-8") + "# by hand\n", encoding="utf-8")
    by_hand = path.read_bytes()
    with pytest.raises(ConfigChangedError):
        await editing.secrets.keep_with(kept, changes, seen)
    assert path.read_bytes() == by_hand
    assert await vault.engine.secrets.get(TWITCH_CLIENT_SECRET) is None
    assert await vault.engine.secrets.get(TUNNEL_AUTHTOKEN) is None
    with pytest.raises(UsageError):
        await editing.secrets.keep_with({TUNNEL_AUTHTOKEN: OURS, TWITCH_CLIENT_SECRET: " "}, changes)
    assert await vault.engine.secrets.get(TUNNEL_AUTHTOKEN) is None, "the other one is not kept either"

    await editing.secrets.keep_with(kept, changes, (await editing.documents.document()).digest)
    assert "another-client-id" in path.read_text(encoding="utf-8")
    assert CLEAR.encode() not in on_disk(vault)
    assert await editing.secrets.reveal(TWITCH_CLIENT_SECRET) == OURS
    assert await editing.secrets.reveal(TUNNEL_AUTHTOKEN) == "a-token-of-ngrok"


BY_HAND = "written by hand into the file"


@pytest.mark.parametrize("where", ["file", "store"])
async def test_one_that_was_changed_meanwhile_is_not_overwritten(vault: Running, where: str) -> None:
    editing, path = vault.engine.api.settings, vault.paths.config
    base = await view(vault, TWITCH_CLIENT_SECRET)
    if where == "file":
        path.write_text(path.read_text(encoding="utf-8").replace(CLEAR, BY_HAND), encoding="utf-8")
    else:
        await vault.engine.secrets.set(TWITCH_CLIENT_SECRET, BY_HAND)
    text = path.read_text(encoding="utf-8")
    with pytest.raises(ConfigChangedError, match=r"twitch\.client_secret"):
        await editing.secrets.keep(TWITCH_CLIENT_SECRET, OURS, base)
    assert path.read_text(encoding="utf-8") == text
    assert await vault.engine.secrets.get(TWITCH_CLIENT_SECRET) == (BY_HAND if where == "store" else None)
    await editing.secrets.keep(TWITCH_CLIENT_SECRET, OURS, await view(vault, TWITCH_CLIENT_SECRET))
    assert await editing.secrets.reveal(TWITCH_CLIENT_SECRET) == OURS


async def test_undo_does_not_bring_a_moved_secret_back(vault: Running) -> None:
    editing = vault.engine.api.settings
    saved = await editing.form.set_values({("retry", "max_age"): "2h"})
    await editing.secrets.keep(TWITCH_CLIENT_SECRET, OURS)
    with pytest.raises(UsageError):
        await editing.documents.undo(saved.undo)


async def test_another_webhook_secret_is_used_and_the_old_one_still_good(vault: Running) -> None:
    before: str = await until(lambda: vault.engine.signing.primary)
    await vault.engine.api.settings.secrets.keep(TWITCH_WEBHOOK_SECRET, "another-webhook-secret")
    await until(lambda: vault.engine.signing.primary == "another-webhook-secret")
    assert before.encode() in vault.engine.signing.current()


@pytest.mark.parametrize(
    ("name", "value"),
    [(TWITCH_CLIENT_SECRET, "two words"), (TWITCH_CLIENT_SECRET, ""), (TWITCH_WEBHOOK_SECRET, "short")],
)
async def test_what_cannot_be_one_is_refused_without_showing_it(vault: Running, name: str, value: str) -> None:
    with pytest.raises(UsageError) as caught:
        await vault.engine.api.settings.secrets.keep(name, value)
    assert not value or value not in caught.value.message
    with pytest.raises(NotFoundError):
        await vault.engine.api.settings.secrets.keep("twitch.app_token", "x")


async def test_forgetting(vault: Running) -> None:
    editing = vault.engine.api.settings
    gone = await editing.secrets.forget(TWITCH_CLIENT_SECRET)
    assert gone.where == "absent"
    assert CLEAR.encode() not in on_disk(vault)
    with pytest.raises(NotFoundError):
        await editing.secrets.reveal(TWITCH_CLIENT_SECRET)


async def test_all_in_the_clear_are_moved(vault: Running) -> None:
    editing = vault.engine.api.settings
    moved = await editing.secrets.move()
    assert set(moved) == {"twitch.client_secret", "destinations.main.secret"}
    assert SECRET.encode() not in on_disk(vault)
    assert await editing.secrets.reveal(TWITCH_CLIENT_SECRET) == CLEAR
    shown = await editing.secrets.reveal_destination("main")
    assert (shown.secret, shown.url.endswith("/receiver/main")) == (SECRET, True)
    assert SECRET not in repr(shown)
    assert vault.engine.live.destinations["main"].secret == "@keyring"
    assert await editing.secrets.move() == ()


async def test_a_locked_vault_says_so_and_opens(vault: Running) -> None:
    editing = vault.engine.api.settings
    await editing.secrets.keep(TWITCH_CLIENT_SECRET, OURS)
    del vault._environ["ITSJUSTINTV_PASSPHRASE"]
    await vault.restart()
    editing = vault.engine.api.settings
    locked = await view(vault, TWITCH_CLIENT_SECRET)
    assert locked.where == "unknown"
    assert "passphrase" in locked.sentence.lower()
    with pytest.raises(SecretsError):
        await editing.secrets.reveal(TWITCH_CLIENT_SECRET)
    assert (await editing.secrets.unlock("wrong")).status == "wrong-passphrase"
    assert (await editing.secrets.unlock(PASSPHRASE)).status == "ready"
    assert await editing.secrets.reveal(TWITCH_CLIENT_SECRET) == OURS


async def test_memory_does_not_take_what_lasts_in_the_file(tmp_path: Path) -> None:
    environ = {"ITSJUSTINTV_TWITCH_CLIENT_SECRET": ""}
    async with running_engine(tmp_path, CONFIG, environ=environ, subscribe=False) as running:
        with pytest.raises(UsageError, match="memory"):
            await running.engine.api.settings.secrets.keep(TWITCH_CLIENT_SECRET, OURS)
        assert CLEAR.encode() in on_disk(running)
        assert (await running.engine.api.settings.secrets.keep(TUNNEL_AUTHTOKEN, "2abc")).where == "memory"
