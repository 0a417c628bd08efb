"""Every error of the keyring library and of the D-Bus layer, as a sentence that says what to do."""

from __future__ import annotations

from typing import Any

import pytest
from keyring import errors as keyring_errors

from itsjustintv_desktop.engine.core.errors import SecretsAbsentError, SecretsError, SecretsLockedError
from itsjustintv_desktop.engine.storage.secrets.keyring_library import keyring_error

jeepney: Any = pytest.importorskip("jeepney", reason="D-Bus is Linux' own")
storage: Any = pytest.importorskip("secretstorage.exceptions", reason="the Secret Service is Linux' own")


def dbus_error(name: str) -> Exception:
    call = jeepney.new_method_call(jeepney.DBusAddress("/", "a.b", "a.b"), "M")
    error: Exception = jeepney.DBusErrorResponse(jeepney.new_error(call, name))
    return error


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (keyring_errors.NoKeyringError("x"), SecretsAbsentError, "no keyring"),
        (keyring_errors.KeyringLocked("x"), SecretsLockedError, "is locked"),
        (keyring_errors.InitError("x"), SecretsLockedError, "create a default keyring"),
        (keyring_errors.PasswordSetError("x"), SecretsLockedError, "did not take"),
        (keyring_errors.PasswordDeleteError("x"), SecretsLockedError, "changed meanwhile"),
        (keyring_errors.KeyringError("x"), SecretsLockedError, "KeyringError"),
        (storage.LockedException("x"), SecretsLockedError, "is locked"),
        (storage.PromptDismissedException("x"), SecretsLockedError, "is locked"),
        (storage.ItemNotFoundException("x"), SecretsLockedError, "changed meanwhile"),
        (storage.SecretServiceNotAvailableException("x"), SecretsLockedError, "cannot be reached"),
        (dbus_error("org.freedesktop.Secret.Error.IsLocked"), SecretsLockedError, "is locked"),
        (dbus_error("org.freedesktop.DBus.Error.NoReply"), SecretsLockedError, "cannot be reached"),
        (ConnectionResetError("x"), SecretsLockedError, "cannot be reached"),
        (TimeoutError(), SecretsLockedError, "not answered"),
        (ZeroDivisionError("the secret itself"), SecretsLockedError, "ZeroDivisionError"),
    ],
)
def test_each_error_has_a_meaning(error: Exception, kind: type[SecretsError], says: str) -> None:
    translated = keyring_error(error)
    assert type(translated) is kind
    assert says in translated.message
    assert "the secret itself" not in translated.message
