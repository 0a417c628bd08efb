"""The Secret Service of a Linux desktop (GNOME Keyring, KWallet, KeePassXC) through secretstorage. All of it blocks.

Every access has a connection of its own, as in the keyring library; but what it says first is chosen with care. GNOME
Keyring notes who is there in one callback and answers in another, and under load the second can run first. It then
knows no such client: asked for a property it aborts, and with it goes the unlocked keyring of the whole session
(seen with 42.1, once in about 1,500 accesses; daemon/dbus/gkd-secret-service.c, `service_message_filter`). A method
call survives that, so one comes first. Source of the names: Secret Service API Draft, freedesktop.org.
"""

from __future__ import annotations

import importlib
from typing import Any, Final

_SERVICE_PATH: Final = "/org/freedesktop/secrets"
_SERVICE: Final = "org.freedesktop.Secret.Service"
_DEFAULT: Final = "/org/freedesktop/secrets/aliases/default"
_NONE: Final = "/"


def connect() -> tuple[Any, str]:
    """A connection that the keyring has seen, to be closed, and the path of the default collection.

    Raises secretstorage's exceptions. The path need not exist: then there is no default collection.
    """
    secretstorage = importlib.import_module("secretstorage")
    util = importlib.import_module("secretstorage.util")
    bus = secretstorage.dbus_init()
    try:
        (path,) = util.DBusAddressWrapper(_SERVICE_PATH, _SERVICE, bus).call("ReadAlias", "s", "default")
    except BaseException:
        bus.close()
        raise
    return bus, _DEFAULT if path == _NONE else path


def collection(chosen: str | None = None) -> Any:
    """The default collection, or the one at the `chosen` path, on a connection that the caller closes.

    Raises secretstorage's exceptions, LockedException among them: nobody is asked for a password here.
    """
    secretstorage = importlib.import_module("secretstorage")
    bus, path = connect()
    try:
        found = secretstorage.Collection(bus, chosen or path)
        found.ensure_not_locked()
    except BaseException:
        bus.close()
        raise
    return found


def teach(backend: Any) -> None:
    """Have the keyring library's backend use `collection` too."""
    backend.get_preferred_collection = lambda: collection(preferred(backend))


def preferred(backend: Any) -> str | None:
    """The path of the collection that the person set for all programs (keyringrc.cfg), None = the default one."""
    path = getattr(backend, "preferred_collection", None)
    return None if path is None else str(path)
