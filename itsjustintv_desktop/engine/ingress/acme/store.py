"""The files of a certificate: cert.pem, key.pem, and acme_cache.json with the account and the order under way.

All block, all are 0600 in a 0700 folder, each is replaced in one step. A crash between the two steps of a new pair
leaves a certificate whose key is still noted with its order, so that what fits is found again.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec
import structlog

from itsjustintv_desktop.engine.core import files
from itsjustintv_desktop.engine.core.errors import CertificateError, os_sentence
from itsjustintv_desktop.engine.ingress.acme.certificate import Pair, pair_of

_MOST = 4 * 1024 * 1024

_log = structlog.get_logger(__name__)


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """An account with an authority."""

    key: dict[str, Any]
    """The private key as a JWK (RFC 7517)."""
    uri: str
    address: str = ""
    """The email it was told."""

    def __repr__(self) -> str:
        return f"Account({self.uri})"


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """An order that is under way, and the key its certificate will be for."""

    directory: str
    names: tuple[str, ...]
    uri: str
    key_pem: str

    def __repr__(self) -> str:
        return f"Pending({self.uri})"


class Cache(msgspec.Struct, frozen=True, kw_only=True):
    """acme_cache.json."""

    accounts: dict[str, Account] = {}
    """By the directory's address."""
    pending: Pending | None = None
    issued_by: str = ""
    """The directory that cert.pem came from."""


class CertStore:
    """One folder. Raises CertificateError of kind "disk" when it cannot be read or written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._cert = folder / "cert.pem"
        self._key = folder / "key.pem"
        self._cache = folder / "acme_cache.json"
        self._damaged = folder / "acme_cache.json.damaged"

    def load(self) -> tuple[Pair | None, Cache]:
        """What there is; what cannot be used counts as missing."""
        try:
            self._prepare()
            cache = self._read_cache()
            return self._read_pair(cache), cache
        except OSError as error:
            raise self._trouble("read", error) from error

    def save_cache(self, cache: Cache) -> None:
        self._save(self._cache, msgspec.json.format(msgspec.json.encode(cache)))

    def save_pair(self, pair: Pair) -> None:
        """The certificate first: until the key is there as well, the order's note still has it."""
        self._save(self._cert, pair.chain_pem)
        self._save(self._key, pair.key_pem)

    def restore(self, pair: Pair, cache: Cache) -> bool:
        """Save those that are missing: True if any was."""
        pair_is_missing = not (self._cert.exists() and self._key.exists())
        cache_is_missing = cache != Cache() and not self._cache.exists()
        if pair_is_missing:
            self.save_pair(pair)
        if cache_is_missing:
            self.save_cache(cache)
        return pair_is_missing or cache_is_missing

    def _prepare(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in (self._cert, self._key, self._cache):
            files.clear_leftovers(path)
        if sys.platform != "win32" and self._is_ours_alone():
            self._folder.chmod(0o700)

    def _is_ours_alone(self) -> bool:
        """A folder that others use too (`cert_dir = "/etc/ssl"`) is not taken away from them; our files are 0600."""
        ours = {path.name for path in (self._cert, self._key, self._cache)} | {self._damaged.name}
        return all(entry.name in ours for entry in self._folder.iterdir())

    def _save(self, path: Path, content: bytes) -> None:
        try:
            self._prepare()
            with files.replacing(path, over_link=False) as file:
                file.write(content)
        except OSError as error:
            raise self._trouble("written", error) from error

    def _read_cache(self) -> Cache:
        text = _content(self._cache)
        if text is None:
            return Cache()
        try:
            return msgspec.json.decode(text, type=Cache)
        except (msgspec.DecodeError, UnicodeDecodeError):
            files.set_aside(self._cache, self._damaged)
            _log.warning("acme_cache.json was damaged; a new account is made", kept_as=self._damaged.name)
            return Cache()

    def _read_pair(self, cache: Cache) -> Pair | None:
        chain, key = _content(self._cert), _content(self._key)
        if chain is None:
            return None
        keys = [key, cache.pending.key_pem.encode() if cache.pending else None]
        for candidate in keys:
            if candidate is None:
                continue
            try:
                pair = pair_of(candidate, chain)
            except ValueError:
                continue
            if candidate is not key:
                self._save(self._key, candidate)
            return pair
        _log.warning("cert.pem and key.pem cannot be used; a new certificate is ordered")
        return None

    def _trouble(self, what: str, error: OSError) -> CertificateError:
        return CertificateError(f"{self._folder} cannot be {what}: {os_sentence(error)}", kind="disk")


def _content(path: Path) -> bytes | None:
    try:
        return files.read(path, _MOST, follow=True)
    except FileNotFoundError:
        return None
