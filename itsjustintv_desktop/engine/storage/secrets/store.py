"""The one door to the secrets: where they live is decided here, and what was read once is answered from memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

import msgspec
import structlog
from msgspec import UNSET, UnsetType

from itsjustintv_desktop.engine import redaction
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import (
    SecretsAbsentError,
    SecretsError,
    SecretsLockedError,
    VaultDamagedError,
    WrongPassphraseError,
)
from itsjustintv_desktop.engine.core.status import Level, Status
from itsjustintv_desktop.engine.storage.secrets.blocking_thread import BlockingThread
from itsjustintv_desktop.engine.storage.secrets.content import DestinationSecrets, VaultContent
from itsjustintv_desktop.engine.storage.secrets.keyring_backend import DEADLINE, KeyringBackend, KeyringWaitingError
from itsjustintv_desktop.engine.storage.secrets.keyring_library import Keyring
from itsjustintv_desktop.engine.storage.secrets.names import SERVICE, check_item, check_text
from itsjustintv_desktop.engine.storage.secrets.secret_backend import (
    MemoryBackend,
    PassphraseBackend,
    SecretBackend,
    UnlockResult,
)
from itsjustintv_desktop.engine.storage.secrets.state import SecretsState, renewed, status_of
from itsjustintv_desktop.engine.storage.secrets.vault import Vault
from itsjustintv_desktop.engine.storage.secrets.vault_format import ProtectionKind

Choice = Literal["keyring", "passphrase", "memory"]

FIRST_WAIT: Final = 3.0
"""Seconds a reader waits for the first opening, so that whoever waits for us gets an answer in time."""

_CLOSED: Final = SecretsLockedError("The secrets are closed, because the program ends.")

_log = structlog.get_logger(__name__)


class SecretStore:
    """Items and destinations' secrets. Only `unlock` may put up a question (macOS decides that for itself).

    Reading and writing raise SecretsLockedError, SecretsAbsentError, WrongPassphraseError or VaultDamagedError
    while the secrets cannot be had, SecretsError if the disk refuses. What was read before stays readable.
    """

    def __init__(
        self, choice: Choice, vault: Path, passphrase: str | None, service: str, clock: Clock, deadline: float
    ) -> None:
        self._choice: Choice = choice
        self._path = vault
        self._passphrase = passphrase
        redaction.learn(passphrase)
        self._service = service
        self._deadline = deadline
        self._clock = clock
        self._disk = BlockingThread("secrets.vault")
        self._vault = Vault(vault, clock)
        self._in_memory = MemoryBackend()
        self._in_keyring = KeyringBackend(
            Keyring(service, vault.parent), self._vault, self._disk, clock, deadline=deadline
        )
        self._in_vault = PassphraseBackend(self._vault, self._disk, passphrase)
        self._home: SecretBackend = self._in_memory
        self._vault_kind: ProtectionKind | None = None
        self._opened: UnlockResult | None = None
        self._cache: dict[str, str | None] = {}
        self._lock = asyncio.Lock()
        self._closed = False
        self._state = SecretsState(status="unopened", message="", since=clock.now())

    @classmethod
    def open(
        cls,
        choice: Choice,
        *,
        vault: Path,
        passphrase: str | None,
        service: str = SERVICE,
        clock: Clock,
        deadline: float = DEADLINE,
    ) -> SecretStore:
        """A store that has touched nothing yet. `vault` is secrets.vault in the data directory.

        `passphrase` is used for the choice "passphrase", and for "keyring" on a machine without one (or with a
        vault that was made that way). `deadline` is how long one call into the keyring may take, seconds.
        """
        return cls(choice, vault, passphrase or None, service, clock, deadline)

    def reopened(self) -> SecretStore:
        """A second store on the same place that has read nothing yet: it finds what the next start will find."""
        return SecretStore(self._choice, self._path, self._passphrase, self._service, self._clock, self._deadline)

    @property
    def lasting(self) -> bool:
        """False if everything is forgotten with the process."""
        return self._choice != "memory"

    @property
    def place(self) -> Literal["keyring", "vault", "memory"]:
        """Where items are kept, as far as that is known before the first look."""
        if self._home is self._in_vault:
            return "vault"
        return "keyring" if self._home is self._in_keyring else "memory"

    @property
    def state(self) -> SecretsState:
        return self._state

    def health(self) -> Status:
        """What cannot be had now is asked for again by itself."""
        state = self._state
        if state.status in {"ready", "unopened"}:
            return Status()
        return Status(Level.FAILING if state.status == "damaged" else Level.WAITING, state.message, state.since)

    async def unlock(self, passphrase: str | None = None) -> SecretsState:
        """Open the secrets; the keyring may ask the person. A passphrase given replaces the one known."""
        if passphrase:
            self._passphrase = passphrase
            redaction.learn(passphrase)
            self._in_vault = PassphraseBackend(self._vault, self._disk, passphrase)
        async with self._lock:
            await self._open(prompt=True)
        return self._state

    async def refresh(self) -> SecretsState:
        """Look again, without asking anybody. For a periodic retry while not ready."""
        async with self._lock:
            await self._open(prompt=False)
        return self._state

    async def get(self, name: str) -> str | None:
        """An item's value, None if there is none."""
        if name in self._cache:
            return self._cache[name]
        opened = await self._first_open()
        if opened.items is not None:
            raise renewed(opened.items)
        async with self._lock:
            if name not in self._cache:
                try:
                    self._cache[name] = await self._home.get(name)
                    redaction.learn(self._cache[name])
                except SecretsError as error:
                    self._items_failed(error)
                    raise
            return self._cache[name]

    def knows(self, name: str) -> bool | None:
        """Whether there is such an item, without waiting; None: it was not read yet."""
        return bool(self._cache[name]) if name in self._cache else None

    async def set(self, name: str, value: str) -> None:
        """Keep an item. Empty is the same as none, as everywhere in the config. Raises UsageError if too long."""
        check_item(value)
        redaction.learn(value)
        await self._set(name, value or None)

    async def delete(self, name: str) -> None:
        """Forget an item; a missing one is fine."""
        await self._set(name, None)

    async def destination(self, name: str) -> DestinationSecrets:
        """What is kept of that destination, from memory."""
        opened = await self._first_open()
        if opened.destinations is not None:
            raise renewed(opened.destinations)
        kept = self._home.content.destinations.get(name, DestinationSecrets())
        _learn(kept.url, kept.secret)
        return kept

    def known_destination(self, name: str) -> DestinationSecrets | None:
        """`destination` without waiting: None while nothing is open."""
        if self._opened is None or self._opened.destinations is not None:
            return None
        return self._home.content.destinations.get(name, DestinationSecrets())

    async def set_destination(
        self, name: str, *, url: str | UnsetType | None = UNSET, secret: str | UnsetType | None = UNSET
    ) -> None:
        """Keep a destination's address or secret. UNSET leaves what is there, None or empty takes it away."""
        for value in (url, secret):
            check_text(value if isinstance(value, str) else "")
        _learn(url if isinstance(url, str) else None, secret if isinstance(secret, str) else None)
        await self._save(lambda content: content.with_destination(name, url=url, secret=secret))

    async def delete_destination(self, name: str) -> None:
        """Forget a destination; a missing one is fine."""
        await self._save(lambda content: content.with_destination(name, url=None, secret=None))

    async def rename_destination(self, old: str, new: str) -> None:
        """Raises UsageError if `new` is kept already; a missing `old` is fine."""
        await self._save(lambda content: content.renamed(old, new))

    async def keep(self) -> bool:
        """Write secrets.vault again if somebody deleted it while it is open: True. Raises SecretsError."""
        async with self._lock:
            content, opened = self._home.content, self._opened
            open_in_file = opened is not None and opened.destinations is None and self._home is not self._in_memory
            if not open_in_file or content == VaultContent() or await self._disk.run(self._path.exists):
                return False
            await self._home.save(content)
            return True

    async def close(self) -> None:
        """Finish writing and forget everything. A keyring that still asks is not waited for."""
        async with self._lock:
            await self._disk.close()
            await self._in_keyring.close()
            self._cache.clear()
            self._closed = True
            self._opened = UnlockResult(_CLOSED, _CLOSED)
            self._state = SecretsState(status="unopened", message=_CLOSED.message, since=self._clock.now())

    async def _open(self, *, prompt: bool, again: bool = True) -> UnlockResult:
        """With the lock held. Without `again` only if nobody has tried yet."""
        if not self._closed and (self._opened is None or (again and self._opened != UnlockResult())):
            try:
                self._note(await self._open_home(prompt=prompt))
            except SecretsError as error:
                self._note(UnlockResult(error, error))
        return self._opened or UnlockResult()

    async def _open_home(self, *, prompt: bool) -> UnlockResult:
        if self._choice == "memory":
            return await self._use(self._in_memory, prompt=prompt)
        kind = self._vault_kind = await self._disk.run(self._vault.kind)
        if self._choice == "passphrase" or kind is ProtectionKind.PASSPHRASE:
            return await self._use(self._in_vault, prompt=prompt)
        opened = await self._use(self._in_keyring, prompt=prompt)
        if isinstance(opened.items, SecretsAbsentError) and self._passphrase and kind is None:
            return await self._use(self._in_vault, prompt=prompt)
        return opened

    async def _use(self, home: SecretBackend, *, prompt: bool) -> UnlockResult:
        self._home = home
        return await home.open(prompt=prompt)

    async def _first_open(self) -> UnlockResult:
        if self._opened is not None:
            return self._opened
        try:
            async with asyncio.timeout(FIRST_WAIT), self._lock:
                return await self._open(prompt=False, again=False)
        except TimeoutError:
            raise KeyringWaitingError from None

    async def _set(self, name: str, value: str | None) -> None:
        opened = await self._first_open()
        async with self._lock:
            _require_writable(opened.items)
            try:
                await self._home.set(name, value)
            except SecretsError as error:
                if isinstance(error, KeyringWaitingError):
                    self._cache.pop(name, None)  # it may yet be kept: the keyring knows
                self._items_failed(error)
                raise
            self._cache[name] = value
            await self._open(prompt=False)

    async def _save(self, change: Callable[[VaultContent], VaultContent]) -> None:
        opened = await self._first_open()
        async with self._lock:
            _require_writable(opened.destinations)
            content = change(self._home.content)
            if content != self._home.content:
                await self._home.save(content)
                await self._open(prompt=False)

    def _items_failed(self, error: SecretsError) -> None:
        """A keyring that was open and no longer answers. A full disk, in contrast, locks nothing."""
        if isinstance(error, SecretsLockedError):
            self._note(UnlockResult(error, self._opened.destinations if self._opened else error))

    def _note(self, opened: UnlockResult) -> None:
        self._opened = opened
        error = opened.items or opened.destinations
        before = self._state
        state = SecretsState(
            status=status_of(error),
            message=error.message if error else "",
            since=self._clock.now(),
            takes_passphrase=self._takes_passphrase(error),
        )
        if msgspec.structs.replace(state, since=before.since) == before:
            return
        if state.status == before.status:
            # A locked keyring has several ways to say so, and is looked at every few seconds.
            self._state = msgspec.structs.replace(state, since=before.since)
            _log.debug("secrets are as before", status=state.status, reason=state.message)
            return
        self._state = state
        if error is None:
            _log.info("secrets are ready")
        else:
            _log.warning("secrets changed state", status=state.status, reason=state.message)

    def _takes_passphrase(self, error: SecretsError | None) -> bool:
        if self._home is self._in_vault:
            return isinstance(error, WrongPassphraseError) or (error is not None and not self._passphrase)
        # Without a keyring a vault under a passphrase can be begun, see `_open_home`.
        absent = isinstance(error, SecretsAbsentError) and self._home is self._in_keyring
        return absent and self._vault_kind is None


def _learn(url: str | None, secret: str | None) -> None:
    redaction.learn(secret)
    if url:
        redaction.learn_address(url)


def _require_writable(error: SecretsError | None) -> None:
    """What was damaged and put aside may be begun anew; the vault itself refuses where it may not."""
    if error is not None and not isinstance(error, VaultDamagedError):
        raise renewed(error)
