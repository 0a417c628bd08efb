"""A destination as a form has it: what is stored of it is not in there, only whether it is still the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from itsjustintv_desktop.engine.config.schema import KEYRING, Destination
from itsjustintv_desktop.engine.core.errors import SecretsError, UsageError
from itsjustintv_desktop.engine.core.fingerprints import UNKNOWN, Fingerprints, fingerprint, fits
from itsjustintv_desktop.engine.delivery.formats.base import Picture
from itsjustintv_desktop.engine.storage.secrets import DestinationSecrets

if TYPE_CHECKING:
    from itsjustintv_desktop.engine.storage.secrets import SecretStore

_LOST = {
    "url": "Its address was removed together with it. Enter it again.",
    "secret": "Its secret was removed together with it. Enter it again, or choose to sign no more.",
    "headers": "Its headers were removed together with it. Enter them again, or replace them with nothing.",
}
"""What only the file had of a destination that was removed from it."""


class DestinationDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A destination as the form has it. `url`, `secret` and `headers`: None leaves what is there, "" (or {}) takes it
    away; in what the engine gives they are None, and `fingerprints` tells whether they are still what they were.
    `format` "": the address tells. `timeout` in seconds."""

    name: str
    url: str | None = None
    secret: str | None = None
    format: str = ""
    signature: Literal["x-hub", "standard-webhooks"] = "x-hub"
    header: str = "X-Hub-Signature-256"
    hashing: Literal["SHA-1", "SHA-256", "SHA-512"] = "SHA-256"
    picture: Picture = "data"
    headers: dict[str, str] | None = None
    timeout: float = 15.0
    enabled: bool = True
    fingerprints: Fingerprints = {}

    def __repr__(self) -> str:
        return f"DestinationDraft({self.name!r})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [("name", self.name)]


async def draft_of(name: str, one: Destination, store: SecretStore) -> DestinationDraft:
    kept: DestinationSecrets | None = None
    if KEYRING in {one.url, one.secret}:
        try:
            kept = await store.destination(name)
        except SecretsError:
            kept = None
    stored: dict[str, Any] = {"url": one.url, "secret": one.secret, "headers": one.headers}
    prints: dict[str, str] = {}
    for field, value in stored.items():
        if value == KEYRING and kept is None:
            prints[field] = UNKNOWN
        elif found := getattr(kept, field) if value == KEYRING else value:
            prints[field] = fingerprint(found)
    return DestinationDraft(
        name=name,
        format="" if one.format_guessed else one.format,
        signature=one.signature,
        header=one.header,
        hashing=one.hashing,
        picture=one.picture,
        timeout=one.timeout,
        enabled=one.enabled,
        fingerprints=prints,
    )


def same(now: DestinationDraft, base: DestinationDraft) -> bool:
    plain = msgspec.structs.replace(base, fingerprints=now.fingerprints)
    return now == plain and fits(now.fingerprints, base.fingerprints)


def brought_back(draft: DestinationDraft, kept: DestinationSecrets) -> DestinationDraft:
    """With what the vault still has of it. Raises UsageError for what went with the file."""
    found: dict[str, str] = {}
    for field, lost in _LOST.items():
        if getattr(draft, field) is not None or field not in draft.fingerprints:
            continue
        value = getattr(kept, field, None)
        if value is None:
            raise UsageError(lost)
        found[field] = value
    return msgspec.structs.replace(draft, **found)
