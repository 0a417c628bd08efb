from __future__ import annotations

import asyncio
import contextlib
import gzip
import hashlib
import hmac
import socket
import struct
from collections.abc import AsyncIterator

import pytest

from itsjustintv_desktop import __version__
from itsjustintv_desktop.engine.config.schema import Destination
from itsjustintv_desktop.engine.core.clock import SystemClock
from itsjustintv_desktop.engine.core.models import AttemptResult, Outcome
from itsjustintv_desktop.engine.delivery.attempt import Sender
from tests.engine.delivery.servers import OK, Receiver, answering, receiver, status

BODY = b'{"streamer_login":"ada"}'
PATIENT = 20.0
"""A deadline that a passing test never comes near."""


class FixedClock(SystemClock):
    """The wall clock stands still; waiting is real."""

    def now(self) -> float:
        return 1_700_000_000.9


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    made = Sender(FixedClock())
    yield made
    await made.close()


async def post(
    sender: Sender, url: str, *, destination: Destination | None = None, secret: str | None = None, body: bytes = BODY
) -> AttemptResult:
    destination = destination or Destination(name="d", timeout=PATIENT)
    return await sender.post(destination, url=url, secret=secret, webhook_id="evt_1", body=body)


def impatient(timeout: float = 0.3) -> Destination:
    return Destination(name="d", timeout=timeout)


async def test_what_arrives(sender: Sender) -> None:
    async with receiver(status(204)) as made:
        result = await post(sender, made.url("/hook?a=%2F&b=1"), secret="s3cret")
    request = made.requests[0]
    assert (result.outcome, result.status, result.error, result.answer) == (Outcome.DELIVERED, 204, None, "")
    assert 0 < result.duration < PATIENT
    assert request.line == "POST /hook?a=%2F&b=1 HTTP/1.1"
    assert request.body == BODY
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["User-Agent"] == f"itsjustintv-desktop/{__version__}"
    assert request.headers["webhook-id"] == "evt_1"
    assert request.headers["webhook-timestamp"] == "1700000000"
    expected = hmac.new(b"s3cret", BODY, hashlib.sha256).hexdigest()
    assert request.headers["X-Hub-Signature-256"] == f"sha256={expected}"


async def test_own_headers_are_sent_and_cannot_break_what_is_signed_or_framed(sender: Sender) -> None:
    own = {
        "Authorization": "Bearer abcdef",
        "user-agent": "mine/1",
        "webhook-id": "forged",
        "x-hub-signature-256": "forged",
        "Content-Length": "999999",
        "Transfer-Encoding": "chunked",
        "Accept-Encoding": "gzip",
    }
    async with receiver(status(204)) as made:
        result = await post(
            sender, made.url(), destination=Destination(name="d", timeout=PATIENT, headers=own), secret="s"
        )
    headers = made.requests[0].headers
    assert result.outcome is Outcome.DELIVERED
    assert headers["Authorization"] == "Bearer abcdef"
    assert headers.getall("User-Agent") == ["mine/1"]
    assert headers.getall("webhook-id") == ["evt_1"]
    assert len(headers.getall("X-Hub-Signature-256")) == 1
    assert headers["X-Hub-Signature-256"].startswith("sha256=")
    assert headers.getall("Content-Length") == [str(len(BODY))]
    assert "Transfer-Encoding" not in headers
    assert headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (200, Outcome.DELIVERED),
        (201, Outcome.DELIVERED),
        (301, Outcome.DEAD),
        (307, Outcome.DEAD),
        (400, Outcome.REFUSED),
        (404, Outcome.REFUSED),
        (408, Outcome.RETRY),
        (410, Outcome.GONE),
        (425, Outcome.RETRY),
        (429, Outcome.RETRY),
        (500, Outcome.RETRY),
        (503, Outcome.RETRY),
    ],
)
async def test_the_answers_table(sender: Sender, code: int, expected: Outcome) -> None:
    async with receiver(status(code, "Location: /elsewhere", body=b"why")) as made:
        result = await post(sender, made.url())
    assert (result.outcome, result.status, result.answer) == (expected, code, "why")
    assert len(made.requests) == 1


async def test_200_with_html_is_delivered_and_the_answer_kept(sender: Sender) -> None:
    page = b"<html><body>Welcome</body></html>"
    async with receiver(status(200, "Content-Type: text/html", body=page)) as made:
        result = await post(sender, made.url())
    assert (result.outcome, result.answer) == (Outcome.DELIVERED, page.decode())


@pytest.mark.parametrize(
    ("value", "expected"),
    [("120", 120.0), ("-1", None), ("9e99", None), ("Tue, 14 Nov 2023 22:14:20 GMT", pytest.approx(59.1))],
)
async def test_429_with_retry_after(sender: Sender, value: str, expected: float | None) -> None:
    async with receiver(status(429, f"Retry-After: {value}")) as made:
        result = await post(sender, made.url())
    assert (result.outcome, result.retry_after) == (Outcome.RETRY, expected)


async def test_no_cookie_is_kept(sender: Sender) -> None:
    async with receiver(status(204, "Set-Cookie: session=abc")) as made:
        for _ in range(2):
            await post(sender, made.url())
    assert all("Cookie" not in request.headers for request in made.requests)


async def test_connections_are_reused(sender: Sender) -> None:
    async with receiver(answering(OK)) as made:
        for _ in range(3):
            assert (await post(sender, made.url())).outcome is Outcome.DELIVERED
    assert (made.connections, len(made.requests)) == (1, 3)


async def test_a_server_that_never_answers(sender: Sender) -> None:
    async def silent(made: Receiver, reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await made.read(reader)
        await reader.read()
        made.closed_by_client.set()

    async with receiver(silent) as made:
        result = await post(sender, made.url(), destination=impatient())
        await asyncio.wait_for(made.closed_by_client.wait(), 5)
    assert (result.outcome, result.status, result.error) == (Outcome.RETRY, None, "no answer in time")
    assert result.lost
    assert 0.2 < result.duration < 5


async def test_a_server_that_never_reads(sender: Sender) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=1) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        result = await post(sender, url, destination=impatient(), body=b"x" * 8_000_000)
    assert (result.outcome, result.error) == (Outcome.RETRY, "no answer in time")


async def test_headers_that_trickle_in_for_ever(sender: Sender) -> None:
    async def trickle(made: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await made.read(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(10_000):
            writer.write(f"X-{number}: 1\r\n".encode())
            await writer.drain()
            await asyncio.sleep(0.01)

    async with receiver(trickle) as made:
        result = await post(sender, made.url(), destination=impatient())
    assert (result.outcome, result.status) == (Outcome.DELIVERED, 200)


@pytest.mark.parametrize(("code", "expected"), [(200, Outcome.DELIVERED), (500, Outcome.RETRY), (404, Outcome.REFUSED)])
async def test_an_endless_answer_is_cut_at_16_kib_and_its_connection_dropped(
    sender: Sender, code: int, expected: Outcome
) -> None:
    async def endless(made: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await made.read(reader)
        writer.write(f"HTTP/1.1 {code} X\r\n\r\n".encode())
        while True:
            writer.write(b"z" * 65536)
            await writer.drain()

    async with receiver(endless) as made:
        result = await post(sender, made.url())
        await asyncio.wait_for(made.closed_by_client.wait(), 5)
    assert (result.outcome, result.status, result.answer) == (expected, code, "z" * 16384)
    assert result.duration < PATIENT / 2


async def test_a_status_counts_even_if_the_rest_is_slow(sender: Sender) -> None:
    async def slow(made: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await made.read(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart")
        await reader.read()

    async with receiver(slow) as made:
        result = await post(sender, made.url(), destination=impatient(1.0))
    assert (result.outcome, result.answer, result.error) == (Outcome.DELIVERED, "part", None)


@pytest.mark.parametrize(
    ("framing", "part"), [(b"Content-Length: 100", b"part"), (b"Transfer-Encoding: chunked", b"4\r\npart\r\n")]
)
async def test_a_status_counts_even_if_the_rest_breaks_off(sender: Sender, framing: bytes, part: bytes) -> None:
    async def broken(made: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await made.read(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n" + part)
        await writer.drain()

    async with receiver(broken) as made:
        result = await post(sender, made.url())
    assert (result.outcome, result.status, result.answer) == (Outcome.DELIVERED, 200, "part")


def abort(writer: asyncio.StreamWriter) -> None:
    """Close with a reset."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def test_a_reset_after_the_body_is_tried_again_and_was_sent_once(sender: Sender) -> None:
    async def reset(made: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await made.read(reader)
        abort(writer)

    async with receiver(reset) as made:
        result = await post(sender, made.url())
    assert (result.outcome, result.status, len(made.requests), result.lost) == (Outcome.RETRY, None, 1, True)
    assert result.error in {"the connection was reset", "the server closed the connection without an answer"}


async def test_a_kept_connection_that_closes_without_an_answer_is_not_sent_to_twice(sender: Sender) -> None:
    async def once_only(made: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await made.read(reader)
        writer.write(OK)
        await writer.drain()
        await made.read(reader)

    async with receiver(once_only) as made:
        first = await post(sender, made.url())
        second = await post(sender, made.url())
    assert (first.outcome, second.outcome) == (Outcome.DELIVERED, Outcome.RETRY)
    assert second.error == "the server closed the connection without an answer"
    assert (made.connections, len(made.requests)) == (1, 2)


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x00\x01\x02\x03\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"<html><body>HTTP/1.1 200 OK</body></html>\r\n\r\n",
    ],
)
async def test_an_answer_that_is_not_http_is_tried_again(sender: Sender, data: bytes) -> None:
    async with receiver(answering(data)) as made:
        result = await post(sender, made.url())
    assert (result.outcome, result.status, result.error) == (Outcome.RETRY, None, "the answer was not valid HTTP")
    assert result.lost


async def test_nobody_listens(sender: Sender) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    result = await post(sender, f"http://127.0.0.1:{port}/hook")
    assert (result.outcome, result.error, result.lost) == (Outcome.RETRY, "the connection was refused", False)


async def test_a_name_that_does_not_exist(sender: Sender) -> None:
    result = await post(sender, "http://nowhere.invalid/hook")
    assert (result.outcome, result.error, result.lost) == (Outcome.RETRY, "the host name could not be found", False)


@pytest.mark.fault("destinations: DNS hangs", seen='`deliveries list`: pending, "no answer in time"')
async def test_a_dns_that_hangs_is_given_up_in_time(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: released.wait(10) and [])
    result = await post(sender, "http://slow.test/hook", destination=impatient())
    released.set()
    assert (result.outcome, result.error, result.lost) == (Outcome.RETRY, "no answer in time", False)


@pytest.mark.parametrize(
    "url", ["", "hook", "ftp://127.0.0.1/x", "http://", "http://[::1", "http://h:99999/", "http:///x"]
)
async def test_an_address_that_is_none_is_given_up_with_a_sentence(sender: Sender, url: str) -> None:
    result = await post(sender, url)
    assert result.outcome is Outcome.DEAD
    assert result.error == "the address or a header of this destination is not valid; correct it in the config"


@pytest.mark.parametrize("headers", [{"X-A": "1\r\nX-B: 2"}, {"X-A\r\nX-B": "1"}])
async def test_a_header_that_is_none_is_given_up_with_a_sentence(sender: Sender, headers: dict[str, str]) -> None:
    async with receiver(status(204)) as made:
        result = await post(sender, made.url(), destination=Destination(name="d", timeout=PATIENT, headers=headers))
    assert result.outcome is Outcome.DEAD
    assert result.error == "the address or a header of this destination is not valid; correct it in the config"
    assert made.requests == []


async def test_an_unusable_secret_is_given_up_with_a_sentence(sender: Sender) -> None:
    destination = Destination(name="d", timeout=PATIENT, signature="standard-webhooks")
    async with receiver(status(204)) as made:
        result = await post(sender, made.url(), destination=destination, secret="whsec_!!")
    assert result.outcome is Outcome.DEAD
    assert "must be base64" in (result.error or "")
    assert made.requests == []


async def test_an_echo_does_not_give_the_address_or_the_secrets_away(sender: Sender) -> None:
    async def echo(made: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await made.read(reader)
        text = f"{request.line}\n{list(request.headers.items())}".encode()
        writer.write(f"HTTP/1.1 404 X\r\nContent-Length: {len(text)}\r\n\r\n".encode() + text)
        await writer.drain()

    destination = Destination(name="d", timeout=PATIENT, headers={"Authorization": "Bearer abcdef"})
    async with receiver(echo) as made:
        result = await post(
            sender, made.url("/api/webhooks/123456/tok-EN_9?sig=aaabbb"), destination=destination, secret="s3cret"
        )
    signature = made.requests[0].headers["X-Hub-Signature-256"]
    assert result.outcome is Outcome.REFUSED
    for hidden in ("123456", "tok-EN_9", "aaabbb", "Bearer abcdef", signature):
        assert hidden not in result.answer
    assert "webhook-id" in result.answer


async def test_a_compressed_answer_is_not_unpacked(sender: Sender) -> None:
    bomb = gzip.compress(b"0" * 10_000_000)
    async with receiver(status(200, "Content-Encoding: gzip", body=bomb)) as made:
        result = await post(sender, made.url())
    assert (result.outcome, result.answer) == (Outcome.DELIVERED, "")


async def test_a_large_payload_arrives_whole(sender: Sender) -> None:
    body = b'{"a":"' + b"x" * 3_000_000 + b'"}'
    async with receiver(status(204)) as made:
        result = await post(sender, made.url(), body=body, secret="s")
    assert result.outcome is Outcome.DELIVERED
    assert made.requests[0].body == body
    assert made.requests[0].headers["Content-Type"] == "application/json"
    expected = hmac.new(b"s", body, hashlib.sha256).hexdigest()
    assert made.requests[0].headers["X-Hub-Signature-256"] == f"sha256={expected}"


async def test_cancelling_passes_through(sender: Sender) -> None:
    arrived = asyncio.Event()

    async def silent(made: Receiver, reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await made.read(reader)
        arrived.set()
        await reader.read()

    async with receiver(silent) as made:
        task = asyncio.create_task(post(sender, made.url()))
        await asyncio.wait_for(arrived.wait(), 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_one_slow_destination_does_not_hold_up_another(sender: Sender) -> None:
    async def silent(made: Receiver, reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await made.read(reader)
        await reader.read()

    async with receiver(silent) as dead, receiver(answering(OK)) as alive:
        waiting = [asyncio.create_task(post(sender, dead.url())) for _ in range(150)]
        results = await asyncio.gather(*(post(sender, alive.url()) for _ in range(20)))
        for task in waiting:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
    assert {result.outcome for result in results} == {Outcome.DELIVERED}


async def test_posting_after_close_is_a_mistake_of_the_caller() -> None:
    sender = Sender()
    await sender.close()
    with pytest.raises(RuntimeError, match="closed"):
        await post(sender, "http://127.0.0.1/")
