"""Keys and certificates: making, reading and judging them. Everything here computes; call it off the loop."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_ACME_IDENTIFIER = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.31")
_OCTET_STRING_OF_32 = b"\x04\x20"

_MOMENT = dt.timedelta(hours=1)
_SELF_SIGNED_FOR = dt.timedelta(days=3650)
_CHALLENGE_FOR = dt.timedelta(days=7)


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
