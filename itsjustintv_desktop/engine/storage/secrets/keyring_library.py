"""The operating system's keyring through the keyring library. All of it blocks; keyring is imported at first use.

Only keyrings of the operating system are accepted (never keyrings.alt), and they are found here instead of by
`keyring.get_keyring()`: that one loads every plug-in, may chain to a plain file, and remembers for ever that
there was no keyring when the session had only begun.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import structlog

from itsjustintv_desktop.engine.core.errors import SecretsAbsentError, SecretsError, SecretsLockedError
from itsjustintv_desktop.engine.storage.secrets import secret_service
from itsjustintv_desktop.engine.storage.secrets.names import keyring_service

ACCEPTED: Final = (
    "keyring.backends.SecretService.Keyring",
    "keyring.backends.kwallet.DBusKeyring",
    "keyring.backends.libsecret.Keyring",
    "keyring.backends.kwallet.DBusKeyringKWallet4",
    "keyring.backends.macOS.Keyring",
    "keyring.backends.Windows.WinVaultKeyring",
)
_CHAINER: Final = "keyring.backends.chainer.ChainerBackend"
_SECRET_SERVICE: Final = ACCEPTED[0]
PROMPT_SECONDS: Final = 300.0
"""How long a question to unlock stays open; after that the next look finds out by itself."""

_OTHER_CHOICES: Final = (
    'Start a keyring (GNOME Keyring or KWallet), or choose: [secrets] store = "passphrase" with '
    'ITSJUSTINTV_PASSPHRASE set, or store = "memory".'
)

_log = structlog.get_logger(__name__)


class Keyring:
    """The items of one data directory. Every method raises SecretsError and nothing else."""

    def __init__(self, service: str, data: Path) -> None:
        self._service = service
        self._data = data
        self._backend: Any = None

    def open(self, *, prompt: bool) -> None:
        """Find the keyring and make sure it is unlocked, asking the person only with `prompt`.

        Where only the Secret Service can be asked whether it is locked, other systems ask the person whenever
        they need to.
        """
        with _translated():
            self._backend = self._backend or _find()
            self._unlock(prompt=prompt)

    @property
    def asks_by_itself(self) -> bool:
        """Whether any access may put up a question that we cannot foresee."""
        return self._backend is not None and _name(self._backend) != _SECRET_SERVICE

    def get(self, name: str) -> str | None:
        value = self._ask(lambda: self._backend.get_password(keyring_service(self._service, self._data, name), name))
        return None if value is None else str(value)

    def set(self, name: str, value: str) -> None:
        self._ask(lambda: self._backend.set_password(keyring_service(self._service, self._data, name), name, value))

    def delete(self, name: str) -> None:
        """A missing item is fine."""
        service = keyring_service(self._service, self._data, name)

        def work() -> None:
            if self._backend.get_password(service, name) is not None:
                self._backend.delete_password(service, name)

        self._ask(work)

    def _ask(self, work: Callable[[], Any]) -> Any:
        """Do it with an unlocked keyring."""
        with _translated():
            if self._backend is None:
                self._backend = _find()
            self._unlock(prompt=False)
            return work()

    def _unlock(self, *, prompt: bool) -> None:
        """Raises SecretsLockedError if the Secret Service's collection is locked and stays so."""
        if _name(self._backend) != _SECRET_SERVICE:
            return
        secretstorage = importlib.import_module("secretstorage")
        bus, path = secret_service.connect()
        with closing(bus):
            try:
                collection = secretstorage.Collection(bus, secret_service.preferred(self._backend) or path)
            except secretstorage.ItemNotFoundException:
                if not prompt:
                    raise SecretsLockedError(
                        "The keyring has no place to keep secrets yet. Open your password manager and create a "
                        "default keyring."
                    ) from None
                collection = secretstorage.get_default_collection(bus)
            if prompt and collection.is_locked():
                collection.unlock(timeout=PROMPT_SECONDS)
            collection.ensure_not_locked()


def _name(backend: object) -> str:
    kind = type(backend)
    return f"{kind.__module__}.{kind.__qualname__}"


def _find() -> Any:
    """The best accepted keyring of this machine. Raises SecretsAbsentError."""
    chosen = _chosen_by_user()
    if chosen not in {None, _CHAINER, *ACCEPTED}:
        raise SecretsAbsentError(f"This user's keyring is set to {chosen}, which cannot keep secrets. {_OTHER_CHOICES}")
    found = []
    for name in ACCEPTED:
        module, _, kind = name.rpartition(".")
        backend = getattr(importlib.import_module(module), kind)
        if backend.viable and chosen in {None, _CHAINER, name}:
            found.append((backend.priority, backend))
    if not found:
        raise SecretsAbsentError(f"This machine has no keyring. {_OTHER_CHOICES}")
    _, best = max(found, key=lambda entry: float(entry[0]))
    backend = best()
    if _name(backend) == _SECRET_SERVICE:
        secret_service.teach(backend)
    _log.info("keyring found", keyring=_name(backend))
    return backend


def _chosen_by_user() -> str | None:
    """The backend the person set for all programs (PYTHON_KEYRING_BACKEND or keyringrc.cfg), None if none."""
    if name := os.environ.get("PYTHON_KEYRING_BACKEND"):
        return name
    configured = importlib.import_module("keyring.core").load_config()
    return None if configured is None else _name(configured)


@contextmanager
def _translated() -> Iterator[None]:
    """Whatever a keyring raises comes out as SecretsError: backends let errors of five libraries through."""
    try:
        yield
    except SecretsError:
        raise
    except Exception as error:
        _log.debug("keyring failed", error=type(error).__name__)  # the store says when its state changes
        raise keyring_error(error) from error


def keyring_error(error: Exception) -> SecretsError:
    """What an error of the keyring library, of SecretStorage or of the D-Bus layer means.

    They are told by name: these libraries are imported late, and each system has others. What cannot be told is
    taken to pass: the keyring is tried again.
    """
    names = {kind.__name__ for kind in type(error).__mro__}
    detail = getattr(error, "name", "") if "DBusErrorResponse" in names else ""
    if "NoKeyringError" in names:
        return SecretsAbsentError("This machine has no keyring. Choose a passphrase or memory only in [secrets].")
    if names & {"KeyringLocked", "LockedException", "PromptDismissedException"} or detail.endswith(".IsLocked"):
        return SecretsLockedError("The keyring is locked. Unlock it, for example in your password manager.")
    if isinstance(error, TimeoutError):
        return SecretsLockedError("The question to unlock the keyring was not answered. Unlock the keyring.")
    if "PasswordSetError" in names:
        return SecretsLockedError("The keyring did not take the secret. Unlock it and try again.")
    if names & {"PasswordDeleteError", "ItemNotFoundException"}:
        return SecretsLockedError("The keyring changed meanwhile. It is tried again by itself.")
    if "InitError" in names:
        return SecretsLockedError("The keyring could not be opened. Unlock it or create a default keyring.")
    unreachable = {"SecretServiceNotAvailableException", "DBusErrorResponse", "AuthenticationError", "OSError"}
    if names & unreachable:
        return SecretsLockedError("The keyring cannot be reached. Check that it runs; it is tried again by itself.")
    return SecretsLockedError(f"The keyring failed ({type(error).__name__}). It is tried again by itself.")
