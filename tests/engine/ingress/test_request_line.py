"""HTTP/1.0 and 1.1 to the letter: what the parser lets pass and we do not (RFC 9112 2.2, 2.3, 3, 3.2, 6.1)."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from tests.support import rawhttp, signed
from tests.support.public import PublicRig
from tests.support.waiting import until

_REST = b"Host: a\r\n\r\n"

REFUSED: dict[str, bytes] = {
    "two blanks behind the method": b"GET  /health HTTP/1.1\r\n" + _REST,
    "two blanks before the version": b"GET /health  HTTP/1.1\r\n" + _REST,
    "many blanks": b"GET     /health     HTTP/1.1\r\n" + _REST,
    "a blank behind the version": b"GET /health HTTP/1.1 \r\n" + _REST,
    "a blank before the method": b" GET /health HTTP/1.1\r\n" + _REST,
    "a tab behind the method": b"GET\t/health HTTP/1.1\r\n" + _REST,
    "a blank and a tab": b"GET \t/health HTTP/1.1\r\n" + _REST,
    "a tab before the version": b"GET /health\tHTTP/1.1\r\n" + _REST,
    "a form feed": b"GET /health\x0c HTTP/1.1\r\n" + _REST,
    "no version": b"GET /health\r\n\r\n",
    "HTTP/0.9": b"GET /health HTTP/0.9\r\n" + _REST,
    "HTTP/1.2": b"GET /health HTTP/1.2\r\n" + _REST,
    "HTTP/1.10": b"GET /health HTTP/1.10\r\n" + _REST,
    "HTTP/2.0": b"GET /health HTTP/2.0\r\n" + _REST,
    "HTTP/2": b"GET /health HTTP/2\r\n" + _REST,
    "HTTP/3.0": b"GET /health HTTP/3.0\r\n" + _REST,
    "RTSP": b"GET /health RTSP/1.0\r\n" + _REST,
    "RTSP and its method": b"DESCRIBE /health RTSP/1.0\r\n" + _REST,
    "Icecast": b"SOURCE /health ICE/1.0\r\n" + _REST,
    "line feeds alone": b"GET /health HTTP/1.1\nHost: a\n\n",
    "a line feed behind the request line": b"GET /health HTTP/1.1\n" + _REST,
    "a carriage return behind the request line": b"GET /health HTTP/1.1\r" + _REST,
    "a line feed before it": b"\nGET /health HTTP/1.1\r\n" + _REST,
    "a carriage return before it": b"\rGET /health HTTP/1.1\r\n" + _REST,
    "many empty lines before it": b"\r\n" * 20 + b"GET /health HTTP/1.1\r\n" + _REST,
    "a folded header": b"GET /health HTTP/1.1\r\nHost: a\r\nX-A: b\r\n\tc\r\n\r\n",
    "a blank before a colon": b"GET /health HTTP/1.1\r\nHost: a\r\nX-A : b\r\n\r\n",
    "the same length twice": b"GET /health HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
    "another coding": b"GET /health HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "an empty coding": b"GET /health HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n",
    "chunks in HTTP/1.0": b"POST /twitch HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "no host": b"GET /health HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /health HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
    "two hosts in HTTP/1.0": b"GET /health HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
    "a blank in the host": b"GET /health HTTP/1.1\r\nHost: a b\r\n\r\n",
    "a path in the host": b"GET /health HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "a user in the host": b"GET /health HTTP/1.1\r\nHost: me@a\r\n\r\n",
    "two hosts in one header": b"GET /health HTTP/1.1\r\nHost: a, b\r\n\r\n",
}

ANSWERED: dict[str, bytes] = {
    "HTTP/1.1": b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n",
    "HTTP/1.0 without a host": b"GET /health HTTP/1.0\r\n\r\n",
    "one empty line before it": b"\r\nGET /health HTTP/1.1\r\nHost: a\r\n\r\n",
    "an address and a port": b"GET /health HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n",
    "an empty host": b"GET /health HTTP/1.1\r\nHost:\r\n\r\n",
    "a query": b"GET /health?a=%20&b HTTP/1.1\r\nHost: a_b.example\r\n\r\n",
    "a body": b"GET /health HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}",
}

each_refused = pytest.mark.parametrize("name", REFUSED)


async def _is_refused(client: rawhttp.Connection) -> None:
    with contextlib.suppress(ConnectionError):
        answer = await client.answer()
        assert (answer.status, answer.body) == (400, b"")
    await client.closed(timeout=2)


@pytest.mark.fault("strangers: request lines that are not HTTP/1.1 to the letter", seen="400")
@each_refused
async def test_as_the_first_request(port: PublicRig, name: str) -> None:
    async with rawhttp.connect(port.address) as client:
        await client.send(REFUSED[name])
        await _is_refused(client)
    assert (await port.post(signed.online(port.now()))).status == 204


@each_refused
async def test_byte_by_byte(port: PublicRig, name: str) -> None:
    async with rawhttp.connect(port.address) as client:
        with contextlib.suppress(ConnectionError):
            for byte in REFUSED[name]:
                await client.send(bytes([byte]))
                await asyncio.sleep(0)
        await _is_refused(client)


@each_refused
async def test_behind_other_requests(port: PublicRig, name: str) -> None:
    """One that came in one piece, one whose body came later, and some together."""
    whole, halved, *together = (signed.online(port.now()).request() for _ in range(4))
    async with rawhttp.connect(port.address) as client:
        await client.send(whole)
        assert (await client.answer()).status == 204
        await client.send(halved[:-30])
        await until(lambda: any(not place.busy for place in port.server.places._taken), what="its body is waited for")
        await client.send(halved[-30:])
        assert (await client.answer()).status == 204
        await client.send(b"".join(together))
        assert [(await client.answer()).status for _ in together] == [204, 204]
        await client.send(REFUSED[name])
        await _is_refused(client)


@pytest.mark.parametrize("name", [name for name in REFUSED if "blanks" in name or "HTTP/2.0" in name])
async def test_in_one_piece_with_another(port: PublicRig, name: str) -> None:
    async with rawhttp.connect(port.address) as client:
        await client.send(signed.online(port.now()).request() + REFUSED[name])
        assert (await client.answer()).status == 204
        await _is_refused(client)


@pytest.mark.parametrize("name", ANSWERED)
async def test_what_is_proper_is_answered(port: PublicRig, name: str) -> None:
    assert (await port.ask(ANSWERED[name])).status == 200
    async with rawhttp.connect(port.address) as client:
        await client.send(signed.online(port.now()).request())
        assert (await client.answer()).status == 204
        for byte in ANSWERED[name]:
            await client.send(bytes([byte]))
            await asyncio.sleep(0)
        assert (await client.answer()).status == 200


async def test_a_signed_message_may_come_in_any_pieces(port: PublicRig) -> None:
    """Nothing but what is wrong is refused: also two blanks in a body or a header, wherever they are cut."""
    message = signed.online(port.now(), login="two  blanks  HTTP/1.1")
    data = message.request().replace(b"Host: localhost", b"Host: localhost\r\nX-A: b  c")
    async with rawhttp.connect(port.address) as client:
        for size in (1, 7, 100, len(data) + 50):
            many = data * 3
            for start in range(0, len(many), size):
                await client.send(many[start : start + size])
                await asyncio.sleep(0)
            assert [(await client.answer()).status for _ in range(3)] == [204] * 3


async def test_chunks_and_then_another(port: PublicRig) -> None:
    message = signed.online(port.now())
    headers = [*message.headers(), ("Transfer-Encoding", "chunked")]
    data = rawhttp.request("POST", "/twitch", headers, length=False) + rawhttp.chunked(message.body, 100)
    async with rawhttp.connect(port.address) as client:
        for _ in range(3):
            await client.send(data)
            assert (await client.answer()).status == 204
