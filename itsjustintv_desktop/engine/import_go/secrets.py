"""What goes into the keyring or comes from it: the app token, and addresses of destinations that lie in the vault."""

from __future__ import annotations

import re
from pathlib import Path

from itsjustintv_desktop.engine.config.destinations import effective_destinations
from itsjustintv_desktop.engine.config.schema import KEYRING, Config
from itsjustintv_desktop.engine.core.errors import SecretsError, UsageError
from itsjustintv_desktop.engine.import_go import reader, values
from itsjustintv_desktop.engine.import_go.report import Part, State
from itsjustintv_desktop.engine.storage.secrets import TWITCH_APP_TOKEN, SecretStore
from itsjustintv_desktop.engine.twitch.tokens import stored

_TOKEN = re.compile(r"[!-~]{10,500}")
_LONGEST = 400 * 86_400.0
"""Seconds. Twitch's app tokens live for about 60 days."""
_BY_ITSELF = "A new one is fetched by itself."


async def addresses(config: Config, store: SecretStore) -> tuple[dict[str, str], str | None]:
    """Addresses in the vault by destination, and a sentence if they cannot be had now."""
    found: dict[str, str] = {}
    if any(each.url == KEYRING for each in effective_destinations(config).values()):
        await store.unlock()  # whoever repeats the command because the vault was shut must be asked
    for name, destination in effective_destinations(config).items():
        if destination.url != KEYRING:
            continue
        try:
            kept = (await store.destination(name)).url
        except SecretsError as error:
            return found, error.message
        if kept:
            found[name] = kept
    return found, None


async def token(path: Path, client_id: str, store: SecretStore, now: float) -> Part:
    """Take the app token over if it holds and we have none. Never reports anything of it."""
    part = Part(name=reader.TOKENS)
    content = reader.read(path, reader.LARGEST[reader.TOKENS])
    if content is None:
        part.state = State.NOTHING
        return part
    entry = reader.mapping(content)
    access_token, expires = entry.get("access_token"), values.moment(entry.get("expires_at"))
    why = None
    if not isinstance(access_token, str) or not _TOKEN.fullmatch(access_token):
        why = "there is no token in it that could be used"
    elif expires is None or not values.EARLIEST <= expires <= now + _LONGEST:
        why = "it does not say until when the token holds"
    elif not client_id:
        why = "no [twitch] client_id is set that it could be for"
    elif not store.lasting:
        why = "secrets are kept in memory only"
    elif (item := stored(client_id, access_token, now=now, expires_at=expires)) is None:
        why = "the token has run out"
    else:
        try:
            if await store.get(TWITCH_APP_TOKEN):
                part.already = 1
                return part
            await store.set(TWITCH_APP_TOKEN, item)
        except (SecretsError, UsageError) as error:
            why = f"it cannot be kept now ({error.message.rstrip('.')})"
        else:
            part.taken = 1
    if why is not None:
        part.state, part.left_out = State.LEFT, 1
        part.notes.append(f"The token is left out: {why}. {_BY_ITSELF}")
    return part
