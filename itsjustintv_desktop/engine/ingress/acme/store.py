"""Keys and certificates (making, reading and judging them), and their files: cert.pem, key.pem, acme_cache.json.

The cache has the account and the order under way. All block, all files are 0600 in a 0700 folder, each is replaced in
one step. A crash between the two steps of a new pair leaves a certificate whose key is still noted with its order, so
that what fits is found again.
"""

from __future__ import annotations

import datetime as dt
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from itsjustintv_desktop.engine.core import files
from itsjustintv_desktop.engine.core.errors import CertificateError, os_sentence

_log = structlog.get_logger(__name__)

_MOST = 4 * 1024 * 1024
_ACME_IDENTIFIER = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.31")
_OCTET_STRING_OF_32 = b"\x04\x20"
_MOMENT = dt.timedelta(hours=1)
_SELF_SIGNED_FOR = dt.timedelta(days=3650)
_CHALLENGE_FOR = dt.timedelta(days=7)


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


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """A private key and the chain that certifies it, leaf first; they fit together. Times are Unix seconds."""

    key_pem: bytes
    chain_pem: bytes
    names: tuple[str, ...]
    not_before: float
    not_after: float
    leaf: bytes
    """The leaf as DER."""
    anchors: bytes
    """As PEM, whoever must have signed the leaf: the rest of the chain, or the leaf where it comes alone."""

    def __repr__(self) -> str:
        return f"Pair(names={self.names}, not_after={self.not_after:.0f})"

    def covers(self, names: Sequence[str]) -> bool:
        """Whether it is for exactly these names: one dropped from the config shall vanish from the certificate."""
        return set(self.names) == set(names)

    def renew_at(self) -> float:
        """Two thirds of its life, less up to a fiftieth so that not all the world renews at once.

        The same at every start: the jitter follows from the certificate.
        """
        life = self.not_after - self.not_before
        return self.not_before + life * (2 / 3 - random.Random(self.leaf).random() / 50)

    def ending(self, now: float) -> bool:
        """Less than a tenth of its life is left."""
        return now > self.not_after - (self.not_after - self.not_before) / 10


def pair_of(key_pem: bytes, chain_pem: bytes) -> Pair:
    """Read both. Raises ValueError when one cannot be read or they do not fit together."""
    try:
        key = serialization.load_pem_private_key(key_pem, None)
        chain = x509.load_pem_x509_certificates(chain_pem)
        leaf = chain[0]
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        fits = _public(leaf.public_key()) == _public(key.public_key())
    except (TypeError, x509.ExtensionNotFound) as error:  # an encrypted key; no names
        raise ValueError("the certificate or its key cannot be used") from error
    if not fits:
        raise ValueError("the key is not the certificate's")
    return Pair(
        key_pem=key_pem,
        chain_pem=chain_pem,
        names=tuple(name.lower() for name in names.get_values_for_type(x509.DNSName)),
        not_before=leaf.not_valid_before_utc.timestamp(),
        not_after=leaf.not_valid_after_utc.timestamp(),
        leaf=leaf.public_bytes(serialization.Encoding.DER),
        anchors=b"".join(one.public_bytes(serialization.Encoding.PEM) for one in chain[1:] or chain),
    )


def new_key() -> bytes:
    """An ECDSA P-256 private key as PEM (PKCS 8, not encrypted)."""
    return _key_pem(ec.generate_private_key(ec.SECP256R1()))


def request_for(key_pem: bytes, names: Sequence[str]) -> bytes:
    """A certificate signing request as PEM; names only as alternative names (RFC 8555 7.4)."""
    key = serialization.load_pem_private_key(key_pem, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    request = request.add_extension(_alternative_names(names), critical=False)
    return request.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def self_signed(names: Sequence[str]) -> Pair:
    """What is shown before there is any certificate: nobody trusts it, and the port speaks TLS."""
    return _own(names, _SELF_SIGNED_FOR, None)


def challenge_pair(domain: str, key_authorization: str) -> Pair:
    """The answer to tls-alpn-01: self-signed, with the digest in a critical acmeIdentifier (RFC 8737 3)."""
    digest = hashes.Hash(hashes.SHA256())
    digest.update(key_authorization.encode())
    value = _OCTET_STRING_OF_32 + digest.finalize()
    return _own([domain], _CHALLENGE_FOR, x509.UnrecognizedExtension(_ACME_IDENTIFIER, value))


def _own(names: Sequence[str], lasting: dt.timedelta, extension: x509.ExtensionType | None) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    now = dt.datetime.now(dt.UTC)
    me = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "itsjustintv desktop")])
    made = (
        x509.CertificateBuilder()
        .subject_name(me)
        .issuer_name(me)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _MOMENT)
        .not_valid_after(now + lasting)
        .add_extension(_alternative_names(names), critical=False)
    )
    if extension is not None:
        made = made.add_extension(extension, critical=True)
    certificate = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return pair_of(_key_pem(key), certificate)


def _alternative_names(names: Sequence[str]) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([x509.DNSName(name) for name in names])


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _public(key: object) -> bytes:
    assert hasattr(key, "public_bytes")
    found: bytes = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return found
