"""Moving secrets that stand in the clear in config.toml to where the others are kept."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from itsjustintv_desktop.engine.config.fields import sensitivity
from itsjustintv_desktop.engine.config.schema import KEYRING, Sensitivity
from itsjustintv_desktop.engine.config.validators import trimmed
from itsjustintv_desktop.engine.core.errors import SecretsError, UsageError
from itsjustintv_desktop.engine.storage.secrets.names import (
    TUNNEL_AUTHTOKEN,
    TWITCH_CLIENT_SECRET,
    TWITCH_WEBHOOK_SECRET,
)
from itsjustintv_desktop.engine.storage.secrets.store import SecretStore

_ITEMS: Final = (TWITCH_CLIENT_SECRET, TWITCH_WEBHOOK_SECRET, TUNNEL_AUTHTOKEN)
_FIELDS: Final[dict[Sensitivity, str]] = {"destination": "url", "secret": "secret"}
"""What the vault has of a destination."""
_GLOBAL: Final = "global"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Place:
    """An item (`field` empty), or the url or secret of a destination."""

    name: str
    field: str = ""


async def move_into_keyring(
    config_path: Path, secrets_in_clear: Sequence[str], store: SecretStore, *, environ: Mapping[str, str]
) -> list[str]:
    """Keep these secrets in the store, and take them out of the file and its backup. Returns the keys moved.

    `secrets_in_clear` are the dotted keys of `Loaded.secrets_in_clear`. Keys of Twitch and the tunnel are removed;
    addresses and secrets of destinations (those of a streamer or of [global_webhook] under their implicit names)
    become "@keyring". The file is changed only after a second store, opened afresh, has read every value back.
    Keys whose place in the store would not be theirs alone stay as they are.

    Raises UsageError if the store is memory-only, SecretsError if a value cannot be kept, and what
    `config.save.ConfigFile` raises if the file cannot be changed; the file then is as it was.
    """
    from itsjustintv_desktop.engine.config.save import ConfigFile

    if not store.lasting:
        raise UsageError(
            "Secrets are kept in memory only and would be lost with the next start. Choose [secrets] store = "
            '"keyring" or "passphrase" first.'
        )
    file = await asyncio.to_thread(ConfigFile, config_path, environ)
    explicit = file.get(("destinations",)) or {}
    moving = {
        key: (place, value)
        for key, place in _places(secrets_in_clear, explicit).items()
        if (value := trimmed(str(file.get(key) or ""))) not in {"", KEYRING}
    }
    if not moving:
        return []
    for place, value in moving.values():
        await _keep(store, place, value)
    await _verify(store, moving.values())
    for key, (place, _) in moving.items():
        if place.field:
            file.set(key, KEYRING)
        else:
            file.remove(key)
    await asyncio.to_thread(lambda: file.save(forget_backup=True))
    _log.info("secrets moved out of the config", keys=list(moving))
    return list(moving)


def _places(keys: Sequence[str], explicit: Collection[str]) -> dict[str, _Place]:
    """Where each key's value belongs. Left out: unknown keys, and keys that would meet at one place."""
    from itsjustintv_desktop.engine.config.notation import split

    found: dict[str, _Place] = {}
    for key in keys:
        path = tuple(split(key))
        table, item, field = path[0].lower(), ".".join(path).lower(), _FIELDS.get(sensitivity(path))
        if item in _ITEMS:
            found[key] = _Place(item)
        elif field is None:
            continue
        elif table == "destinations":
            found[key] = _Place(path[1], field)
        elif table == "streamers" and path[-2] not in explicit:
            found[key] = _Place(path[-2], field)
        elif table == "global_webhook" and _GLOBAL not in explicit:
            found[key] = _Place(_GLOBAL, field)
    uses = Counter(found.values())
    return {key: place for key, place in found.items() if uses[place] == 1}


async def _keep(store: SecretStore, place: _Place, value: str) -> None:
    if not place.field:
        await store.set(place.name, value)
    elif place.field == "url":
        await store.set_destination(place.name, url=value)
    else:
        await store.set_destination(place.name, secret=value)


async def _verify(store: SecretStore, moved: Collection[tuple[_Place, str]]) -> None:
    """Raises SecretsError unless a store that knows nothing yet finds every value."""
    fresh = store.reopened()
    try:
        for place, value in moved:
            if place.field:
                kept = getattr(await fresh.destination(place.name), place.field)
            else:
                kept = await fresh.get(place.name)
            if kept != value:
                raise SecretsError("A secret could not be read back after it was kept. Nothing was moved.")
    finally:
        await fresh.close()
