"""Twitch's and the destinations' secrets: in the operating system's keyring, or where the owner chose."""

from itsjustintv_desktop.engine.storage.secrets.content import DestinationSecrets
from itsjustintv_desktop.engine.storage.secrets.migrate import move_into_keyring
from itsjustintv_desktop.engine.storage.secrets.names import (
    TUNNEL_AUTHTOKEN,
    TWITCH_APP_TOKEN,
    TWITCH_CLIENT_SECRET,
    TWITCH_WEBHOOK_SECRET,
    TWITCH_WEBHOOK_SECRET_PREVIOUS,
    VAULT_KEY,
)
from itsjustintv_desktop.engine.storage.secrets.precedence import SecretValues
from itsjustintv_desktop.engine.storage.secrets.state import SecretsState
from itsjustintv_desktop.engine.storage.secrets.store import SecretStore

__all__ = [
    "TUNNEL_AUTHTOKEN",
    "TWITCH_APP_TOKEN",
    "TWITCH_CLIENT_SECRET",
    "TWITCH_WEBHOOK_SECRET",
    "TWITCH_WEBHOOK_SECRET_PREVIOUS",
    "VAULT_KEY",
    "DestinationSecrets",
    "SecretStore",
    "SecretValues",
    "SecretsState",
    "move_into_keyring",
]
