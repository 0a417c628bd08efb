"""A real ACME authority (Pebble) with a DNS server of its own, on free ports of 127.0.0.1."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import os
import signal
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.keyring_session import require_program, wait_until
from tests.support.ports import free_port


@dataclass(frozen=True)
class Files:
    """A small authority of the tests' own, which vouches for 127.0.0.1: for Pebble's and the proxy's listeners."""

    root: Path
    cert: Path
    key: Path

    def trust(self) -> ssl.SSLContext:
        """A client's context that trusts this root alone."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cafile=self.root)
        return context


@dataclass(frozen=True)
class Pebble:
    port: int
    tls_port: int
    """Where it comes to for tls-alpn-01."""
    http_port: int
    files: Files
    dns: str
    """The management address of the DNS server."""

    @property
    def directory(self) -> str:
        return f"https://127.0.0.1:{self.port}/dir"

    @property
    def environ(self) -> dict[str, str]:
        return {"ITSJUSTINTV_ACME_ROOT": str(self.files.root)}

    def no_address(self, name: str) -> None:
        """The name leads nowhere."""
        self._manage("set-servfail", {"host": name})

    def _manage(self, what: str, body: dict[str, object]) -> None:
        request = urllib.request.Request(f"{self.dns}/{what}", json.dumps(body).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 200


@contextmanager
def pebble(
    folder: Path, *, validity: int = 90 * 86400, nonces_refused: int = 0, like: Pebble | None = None
) -> Iterator[Pebble]:
    """Running until the end. The test is skipped where it is not installed. `validity` in seconds.

    `nonces_refused`: how many of a hundred good nonces it refuses. `like`: comes to the same ports as that one.
    """
    program = require_program("pebble", "pebble")
    dns_program = require_program("pebble-challtestsrv", "pebble")
    dns, manage = free_port(), free_port()
    tls_port, http_port = (like.tls_port, like.http_port) if like else (free_port(), free_port())
    files = like.files if like else make_files(folder)
    made = Pebble(free_port(), tls_port, http_port, files, f"http://127.0.0.1:{manage}")
    config = folder / "pebble.json"
    settings = {
        "listenAddress": f"127.0.0.1:{made.port}",
        "managementListenAddress": f"127.0.0.1:{free_port()}",
        "certificate": str(made.files.cert),
        "privateKey": str(made.files.key),
        "httpPort": made.http_port,
        "tlsPort": made.tls_port,
        "certificateValidityPeriod": validity,
    }
    config.write_text(json.dumps({"pebble": settings}))
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "PEBBLE_VA_NOSLEEP": "1",
        "PEBBLE_WFE_NONCEREJECT": str(nonces_refused),
        "PEBBLE_AUTHZREUSE": "0",
    }
    with ExitStack() as stack:
        names = [dns_program, "-http01", "", "-https01", "", "-tlsalpn01", "", "-defaultIPv6", ""]
        addresses = ["-dns01", f"127.0.0.1:{dns}", "-management", f"127.0.0.1:{manage}"]
        stack.enter_context(_running([*names, *addresses], environment, folder / "dns.log"))
        authority = [program, "-config", str(config), "-dnsserver", f"127.0.0.1:{dns}"]
        stack.enter_context(_running(authority, environment, folder / "pebble.log"))
        trust = made.files.trust()
        wait_until(lambda: _answers(made.directory, trust), "Pebble to answer")
        wait_until(lambda: _answers(f"{made.dns}/", None), "its DNS server to answer")
        yield made


def make_files(folder: Path) -> Files:
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests' own root")])
    root = _builder(root_name, root_name, root_key).add_extension(x509.BasicConstraints(True, None), critical=True)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    leaf = _builder(x509.Name([]), root_name, key).add_extension(names, critical=True)
    files = Files(folder / "root.pem", folder / "listener.pem", folder / "listener.key")
    files.root.write_bytes(root.sign(root_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    files.cert.write_bytes(leaf.sign(root_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL
    files.key.write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))
    return files


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
    )


@contextmanager
def _running(arguments: list[str], environment: dict[str, str], log: Path) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(arguments, env=environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)


def _answers(address: str, trust: ssl.SSLContext | None) -> bool:
    try:
        urllib.request.urlopen(address, timeout=1, context=trust).close()
    except urllib.error.HTTPError as error:
        error.close()
        return True
    except OSError:
        time.sleep(0.02)
        return False
    return True
