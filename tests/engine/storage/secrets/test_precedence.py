"""Which value of a secret counts."""

from __future__ import annotations

import asyncio
import string

import pytest

from itsjustintv_desktop.engine.config.active import ActiveConfig
from itsjustintv_desktop.engine.config.schema import KEYRING, Config, Tunnel, Twitch
from itsjustintv_desktop.engine.core.errors import SecretsAbsentError, SecretsLockedError
from itsjustintv_desktop.engine.storage.secrets import (
    TUNNEL_AUTHTOKEN,
    TWITCH_CLIENT_SECRET,
    TWITCH_WEBHOOK_SECRET,
    SecretStore,
    SecretValues,
)
from tests.engine.storage.secrets.conftest import OpenStore
from tests.keyring_session import KeyringSession
from tests.support.holding import holding


def values(store: SecretStore, config: Config | None = None) -> SecretValues:
    return SecretValues(store, holding(config))


async def test_the_config_comes_before_the_store(open_store: OpenStore) -> None:
    store = open_store("memory")
    await store.set(TWITCH_CLIENT_SECRET, "stored client")
    await store.set(TWITCH_WEBHOOK_SECRET, "stored webhook")
    await store.set(TUNNEL_AUTHTOKEN, "stored tunnel")
    written = values(
        store,
        Config(
            twitch=Twitch(client_secret="written client", webhook_secret="written webhook"),
            tunnel=Tunnel(authtoken="written tunnel"),
        ),
    )
    assert await written.client_secret() == "written client"
    assert await written.webhook_secret() == "written webhook"
    assert await written.tunnel_authtoken() == "written tunnel"
    for config in (Config(), Config(twitch=Twitch(client_secret=KEYRING, webhook_secret=KEYRING))):
        stored = values(store, config)
        assert await stored.client_secret() == "stored client"
        assert await stored.webhook_secret() == "stored webhook"
        assert await stored.tunnel_authtoken() == "stored tunnel"


async def test_a_config_that_changes_is_followed(open_store: OpenStore) -> None:
    config = holding(Config(twitch=Twitch(client_secret="first")))
    followed = SecretValues(open_store("memory"), config)
    assert await followed.client_secret() == "first"
    config.current = ActiveConfig(Config(), {})
    assert await followed.client_secret() is None


async def test_a_secret_in_the_config_needs_no_store(open_store: OpenStore, no_keyring: None) -> None:
    written = values(open_store(), Config(twitch=Twitch(webhook_secret="written webhook")))
    assert await written.webhook_secret() == "written webhook"
    with pytest.raises(SecretsAbsentError):
        await written.client_secret()


async def test_a_webhook_secret_is_generated_once_and_kept(open_store: OpenStore, session: KeyringSession) -> None:
    made = values(open_store())
    answers = await asyncio.gather(*(made.webhook_secret() for _ in range(20)))
    assert len(set(answers)) == 1
    assert 10 <= len(answers[0]) <= 100
    assert set(answers[0]) <= set(string.ascii_letters + string.digits + "-_")
    assert await values(open_store()).webhook_secret() == answers[0]


async def test_each_generated_secret_is_another(open_store: OpenStore) -> None:
    made = {await values(open_store("memory")).webhook_secret() for _ in range(5)}
    assert len(made) == 5


async def test_nothing_is_generated_while_the_keyring_is_locked(open_store: OpenStore, session: KeyringSession) -> None:
    first = await values(open_store()).webhook_secret()
    session.lock()
    locked_store = open_store()
    locked = values(locked_store)
    with pytest.raises(SecretsLockedError):
        await locked.webhook_secret()
    session.unlock()
    await locked_store.refresh()
    assert await locked.webhook_secret() == first


async def test_nothing_is_generated_without_a_place_to_keep_it(open_store: OpenStore, no_keyring: None) -> None:
    with pytest.raises(SecretsAbsentError):
        await values(open_store()).webhook_secret()


@pytest.mark.parametrize("kept", ["the secret\n", " the secret", "\ufeffthe secret\r\n"])
async def test_blanks_around_a_secret_that_is_kept_are_no_part_of_it(open_store: OpenStore, kept: str) -> None:
    store = open_store("memory")
    for name in (TWITCH_CLIENT_SECRET, TWITCH_WEBHOOK_SECRET, TUNNEL_AUTHTOKEN):
        await store.set(name, kept)
    stored = values(store)
    assert await stored.client_secret() == "the secret"
    assert await stored.webhook_secret() == "the secret"
    assert await stored.tunnel_authtoken() == "the secret"
