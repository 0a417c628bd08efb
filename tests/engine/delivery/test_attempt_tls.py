from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.config.schema import Destination
from itsjustintv_desktop.engine.core.models import AttemptResult, Outcome
from itsjustintv_desktop.engine.core.net.trust import client_context
from itsjustintv_desktop.engine.delivery.attempt import Sender
from tests.engine.delivery.servers import OK, Receiver, answering, receiver
from tests.support.authority import DAY, Authority


async def post(sender: Sender, made: Receiver, host: str = "127.0.0.1") -> AttemptResult:
    url = made.url("/api/webhooks/1/token", scheme="https", host=host)
    return await sender.post(Destination(name="d", timeout=20), url=url, secret=None, webhook_id="id", body=b"{}")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_certificate_of_a_trusted_authority_is_accepted(trusted: Authority, sender: Sender, host: str) -> None:
    async with receiver(answering(OK), trusted.server(host)) as made:
        result = await post(sender, made, host)
    assert (result.outcome, result.error) == (Outcome.DELIVERED, None)


async def test_an_expired_certificate(trusted: Authority, sender: Sender) -> None:
    async with receiver(answering(OK), trusted.server("127.0.0.1", -DAY)) as made:
        result = await post(sender, made)
    assert (result.outcome, result.status) == (Outcome.RETRY, None)
    assert result.error == "the server's certificate is not valid: certificate has expired"
    assert made.requests == []


@pytest.mark.parametrize(("host", "reason"), [("127.0.0.1", "IP address mismatch"), ("localhost", "Hostname mismatch")])
async def test_a_certificate_for_another_host(trusted: Authority, sender: Sender, host: str, reason: str) -> None:
    async with receiver(answering(OK), trusted.server("other.test")) as made:
        result = await post(sender, made, host)
    assert (result.outcome, result.error) == (Outcome.RETRY, f"the server's certificate is not valid: {reason}")
    assert made.requests == []


@pytest.mark.fault(
    "destinations: a certificate nobody vouches for",
    seen='`deliveries list`: pending, "the server\'s certificate is not valid: "',
)
async def test_a_certificate_of_an_unknown_authority(trusted: Authority, sender: Sender, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "stranger")
    async with receiver(answering(OK), stranger.server("127.0.0.1")) as made:
        result = await post(sender, made)
    assert result.outcome is Outcome.RETRY
    assert (result.error or "").startswith("the server's certificate is not valid: ")
    assert made.requests == []


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_tls_older_than_1_2_is_refused(trusted: Authority, sender: Sender) -> None:
    old = trusted.server("127.0.0.1")
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    lax = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    lax.set_ciphers("ALL:@SECLEVEL=0")
    lax.minimum_version = ssl.TLSVersion.TLSv1
    lax.load_verify_locations(trusted.file)
    async with receiver(answering(OK), old) as made:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", made.port, ssl=lax)
        except (ssl.SSLError, ConnectionError):
            pytest.skip("the OpenSSL of this machine knows no TLS older than 1.2 at all")
        writer.close()
        result = await post(sender, made)
    assert (result.outcome, result.status) == (Outcome.RETRY, None)
    assert made.requests == []


async def test_a_server_without_tls_at_an_https_address(trusted: Authority, sender: Sender) -> None:
    async def plain(made: Receiver, reader: object, writer: object) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")  # type: ignore[attr-defined]

    async with receiver(plain) as made:
        result = await post(sender, made)
    assert (result.outcome, result.error) == (Outcome.RETRY, "the TLS connection failed")


def test_the_context_verifies_and_is_no_older_than_1_2() -> None:
    context = client_context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_without_a_store_of_openssl_truststore_looks_for_the_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent")
    context = client_context()
    assert type(context).__module__.startswith("truststore")
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
