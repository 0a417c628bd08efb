"""The secret Twitch signs with, as the public port needs it: at hand without waiting, or not there yet."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from itsjustintv_desktop.engine.clock import Clock
from itsjustintv_desktop.engine.errors import SecretsError
from itsjustintv_desktop.engine.storage.secrets import SecretStore, SecretValues

RETRY_SECONDS = 3.0

_log = structlog.get_logger(__name__)


class SigningSecret:
    """`current` is empty (Twitch hears 503) until `keep` found or made the secret. `problem` says why not."""

    def __init__(self, store: SecretStore, values: SecretValues, clock: Clock) -> None:
        self._store = store
        self._values = values
        self._clock = clock
        self._secrets: tuple[bytes, ...] = ()
        self.problem: str | None = "The webhook secret was not looked up yet."

    def current(self) -> Sequence[bytes]:
        """The secrets a message may be signed with now."""
        return self._secrets

    async def keep(self) -> None:
        """Get the secret, trying until the keyring gives it; ends then."""
        first = True
        while True:
            try:
                secret = await self._values.webhook_secret()
            except SecretsError as error:
                if first:
                    # The whole sentence stands in the line about the state of the secrets.
                    _log.warning("messages from Twitch must wait for the webhook secret", reason=error.title)
                self.problem = error.message
            else:
                self._secrets = (secret.encode(),)
                self.problem = None
                _log.info("the webhook secret is at hand")
                return
            if first:
                first = False
                await self._store.unlock()  # the one time that a person may be asked
            else:
                await self._clock.sleep(RETRY_SECONDS)
                await self._store.refresh()
