from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import threading
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from itsjustintv_desktop.engine.config.schema import Destination
from itsjustintv_desktop.engine.core.models import AttemptResult, Outcome
from itsjustintv_desktop.engine.core.net import wire
from itsjustintv_desktop.engine.core.net.trust import client_context
from itsjustintv_desktop.engine.delivery.attempt import Sender
from tests.engine.delivery.servers import OK, Behaviour, Receiver, answering, receiver
from tests.support.authority import DAY, Authority
from tests.support.waiting import until

PATIENT = 20.0


async def post(sender: Sender, url: str, body: bytes = b"{}", timeout: float = PATIENT) -> AttemptResult:
    return await sender.post(
        Destination(name="d", timeout=timeout), url=url, secret=None, webhook_id="msg_1", body=body
    )


def once(*pieces: bytes) -> Behaviour:
    """Answer one request with these pieces, then close."""

    async def behave(made: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await made.read(reader)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()

    return behave


def _headers(number: int) -> bytes:
    return b"".join(b"X-%d: 1\r\n" % each for each in range(number))


ACCEPTED_BY_OTHERS = {
    "a 9 kB header": b"HTTP/1.1 200 OK\r\nContent-Security-Policy: " + b"x" * 9000 + b"\r\nContent-Length: 0\r\n\r\n",
    "a 100 kB header": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\nContent-Length: 0\r\n\r\n",
    "200 headers": b"HTTP/1.1 200 OK\r\n" + _headers(200) + b"Content-Length: 0\r\n\r\n",
    "5,000 headers": b"HTTP/1.1 200 OK\r\n" + _headers(5000) + b"Content-Length: 0\r\n\r\n",
    "a body after 204": b"HTTP/1.1 204 No Content\r\n\r\nthank you",
    "a body with a length after 204": b"HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\nthank you",
    "no reason phrase": b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok",
    "an empty reason phrase": b"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok",
    "bare LF": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    "bare LF and a bad header": b"HTTP/1.1 200 OK\nwhat is this\n\nok",
    "HTTP/1.0 without a length": b"HTTP/1.0 200 OK\r\n\r\nok",
    "a blank line first": b"\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "a version that does not exist": b"HTTP/1.7 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "a line that is no header": b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n",
    "a header name with a space": b"HTTP/1.1 200 OK\r\nBad Header: 1\r\nContent-Length: 0\r\n\r\n",
    "a space before the colon": b"HTTP/1.1 200 OK\r\nServer : x\r\nContent-Length: 0\r\n\r\n",
    "an empty header name": b"HTTP/1.1 200 OK\r\n: x\r\nContent-Length: 0\r\n\r\n",
    "Latin-1 in a header": b"HTTP/1.1 200 OK\r\nServer: caf\xe9\r\nContent-Length: 0\r\n\r\n",
    "a NUL in a header": b"HTTP/1.1 200 OK\r\nServer: a\x00b\r\nContent-Length: 0\r\n\r\n",
    "control characters in a header": b"HTTP/1.1 200 OK\r\nServer: a\x01\x7fb\r\nContent-Length: 0\r\n\r\n",
    "a folded header": b"HTTP/1.1 200 OK\r\nServer: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    "a negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
    "a length that is no number": b"HTTP/1.1 200 OK\r\nContent-Length: some\r\n\r\nok",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "a length that is too small": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok, and more",
    "a length that is too large": b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\nok",
    "a length and chunks":
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "chunks that are none": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nok",
    "chunks that break off": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\nok",
    "an encoding that does not exist": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: zipped\r\n\r\nok",
    "gzip that is none": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nokay",
    "gzip that breaks off": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"okay" * 99)[:20],
    "100 first": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "103 first": b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "103 first, and a bad header": b"HTTP/1.1 103 X\r\nbad header\r\n\r\nHTTP/1.1 204\r\nbad header\r\n\r\n",
    "headers that break off": b"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Le",
    "a status line and nothing else": b"HTTP/1.1 204 No Content\r\n",
}  # fmt: skip


@pytest.mark.fault(
    "destinations: a 2xx response that curl accepts and a strict parser does not",
    seen="`deliveries list`: delivered, and it is sent once",
)
@pytest.mark.parametrize("data", ACCEPTED_BY_OTHERS.values(), ids=ACCEPTED_BY_OTHERS)
async def test_a_response_that_other_clients_accept(sender: Sender, data: bytes) -> None:
    async with receiver(once(data)) as made:
        result = await post(sender, made.url())
        await until(lambda: not made.handlers, what="the connection is closed")
    assert (result.outcome, result.error) == (Outcome.DELIVERED, None)
    assert result.status in {200, 204}
    assert len(made.requests) == 1


async def test_one_whose_connection_stays_open(sender: Sender) -> None:
    """Each of them, side by side: what has no end is waited for."""

    async def ask_twice(data: bytes) -> tuple[set[Outcome], int]:
        async with receiver(answering(data)) as made:
            results = [await post(sender, made.url(), timeout=1.0) for _ in range(2)]
        return {result.outcome for result in results}, len(made.requests)

    found = await asyncio.gather(*map(ask_twice, ACCEPTED_BY_OTHERS.values()))
    assert dict(zip(ACCEPTED_BY_OTHERS, found, strict=True)) == dict.fromkeys(
        ACCEPTED_BY_OTHERS, ({Outcome.DELIVERED}, 2)
    )


@pytest.mark.parametrize(
    ("data", "status", "outcome"),
    [
        (b"HTTP/1.1 503 Busy\r\nbad header\r\nRetry-After: 7\r\n\r\nlater", 503, Outcome.RETRY),
        (b"HTTP/1.1 410 Gone\r\nbad header\r\n\r\n", 410, Outcome.GONE),
        (b"HTTP/1.1 302 Found\r\nbad header\r\nLocation: /x\r\n\r\n", 302, Outcome.DEAD),
    ],
)
async def test_any_other_status_counts_as_well(sender: Sender, data: bytes, status: int, outcome: Outcome) -> None:
    async with receiver(once(data)) as made:
        result = await post(sender, made.url())
    assert (result.outcome, result.status) == (outcome, status)
    if status == 503:
        assert (result.retry_after, result.answer) == (7.0, "later")


@pytest.mark.fault(
    "destinations: one that answers 200 and closes before it has read everything",
    seen="`deliveries list`: delivered, and it is sent once",
)
@pytest.mark.parametrize("size", [20_000, 200_000, 1_000_000])
@pytest.mark.parametrize("first", [1, 0], ids=["after a part", "at once"])
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_receiver_that_does_not_read_everything(
    sender: Sender, trusted: Authority, scheme: str, first: int, size: int
) -> None:
    def hasty(listener: socket.socket) -> None:
        """In a thread: its reset arrives in the middle of our writing."""
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if scheme == "https":
                connection = context.wrap_socket(connection, server_side=True)
            with connection:
                connection.recv(first)
                connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")

    context = trusted.server("127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=hasty, args=(listener,))
        thread.start()
        url = f"{scheme}://127.0.0.1:{listener.getsockname()[1]}/"
        results = [await post(sender, url, b"x" * size) for _ in range(20)]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)
    assert {(result.outcome, result.status, result.answer) for result in results} == {(Outcome.DELIVERED, 200, "ok")}


@pytest.mark.parametrize(
    "late", [b"thank you", b"HTTP/1.1 500 Late\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 50"], ids=["", "whole", "part"]
)
async def test_a_connection_with_something_left_in_it_is_not_used_again(sender: Sender, late: bytes) -> None:
    sent = asyncio.Event()

    async def chatty(made: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await made.read(reader)
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()
        if len(made.requests) == 1:
            await sent.wait()
            writer.write(late)
            await writer.drain()
            await reader.read()

    async with receiver(chatty) as made:
        first = await post(sender, made.url())
        sent.set()
        await until(lambda: not made.handlers, what="the connection is closed")
        second = await post(sender, made.url())
    assert (first.outcome, second.outcome, second.status) == (Outcome.DELIVERED, Outcome.DELIVERED, 204)
    assert made.connections == 2


def test_what_is_no_response() -> None:
    for data in (b"", b"\r\n", b"HTTP", b"HTTP/1.1 ", b"HTTP/1.1 20", b"HTTP/1.1 2000 OK", b"HTTP/1.1 099 X\r\n\r\n"):
        assert wire.read(data) is None
    assert wire.read(b"HTTP/1.1 100 Continue\r\n") is None
    assert wire.read(b"HTTP/1.1 100 Continue\r\n\r\n") is None
    assert wire.read(b"HTTP/1.1 103 X\r\n\r\nHTTP/1.1 10") is None


def test_a_response_is_read_whatever_its_lines_end_with() -> None:
    raw = wire.read(b"HTTP/1.1 429 Slow\nretry-after:  3 \nbad\n: nothing\nX: a:b\n\nbody\n\nmore")
    assert raw is not None
    assert (raw.status, raw.headers["Retry-After"], raw.headers["x"], len(raw.headers)) == (429, "3", "a:b", 2)
    assert raw.body == b"body\n\nmore"


@given(st.binary())
@example(b"HTTP/1.1 100 X\r\n\r\n" * 2000)
def test_no_bytes_at_all_break_it(data: bytes) -> None:
    raw = wire.read(data)
    assert raw is None or 100 < raw.status < 1000
    assert wire.read(b"HTTP/1.1 200 OK\r\n" + data) is not None


async def post_tls(sender: Sender, made: Receiver, host: str = "127.0.0.1") -> AttemptResult:
    url = made.url("/api/webhooks/1/token", scheme="https", host=host)
    return await sender.post(Destination(name="d", timeout=20), url=url, secret=None, webhook_id="id", body=b"{}")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_certificate_of_a_trusted_authority_is_accepted(trusted: Authority, sender: Sender, host: str) -> None:
    async with receiver(answering(OK), trusted.server(host)) as made:
        result = await post_tls(sender, made, host)
    assert (result.outcome, result.error) == (Outcome.DELIVERED, None)


async def test_an_expired_certificate(trusted: Authority, sender: Sender) -> None:
    async with receiver(answering(OK), trusted.server("127.0.0.1", -DAY)) as made:
        result = await post_tls(sender, made)
    assert (result.outcome, result.status) == (Outcome.RETRY, None)
    assert result.error == "the server's certificate is not valid: certificate has expired"
    assert made.requests == []


@pytest.mark.parametrize(("host", "reason"), [("127.0.0.1", "IP address mismatch"), ("localhost", "Hostname mismatch")])
async def test_a_certificate_for_another_host(trusted: Authority, sender: Sender, host: str, reason: str) -> None:
    async with receiver(answering(OK), trusted.server("other.test")) as made:
        result = await post_tls(sender, made, host)
    assert (result.outcome, result.error) == (Outcome.RETRY, f"the server's certificate is not valid: {reason}")
    assert made.requests == []


@pytest.mark.fault(
    "destinations: a certificate nobody vouches for",
    seen='`deliveries list`: pending, "the server\'s certificate is not valid: "',
)
async def test_a_certificate_of_an_unknown_authority(trusted: Authority, sender: Sender, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "stranger")
    async with receiver(answering(OK), stranger.server("127.0.0.1")) as made:
        result = await post_tls(sender, made)
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
        result = await post_tls(sender, made)
    assert (result.outcome, result.status) == (Outcome.RETRY, None)
    assert made.requests == []


async def test_a_server_without_tls_at_an_https_address(trusted: Authority, sender: Sender) -> None:
    async def plain(made: Receiver, reader: object, writer: object) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")  # type: ignore[attr-defined]

    async with receiver(plain) as made:
        result = await post_tls(sender, made)
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
