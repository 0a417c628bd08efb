"""Which value of a secret counts: environment, then config (the loader merged those two), then the store."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import Final

import structlog

from itsjustintv_desktop.engine.config.active import ConfigHolder
from itsjustintv_desktop.engine.config.schema import KEYRING, Config
from itsjustintv_desktop.engine.config.validators import trimmed
from itsjustintv_desktop.engine.core.errors import UsageError
from itsjustintv_desktop.engine.storage.secrets.names import (
    TUNNEL_AUTHTOKEN,
    TWITCH_CLIENT_SECRET,
    TWITCH_WEBHOOK_SECRET,
)
from itsjustintv_desktop.engine.storage.secrets.store import SecretStore

_IN_CONFIG: Final[dict[str, Callable[[Config], str]]] = {
    TWITCH_CLIENT_SECRET: lambda config: config.twitch.client_secret,
    TWITCH_WEBHOOK_SECRET: lambda config: config.twitch.webhook_secret,
    TUNNEL_AUTHTOKEN: lambda config: config.tunnel.authtoken,
}

_log = structlog.get_logger(__name__)


class SecretValues:
    """The secrets that config.toml can hold.

    Each method raises SecretsError if the store is needed and its secrets cannot be had.
    """

    def __init__(self, store: SecretStore, config: ConfigHolder) -> None:
        self._store = store
        self._config = config
        self._generating = asyncio.Lock()

    async def client_secret(self) -> str | None:
        return await self._value(TWITCH_CLIENT_SECRET)

    def knows_client_secret(self) -> bool | None:
        """Whether there is one, without waiting for the store; None: it was not asked for yet."""
        written = _IN_CONFIG[TWITCH_CLIENT_SECRET](self._config.current.config)
        return True if written and written != KEYRING else self._store.knows(TWITCH_CLIENT_SECRET)

    async def tunnel_authtoken(self) -> str | None:
        return await self._value(TUNNEL_AUTHTOKEN)

    async def webhook_secret(self) -> str:
        """The secret Twitch signs with: 10 to 100 ASCII characters. Found nowhere, it is generated and kept."""
        if value := await self._value(TWITCH_WEBHOOK_SECRET):
            return value
        async with self._generating:
            if value := await self._value(TWITCH_WEBHOOK_SECRET):
                return value
            value = secrets.token_urlsafe(32)
            await self._store.set(TWITCH_WEBHOOK_SECRET, value)
            _log.info("webhook secret generated")
            return value

    async def new_webhook_secret(self) -> str:
        """One that differs from all before, not kept yet. Raises UsageError where the config says which it is."""
        written = _IN_CONFIG[TWITCH_WEBHOOK_SECRET](self._config.current.config)
        if written and written != KEYRING:
            raise UsageError(
                "The webhook secret stands in the config or the environment, so it has to be changed there: "
                "[twitch] webhook_secret, 10 to 100 ASCII characters."
            )
        return secrets.token_urlsafe(32)

    async def keep_webhook_secret(self, value: str) -> None:
        """From now on `webhook_secret` gives this one."""
        await self._store.set(TWITCH_WEBHOOK_SECRET, value)

    async def _value(self, name: str) -> str | None:
        written = _IN_CONFIG[name](self._config.current.config)
        if written and written != KEYRING:
            return written
        return trimmed(await self._store.get(name) or "") or None
