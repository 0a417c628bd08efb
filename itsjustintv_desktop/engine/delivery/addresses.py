"""Where a destination is, at the moment of an attempt: a corrected address counts for what is queued, too."""

from __future__ import annotations

from typing import Any, Protocol

from itsjustintv_desktop.engine.config.schema import KEYRING, Destination
from itsjustintv_desktop.engine.config.validators import trimmed
from itsjustintv_desktop.engine.core.errors import SecretsError


class Addresses(Protocol):
    """Where a destination's url and secret come from when the config says "@keyring"."""

    async def destination(self, name: str) -> Any:
        """Something with `url` and `secret`, each str or None. Raises SecretsError."""
        ...


async def address_of(destination: Destination, addresses: Addresses) -> tuple[str | None, str | None]:
    """Its address and its secret, from the config or the vault. Raises SecretsError."""
    url: str | None = destination.url
    secret: str | None = destination.secret or None
    if KEYRING in {url, secret}:
        kept = await addresses.destination(destination.name)
        url = kept.url if url == KEYRING else url
        secret = kept.secret if secret == KEYRING else secret
        if secret is None and destination.secret == KEYRING:
            # Unsigned would be worse than late: the receiver would refuse it, or worse, accept it.
            raise SecretsError("The destination's secret is not in the vault. Enter it again.")
    return trimmed(url or "") or None, trimmed(secret or "") or None
