"""The places secrets can live in, behind one protocol: memory, a vault under a passphrase. The keyring is beside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from itsjustintv_desktop.engine.config.validators import trimmed
from itsjustintv_desktop.engine.core.errors import SecretsError, SecretsLockedError, WrongPassphraseError
from itsjustintv_desktop.engine.storage.secrets import vault_format
from itsjustintv_desktop.engine.storage.secrets.blocking_thread import BlockingThread
from itsjustintv_desktop.engine.storage.secrets.content import VaultContent
from itsjustintv_desktop.engine.storage.secrets.vault import Vault
from itsjustintv_desktop.engine.storage.secrets.vault_format import Protection, ProtectionKind


@dataclass(frozen=True, slots=True)
class UnlockResult:
    """Why items, and why destinations, cannot be had. None = they can."""

    items: SecretsError | None = None
    destinations: SecretsError | None = None


class SecretBackend(Protocol):
    """Calls come one at a time. Each raises SecretsError; a save that raises changed nothing that can be read."""

    @property
    def content(self) -> VaultContent:
        """Destinations (and items, where there is no keyring) as last opened or saved."""
        ...

    async def open(self, *, prompt: bool) -> UnlockResult: ...

    async def get(self, name: str) -> str | None: ...

    async def set(self, name: str, value: str | None) -> None:
        """None takes the item away."""
        ...

    async def save(self, content: VaultContent) -> None: ...

    async def close(self) -> None: ...


class MemoryBackend:
    """Everything is forgotten with the process."""

    def __init__(self) -> None:
        self.content = VaultContent()

    async def open(self, *, prompt: bool) -> UnlockResult:
        return UnlockResult()

    async def get(self, name: str) -> str | None:
        return self.content.items.get(name)

    async def set(self, name: str, value: str | None) -> None:
        self.content = self.content.with_item(name, value)

    async def save(self, content: VaultContent) -> None:
        self.content = content

    async def close(self) -> None:
        self.content = VaultContent()


class PassphraseBackend:
    """Everything lies in the vault, under a key made of a passphrase."""

    def __init__(self, vault: Vault, disk: BlockingThread, passphrase: str | None) -> None:
        self._vault = vault
        self._disk = disk
        self._passphrase = passphrase
        self._sealing: tuple[bytes, Protection] | None = None

    @property
    def content(self) -> VaultContent:
        return self._vault.content

    async def open(self, *, prompt: bool) -> UnlockResult:
        try:
            await self._disk.run(self._load)
        except SecretsError as error:
            return UnlockResult(error, error)
        return UnlockResult()

    async def get(self, name: str) -> str | None:
        return self._vault.content.items.get(name)

    async def set(self, name: str, value: str | None) -> None:
        await self.save(self._vault.content.with_item(name, value))

    async def save(self, content: VaultContent) -> None:
        await self._disk.run(lambda: self._save(content))

    async def close(self) -> None:
        self._sealing = None

    def _load(self) -> None:
        if not self._passphrase:
            raise SecretsLockedError(
                "secrets.vault needs its passphrase. Set ITSJUSTINTV_PASSPHRASE and start again.",
                title="The vault is locked",
            )
        wrong = WrongPassphraseError("The passphrase does not open secrets.vault. Set the one it was made with.")
        try:
            self._vault.load(ProtectionKind.PASSPHRASE, self._key, wrong=wrong)
        except WrongPassphraseError:
            # A file or a shell may have added a line break. It counted where the vault was made with it.
            if not (bare := trimmed(self._passphrase)) or bare == self._passphrase:
                raise
            self._passphrase, self._sealing = bare, None
            self._vault.load(ProtectionKind.PASSPHRASE, self._key, wrong=wrong)

    def _key(self, protection: Protection) -> bytes:
        if self._sealing is not None and self._sealing[1] == protection:
            return self._sealing[0]
        key = vault_format.passphrase_key(self._passphrase or "", protection)
        self._sealing = key, protection
        return key

    def _save(self, content: VaultContent) -> None:
        if self._sealing is None:
            self._passphrase = trimmed(self._passphrase or "") or self._passphrase
        protection = Protection.passphrase() if self._sealing is None else self._sealing[1]
        self._vault.save(content, self._key(protection), protection)
