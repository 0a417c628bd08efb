"""Items in the operating system's keyring, destinations in a vault under a key that the keyring holds."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final, TypeVar

from itsjustintv_desktop.engine import redaction
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import (
    SecretsError,
    SecretsLockedError,
    VaultDamagedError,
)
from itsjustintv_desktop.engine.storage.secrets.blocking_thread import BlockingThread, finished
from itsjustintv_desktop.engine.storage.secrets.content import VaultContent
from itsjustintv_desktop.engine.storage.secrets.keyring_library import Keyring
from itsjustintv_desktop.engine.storage.secrets.names import VAULT_KEY
from itsjustintv_desktop.engine.storage.secrets.secret_backend import UnlockResult
from itsjustintv_desktop.engine.storage.secrets.vault import Vault
from itsjustintv_desktop.engine.storage.secrets.vault_format import KEY_BYTES, Protection, ProtectionKind

T = TypeVar("T")

DEADLINE: Final = 10.0
"""Seconds that one call may take before it counts as waiting for a person."""

ASK_AGAIN: Final = 600.0
"""Least seconds between two looks at a locked keyring that puts up a question at each look."""


class KeyringWaitingError(SecretsLockedError):
    """A call is still under way; what it changes may yet come true."""

    def __init__(self, message: str = "", *, title: str | None = None) -> None:
        super().__init__(
            message or "The keyring waits for you to unlock it, or does not answer. Look for its question.",
            title=title,
        )


class KeyringBackend:
    """One call into the keyring at a time; one that is late goes on and nothing is queued behind it."""

    def __init__(
        self, keyring: Keyring, vault: Vault, disk: BlockingThread, clock: Clock, *, deadline: float = DEADLINE
    ) -> None:
        self._keyring = keyring
        self._vault = vault
        self._disk = disk
        self._clock = clock
        self._deadline = deadline
        self._thread = BlockingThread("secrets.keyring")
        self._late: Future[Any] | None = None
        self._late_opening: Future[bytes | None] | None = None
        self._key: bytes | None = None
        self._loaded = False
        self._ask_again_at = 0.0
        self._refused: SecretsError | None = None

    @property
    def content(self) -> VaultContent:
        return self._vault.content

    async def open(self, *, prompt: bool) -> UnlockResult:
        """Unlock, fetch the key and open the vault with it. Asks the person only with `prompt`."""
        if self._refused is not None and not prompt and self._clock.monotonic() < self._ask_again_at:
            return self._closed(self._refused)
        try:
            self._key = await self._open_keyring(prompt=prompt)
        except SecretsError as error:
            return self._closed(self._noted(error))
        self._refused = None
        try:
            if not self._loaded:
                await self._disk.run(self._load)
        except SecretsError as error:
            return UnlockResult(destinations=error)
        self._loaded = True
        return UnlockResult()

    async def get(self, name: str) -> str | None:
        return await self._call(lambda: self._keyring.get(name))

    async def set(self, name: str, value: str | None) -> None:
        if value is None:
            await self._call(lambda: self._keyring.delete(name))
        else:
            await self._call(lambda: self._keyring.set(name, value))

    async def save(self, content: VaultContent) -> None:
        self._vault.require_writable()  # before a key is made for a vault that could not be opened
        if self._key is None:
            self._key = await self._call(self._make_key)
        key = self._key
        await self._disk.run(lambda: self._vault.save(content, key, Protection.keyring()))
        self._loaded = True

    async def close(self) -> None:
        self._key = None
        if self._late is None or self._late.done():
            await self._thread.close()

    async def _open_keyring(self, *, prompt: bool) -> bytes | None:
        opening = self._late_opening
        if opening is None:
            opening = self._submit(lambda: self._fetch_key(prompt=prompt))
        elif not (prompt or opening.done()):
            raise KeyringWaitingError
        self._late_opening = opening  # kept if this is cancelled: its result is taken next time
        result = await self._wait(opening)
        self._late_opening = None
        return result.result()

    async def _call(self, work: Callable[[], T]) -> T:
        return (await self._wait(self._submit(work))).result()

    def _submit(self, work: Callable[[], T]) -> Future[T]:
        if self._late is not None and not self._late.done():
            raise KeyringWaitingError
        self._late = self._thread.submit(work)
        return self._late

    async def _wait(self, future: Future[T]) -> Future[T]:
        if not await finished(future, self._deadline):
            raise KeyringWaitingError
        return future

    def _closed(self, error: SecretsError) -> UnlockResult:
        """Destinations that were read before stay readable while the keyring is locked."""
        return UnlockResult(error, None if self._loaded else error)

    def _noted(self, error: SecretsError) -> SecretsError:
        """A keyring that asks at each look, and was refused, is left alone for a while."""
        if self._keyring.asks_by_itself and not isinstance(error, KeyringWaitingError):
            self._refused = error
            self._ask_again_at = self._clock.monotonic() + ASK_AGAIN
        return error

    def _fetch_key(self, *, prompt: bool) -> bytes | None:
        self._keyring.open(prompt=prompt)
        text = self._keyring.get(VAULT_KEY)
        redaction.learn(text)
        return _decoded(text)

    def _make_key(self) -> bytes:
        """A new random key, in the keyring before anything is sealed with it."""
        key = secrets.token_bytes(KEY_BYTES)
        text = base64.b64encode(key).decode("ascii")
        redaction.learn(text)
        self._keyring.set(VAULT_KEY, text)
        if _decoded(self._keyring.get(VAULT_KEY)) != key:
            raise SecretsLockedError("The keyring did not keep the vault's key. Check the keyring and try again.")
        return key

    def _load(self) -> None:
        self._vault.load(
            ProtectionKind.KEYRING,
            lambda _: self._key,
            wrong=VaultDamagedError(
                "secrets.vault was made with a key that this keyring does not hold. Log in where it was made (and "
                "put a moved data directory back), or move the file away and enter the addresses again."
            ),
        )


def _decoded(text: str | None) -> bytes | None:
    try:
        key = base64.b64decode(text or "", validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == KEY_BYTES else None
