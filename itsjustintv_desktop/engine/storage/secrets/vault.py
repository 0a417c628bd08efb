"""secrets.vault and what it holds, in memory once it is open. All of it blocks: it runs in one worker thread."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from itsjustintv_desktop.engine.core import files
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import SecretsError, SecretsLockedError, VaultDamagedError, os_sentence
from itsjustintv_desktop.engine.storage.secrets import vault_format
from itsjustintv_desktop.engine.storage.secrets.content import VaultContent
from itsjustintv_desktop.engine.storage.secrets.state import renewed
from itsjustintv_desktop.engine.storage.secrets.vault_format import Protection, ProtectionKind, Sealed

_log = structlog.get_logger(__name__)

_MOST: Final = 64 * 1024 * 1024
_OTHER_KIND: Final = {
    ProtectionKind.KEYRING: (
        'secrets.vault was made with the keyring. Set [secrets] store = "keyring", or move the file away to begin '
        "a new one."
    ),
    ProtectionKind.PASSPHRASE: (
        "secrets.vault was made with a passphrase. Set ITSJUSTINTV_PASSPHRASE, or move the file away to begin a "
        "new one."
    ),
}


class Vault:
    """`content` is empty until `load`. A file that could not be opened is never written over."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._refusal: SecretsError | None = SecretsLockedError("secrets.vault is not open yet.")
        self.content = VaultContent()

    def kind(self) -> ProtectionKind | None:
        """How the file is protected, None if there is none or it cannot be read. Changes nothing."""
        try:
            return vault_format.parse(files.read(self._path, _MOST)).protection.kind
        except (OSError, ValueError, VaultDamagedError):
            return None

    def load(self, kind: ProtectionKind, key_for: Callable[[Protection], bytes | None], *, wrong: SecretsError) -> None:
        """Read and open the file with what `key_for` gives. A missing file is an empty vault.

        Raises `wrong` if that is not its key, SecretsLockedError if the file is of the other kind, and
        VaultDamagedError. A damaged file is put aside first, and writing may begin a new one.
        """
        self.content = VaultContent()
        self._refusal = None
        sealed = self._read()
        if sealed is None:
            aside = max(self._path.parent.glob(f"{self._path.name}.damaged-*"), default=None)
            if aside is not None:
                raise _damaged(aside)
            return
        if sealed.protection.kind is not kind:
            raise self._refuse(SecretsLockedError(_OTHER_KIND[sealed.protection.kind], title="The vault is locked"))
        key = key_for(sealed.protection)
        try:
            content = None if key is None else vault_format.unseal(sealed, key)
        except VaultDamagedError as error:
            raise self._refuse(error) from error
        if content is None:
            raise self._refuse(wrong)
        self.content = content

    def save(self, content: VaultContent, key: bytes, protection: Protection) -> None:
        """Write `content` and keep it. Raises SecretsError, then file and memory are as before."""
        self.require_writable()
        data = vault_format.seal(content, key, protection)
        try:
            files.clear_leftovers(self._path)
            files.write_atomic(self._path, data)
        except OSError as error:
            raise SecretsError(f"secrets.vault could not be written: {os_sentence(error)}.") from error
        self.content = content

    def require_writable(self) -> None:
        """Raises SecretsError while a file lies there that could not be opened: it is not ours to replace."""
        if self._refusal is not None:
            raise renewed(self._refusal)

    def _read(self) -> Sealed | None:
        try:
            data = files.read(self._path, _MOST)
        except FileNotFoundError:
            return None
        except OSError as error:
            message = f"secrets.vault cannot be read: {os_sentence(error)}. Put that right; it is tried again."
            raise self._refuse(VaultDamagedError(message)) from error
        try:
            return vault_format.parse(data)
        except VaultDamagedError as error:
            raise self._refuse(error) from error
        except ValueError:
            raise self._set_aside() from None

    def _set_aside(self) -> VaultDamagedError:
        try:
            aside = files.aside_of(self._path, at=self._clock.now())
            files.set_aside(self._path, aside)
        except OSError as error:
            message = f"secrets.vault is damaged and could not be put aside: {os_sentence(error)}. Move it away."
            self._refusal = VaultDamagedError(message)
            return self._refusal
        _log.error("vault damaged and put aside", file=aside.name)
        return _damaged(aside)

    def _refuse(self, error: SecretsError) -> SecretsError:
        self._refusal = error
        return error


def _damaged(aside: Path) -> VaultDamagedError:
    return VaultDamagedError(
        f"secrets.vault was damaged and is put aside as {aside.name}. Enter your secrets again, or put a backup in "
        "its place and start again."
    )
