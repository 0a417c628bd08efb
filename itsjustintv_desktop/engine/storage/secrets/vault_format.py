"""The bytes of secrets.vault: a versioned header, AES-256-GCM over the content, a checksum over both.

    magic "IJTVAULT" (8) | version (1) | kind (1) | log2 n, r, p of scrypt (3) | salt (16) | nonce (12)
    | ciphertext and tag | SHA-256 of all before it (32)

Everything before the ciphertext is its additional authenticated data (NIST SP 800-38D). The checksum has no key:
it tells a damaged file from a wrong passphrase, nothing more. scrypt is RFC 7914; n = 2**15, r = 8, p = 3 is one
of OWASP's recommended settings and needs 32 MiB for the moment it runs.
"""

from __future__ import annotations

import hashlib
import os
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import msgspec

from itsjustintv_desktop.engine.core.errors import VaultDamagedError
from itsjustintv_desktop.engine.storage.secrets.content import VaultContent

MAGIC: Final = b"IJTVAULT"
VERSION: Final = 1
KEY_BYTES: Final = 32
_HEAD: Final = struct.Struct(">8sBBBBB16s12s")
_CHECKSUM: Final = 32
_TAG: Final = 16


class ProtectionKind(IntEnum):
    """Where the key comes from."""

    KEYRING = 0
    PASSPHRASE = 1


@dataclass(frozen=True, slots=True)
class Protection:
    """How the key is had. The scrypt numbers and the salt matter for a passphrase only."""

    kind: ProtectionKind
    salt: bytes = b"\0" * 16
    log_n: int = 15
    r: int = 8
    p: int = 3

    @classmethod
    def keyring(cls) -> Protection:
        return cls(ProtectionKind.KEYRING)

    @classmethod
    def passphrase(cls) -> Protection:
        """With a new random salt."""
        return cls(ProtectionKind.PASSPHRASE, salt=os.urandom(16))


@dataclass(frozen=True, slots=True, repr=False)
class Sealed:
    """A vault as it was read, not opened yet."""

    protection: Protection
    nonce: bytes
    head: bytes
    ciphertext: bytes


def passphrase_key(passphrase: str, protection: Protection) -> bytes:
    """The 256-bit key scrypt makes of a passphrase. Takes a third of a second on purpose."""
    n = 1 << protection.log_n
    return hashlib.scrypt(
        passphrase.encode("utf-8", "surrogateescape"),
        salt=protection.salt,
        n=n,
        r=protection.r,
        p=protection.p,
        maxmem=256 * protection.r * n,
        dklen=KEY_BYTES,
    )


def seal(content: VaultContent, key: bytes, protection: Protection) -> bytes:
    """The whole file for `content`, under a fresh random nonce."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(12)
    numbers = (protection.kind, protection.log_n, protection.r, protection.p)
    head = _HEAD.pack(MAGIC, VERSION, *numbers, protection.salt, nonce)
    data = head + AESGCM(key).encrypt(nonce, msgspec.json.encode(content), head)
    return data + hashlib.sha256(data).digest()


def parse(data: bytes) -> Sealed:
    """Raises ValueError for a damaged file, VaultDamagedError for a sound one of a newer version."""
    body, checksum = data[:-_CHECKSUM], data[-_CHECKSUM:]
    if len(body) < _HEAD.size + _TAG or hashlib.sha256(body).digest() != checksum:
        raise ValueError("checksum")
    head = body[: _HEAD.size]
    magic, version, kind, log_n, r, p, salt, nonce = _HEAD.unpack(head)
    if magic != MAGIC or version < 1:
        raise ValueError("magic")
    if version > VERSION:
        raise VaultDamagedError("secrets.vault was written by a newer version of this program. Install that version.")
    if not (10 <= log_n <= 20 and 1 <= r <= 16 and 1 <= p <= 16):
        raise ValueError("scrypt")  # numbers of ours never lie outside; larger ones would eat all memory
    return Sealed(Protection(ProtectionKind(kind), salt, log_n, r, p), nonce, head, body[_HEAD.size :])


def unseal(sealed: Sealed, key: bytes) -> VaultContent | None:
    """The content, or None if `key` is not the one it was sealed with. Raises VaultDamagedError."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        plain = AESGCM(key).decrypt(sealed.nonce, sealed.ciphertext, sealed.head)
    except InvalidTag:
        return None
    try:
        return msgspec.json.decode(plain, type=VaultContent)
    except msgspec.MsgspecError as error:
        raise VaultDamagedError(
            "secrets.vault opens but holds something unknown. Move the file away and enter your secrets again."
        ) from error
