"""A real Windows program, signed with a certificate made here, checked the way releases are."""

from __future__ import annotations

import datetime as dt
import subprocess
from pathlib import Path

import pip
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from installers import authenticode
from tests.keyring_session import require_program

PROGRAM = Path(pip.__file__).parent / "_vendor" / "distlib" / "w64.exe"
"""pip brings a small launcher for Windows."""


@pytest.fixture
def signed(tmp_path: Path) -> tuple[Path, Path]:
    """A signed program, and the certificate to trust."""
    osslsigncode = require_program("osslsigncode", "osslsigncode")
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A test")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, secret = tmp_path / "certificate.pem", tmp_path / "key.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    made = tmp_path / "signed.exe"
    subprocess.run(
        [osslsigncode, "sign", "-certs", pem, "-key", secret, "-h", "sha256", "-n", "it", "-in", PROGRAM, "-out", made],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    return made, pem


def test_a_signed_program_is_accepted(signed: tuple[Path, Path]) -> None:
    program, certificate = signed
    authenticode.verify(program, certificate)


def test_a_stranger_a_change_and_none_are_refused(signed: tuple[Path, Path]) -> None:
    program, certificate = signed
    with pytest.raises(ValueError, match="not well signed"):
        authenticode.verify(program)  # nobody vouches for a certificate made here
    with pytest.raises(ValueError, match="not well signed"):
        authenticode.verify(PROGRAM, certificate)
    data = bytearray(program.read_bytes())
    data[len(data) // 3] ^= 1
    program.write_bytes(data)
    with pytest.raises(ValueError, match="not well signed"):
        authenticode.verify(program, certificate)
