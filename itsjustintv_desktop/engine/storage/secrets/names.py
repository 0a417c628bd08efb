"""What the kept secrets are called, and how items of one data directory stay apart from those of another."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Final

from itsjustintv_desktop.engine.core.errors import UsageError

SERVICE: Final = "itsjustintv-desktop"

TWITCH_CLIENT_SECRET: Final = "twitch.client_secret"  # noqa: S105 - a name
TWITCH_WEBHOOK_SECRET: Final = "twitch.webhook_secret"  # noqa: S105 - a name
TWITCH_WEBHOOK_SECRET_PREVIOUS: Final = "twitch.webhook_secret_previous"  # noqa: S105 - a name
TWITCH_APP_TOKEN: Final = "twitch.app_token"  # noqa: S105 - a name
TUNNEL_AUTHTOKEN: Final = "tunnel.authtoken"
VAULT_KEY: Final = "vault.key"

MAX_ITEM: Final = 1280
"""Longest item in UTF-16 code units: the 2,560 bytes of CRED_MAX_CREDENTIAL_BLOB_SIZE on Windows. It holds on
every system, so that a set-up that works on one works on all."""


def directory_id(data: Path) -> str:
    """16 hex digits that stand for a data directory: the start of the SHA-256 of its resolved path.

    Two data directories of one user never share an item. A directory that is moved leaves its items behind.
    """
    path = os.path.normcase(os.path.realpath(data))
    return hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def keyring_service(service: str, data: Path, name: str) -> str:
    """The service an item is kept under; its user name is `name`.

    The name is in both, because the Windows backend keeps one item a service and shuffles the others around.
    """
    return f"{service}/{directory_id(data)}/{name}"


def check_text(value: str) -> None:
    """Raises UsageError for characters that cannot be stored anywhere."""
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise UsageError("The value holds characters that cannot be stored. Enter it again.")


def check_item(value: str) -> None:
    """Raises UsageError for a value that not every keyring could hold."""
    check_text(value)
    units = len(value.encode("utf-16-le")) // 2
    if units > MAX_ITEM:
        raise UsageError(f"The secret is too long: {units} characters, {MAX_ITEM} can be kept. Check what was entered.")
