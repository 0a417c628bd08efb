"""What httpx and httpx-aiohttp would do otherwise: addresses, causes of failures, cookies, the environment, the log."""

from __future__ import annotations

import asyncio
import gzip
import logging
import re
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.core.net.address_guard import RefusedAddressError
from itsjustintv_desktop.engine.core.net.client import USER_AGENT, Client, Options, Outbound, Response, headers_of
from itsjustintv_desktop.engine.core.net.errors import RequestError, network_sentence
from itsjustintv_desktop.engine.core.net.limits import parts, read_at_most
from itsjustintv_desktop.engine.core.net.trust import client_context
from itsjustintv_desktop.engine.core.net.wire import Exchange
from tests.engine.delivery.servers import OK, Receiver, answering, receiver, status
from tests.support.authority import DAY, Authority

BODY = b'{"streamer_login":"ada"}'


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    made = Outbound().client(Options(lenient=True, decompress=False))
    yield made
    await made.aclose()


async def failed(client: Client, url: str, *, seconds: float = 5.0, body: bytes = BODY) -> RequestError:
    """The failure of a POST."""
    with pytest.raises(RequestError) as caught:
        async with asyncio.timeout(seconds):
            await client.post(url, content=body, extensions={"exchange": Exchange()})
    return caught.value


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


# A wrong reading of these doubles messages or loses them.


async def test_a_refused_connection_was_not_sent(client: Client) -> None:
    error = await failed(client, f"http://127.0.0.1:{free_port()}/hook")
    assert (network_sentence(error), error.sent, error.refused) == ("the connection was refused", False, None)
    assert isinstance(error.__cause__, OSError)


async def test_a_refused_address_was_not_sent_and_is_known_as_one(client: Client) -> None:
    error = await failed(client, "http://169.254.169.254/latest/meta-data/")
    assert isinstance(error.refused, RefusedAddressError)
    assert (error.sent, error.invalid) == (False, False)


async def test_a_name_that_does_not_exist_was_not_sent(client: Client) -> None:
    error = await failed(client, "http://nowhere.invalid/hook")
    assert (network_sentence(error), error.sent) == ("the host name could not be found", False)


async def test_a_post_that_was_read_and_then_dropped_may_have_arrived(client: Client) -> None:
    async def drop(made: Receiver, reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await made.read(reader)

    async with receiver(drop) as made:
        error = await failed(client, made.url())
    assert (network_sentence(error), error.sent) == ("the server closed the connection without an answer", True)
    assert len(made.requests) == 1


async def test_a_connection_that_is_never_made_was_not_sent(client: Client) -> None:
    exchange = Exchange()
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:  # the kernel makes a few connections that nobody accepts, and no more
            filler.setblocking(False)
            filler.connect_ex(address)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await client.post(f"http://127.0.0.1:{address[1]}/", content=BODY, extensions={"exchange": exchange})
        for filler in fillers:
            filler.close()
    assert not exchange.sent


async def test_a_server_that_reads_and_never_answers_may_have_it(client: Client) -> None:
    async def silent(made: Receiver, reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await made.read(reader)
        await reader.read()

    exchange = Exchange()
    async with receiver(silent) as made:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await client.post(made.url(), content=BODY, extensions={"exchange": exchange})
        exchange.end()
    assert exchange.sent


async def test_a_read_timeout_is_no_connect_timeout() -> None:
    async def silent(made: Receiver, reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await made.read(reader)
        await reader.read()

    client = Outbound().client(Options(lenient=True))
    exchange = Exchange()
    async with receiver(silent) as made:
        with pytest.raises(RequestError) as caught:
            await client.post(
                made.url(), content=BODY, timeout=(5.0, 0.2, None, None), extensions={"exchange": exchange}
            )
        await client.aclose()
    assert (network_sentence(caught.value), caught.value.sent) == ("no answer in time", True)


async def collect(response: Response, seen: bytearray) -> None:
    async with parts(response) as pieces:
        async for piece in pieces:
            seen += piece


async def test_a_body_that_breaks_off(client: Client) -> None:
    async def cut(made: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await made.read(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart")
        await writer.drain()

    async with receiver(cut) as made:
        seen = bytearray()
        async with client.stream("POST", made.url(), content=BODY) as response:
            assert response.status_code == 200
            with pytest.raises(RequestError) as caught:
                await collect(response, seen)
    assert (bytes(seen), network_sentence(caught.value)) == (b"part", "the answer broke off")


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    authority = Authority(tmp_path, "trusted")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    if client_context().cert_store_stats()["x509_ca"] != 1:
        pytest.skip("the trust store of this system is not a file")
    return authority


async def test_tls_errors(trusted: Authority, client: Client) -> None:
    async with receiver(answering(OK), trusted.server("127.0.0.1")) as made:
        assert (await client.post(made.url(scheme="https"), content=BODY)).status_code == 200
        assert network_sentence(await failed(client, made.url(scheme="https", host="localhost"))) == (
            "the server's certificate is not valid: Hostname mismatch"
        )
    async with receiver(answering(OK), trusted.server("127.0.0.1", -DAY)) as made:
        error = await failed(client, made.url(scheme="https"))
    assert network_sentence(error) == "the server's certificate is not valid: certificate has expired"
    assert not error.sent

    async def plain(made: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with receiver(plain) as made:
        assert network_sentence(await failed(client, made.url(scheme="https"))) == "the TLS connection failed"


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("/h?x=%2F", "/h?x=%2F"),
        ("/h?x=/&y=%2f&z=%7E", "/h?x=/&y=%2f&z=%7E"),
        ("/a%2Fb/c", "/a%2Fb/c"),
        ("/a+b?c=d+e&f=%2B", "/a+b?c=d+e&f=%2B"),
        ("/h?sig=a%3Db==&sp=r", "/h?sig=a%3Db==&sp=r"),
        ("/h?", "/h"),
        ("/h?a=1&a=2&b", "/h?a=1&a=2&b"),
        ("/a/../b/./c", "/a/../b/./c"),
        ("/h;p=1,2:@!$&'()*", "/h;p=1,2:@!$&'()*"),
        ("/with space?a=b c", "/with%20space?a=b+c"),
        ("/ümlaut?ä=ö", "/%C3%BCmlaut?%C3%A4=%C3%B6"),
        ("", "/"),
        ("/%zz?%", "/%zz?%"),
        ("/h#fragment", "/h"),
    ],
)
async def test_an_address_goes_out_as_it_was_typed(client: Client, typed: str, sent: str) -> None:
    async with receiver(status(204)) as made:
        await client.post(made.url(typed), content=BODY)
    assert made.requests[0].line == f"POST {sent} HTTP/1.1"
    assert made.requests[0].headers["Host"] == f"127.0.0.1:{made.port}"


async def test_parameters_of_our_own_are_encoded(client: Client) -> None:
    async with receiver(status(204)) as made:
        await client.get(made.url("/users"), params=[("login", "a&b"), ("login", "c d"), ("after", "x=/+")])
    assert made.requests[0].line == "GET /users?login=a%26b&login=c+d&after=x%3D/%2B HTTP/1.1"


async def test_a_user_name_in_an_address_is_sent_as_aiohttp_did_and_not_by_httpx(client: Client) -> None:
    async with receiver(status(204)) as made:
        await client.post(made.url("/hook").replace("//", "//ada:s3cret@"), content=BODY)
    headers = made.requests[0].headers
    assert headers.getall("Authorization") == ["Basic YWRhOnMzY3JldA=="]
    assert headers["Host"] == f"127.0.0.1:{made.port}"


@pytest.mark.parametrize("url", ["", "hook", "ftp://127.0.0.1/x", "http://", "http://[::1", "http://h:99999/"])
async def test_an_address_that_is_none(client: Client, url: str) -> None:
    assert (await failed(client, url)).invalid


async def test_a_header_that_is_none(client: Client) -> None:
    async with receiver(status(204)) as made:
        with pytest.raises(RequestError) as caught:
            await client.post(made.url(), headers={"X-A": "1\r\nX-B: 2"})
    assert caught.value.invalid
    assert made.requests == []


async def test_the_headers_are_ours_alone(client: Client) -> None:
    async with receiver(status(204)) as made:
        await client.post(made.url(), content=BODY, headers={"X-Name": "Jürgen", "x-own": "1"})
        await client.post(made.url(), data={"grant_type": "client_credentials", "scope": "a b&c"})
    sent = {name: value for name, value in made.requests[0].headers.items() if name not in {"Host", "Content-Length"}}
    assert sent == {
        "User-Agent": USER_AGENT,
        "X-Name": "JÃ¼rgen",  # UTF-8, read as Latin-1 by the receiver
        "x-own": "1",
        "Accept": "*/*",
        "Accept-Encoding": sent["Accept-Encoding"],
        "Content-Type": "application/octet-stream",
    }
    form = made.requests[1]
    assert form.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert form.body == b"grant_type=client_credentials&scope=a+b%26c"


async def test_no_cookie_is_kept_or_sent(client: Client) -> None:
    async with receiver(status(200, "Set-Cookie: session=abc; Path=/")) as made:
        for _ in range(2):
            await client.post(made.url(), content=BODY)
    assert all("Cookie" not in request.headers for request in made.requests)


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(client: Client, code: int) -> None:
    async with receiver(status(code, "Location: /elsewhere")) as made:
        assert (await client.post(made.url(), content=BODY)).status_code == code
    assert len(made.requests) == 1


async def test_nothing_of_the_environment_is_used(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login ada password s3cret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    async with receiver(status(204)) as proxy, receiver(status(204)) as made:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url("/"))
        await client.post(made.url(), content=BODY)
    assert "Authorization" not in made.requests[0].headers
    assert proxy.connections == 0


async def test_headers_of_one_name_are_not_joined(client: Client) -> None:
    async with receiver(status(429, "Retry-After: 3", "Retry-After: 9")) as made:
        found = headers_of(await client.post(made.url(), content=BODY))
    assert (found["retry-after"], found.getall("Retry-After")) == ("3", ["3", "9"])


async def test_long_headers_are_read() -> None:
    client = Outbound().client()
    async with receiver(status(200, "X-Long: " + "x" * 60_000, body=b"ok")) as made:
        response = await client.get(made.url())
    await client.aclose()
    assert (response.status_code, response.content, len(response.headers["x-long"])) == (200, b"ok", 60_000)


async def test_a_body_is_read_up_to_a_size_and_its_connection_dropped(client: Client) -> None:
    async def endless(made: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await made.read(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"z" * 65536)
            await writer.drain()

    async with receiver(endless) as made:
        async with client.stream("GET", made.url()) as response:
            assert await read_at_most(response, 100_000) == b"z" * 100_000
        await asyncio.wait_for(made.closed_by_client.wait(), 5)


async def test_a_bomb_is_not_unpacked_beyond_the_size() -> None:
    client = Outbound().client()
    bomb = gzip.compress(b"0" * 50_000_000)
    async with receiver(status(200, "Content-Encoding: gzip", body=bomb)) as made:
        async with client.stream("GET", made.url()) as response:
            assert len(await read_at_most(response, 1001)) == 1001
        async with client.stream("GET", made.url()) as response:
            assert "Content-Encoding" not in response.headers
    await client.aclose()


async def test_packed_text_is_unpacked_once() -> None:
    client = Outbound().client()
    async with receiver(status(200, "Content-Encoding: gzip", body=gzip.compress(b"hello"))) as made:
        assert (await client.get(made.url())).content == b"hello"
    await client.aclose()


async def test_connections_are_reused_and_bounded(client: Client) -> None:
    narrow = Outbound().client(Options(connections=2))
    async with receiver(answering(OK)) as made:
        await asyncio.gather(*(narrow.get(made.url()) for _ in range(8)))
    await narrow.aclose()
    assert (made.connections, len(made.requests)) == (2, 8)


async def test_a_large_body_arrives_whole(client: Client) -> None:
    body = bytes(range(256)) * 4096
    async with receiver(status(204)) as made:
        await client.post(made.url(), content=body)
    assert made.requests[0].body == body
    assert made.requests[0].headers["Content-Length"] == str(len(body))


async def test_neither_log_nor_error_names_the_address(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    path = "/api/webhooks/123456/tok-EN_9?sig=aaabbb"
    async with receiver(status(204)) as made:
        await client.post(made.url(path), content=BODY)
    error = await failed(client, f"http://127.0.0.1:{free_port()}{path}")
    for hidden in ("tok-EN_9", "aaabbb"):
        assert hidden not in caplog.text
        assert hidden not in f"{error!r} {error} {error.request!r} {error.request.url}"


def test_the_command_of_httpx_is_not_loaded() -> None:
    """It would bring rich and pygments into every process: 4.8 MB."""
    code = (
        "import sys, itsjustintv_desktop.engine.core.net.client\n"
        "print([n for n in ('rich', 'pygments', 'httpcore', 'anyio') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_httpx_is_imported_in_one_place_and_used_in_one_folder() -> None:
    package = Path(__file__).parents[4] / "itsjustintv_desktop"
    texts = {path.relative_to(package): path.read_text(encoding="utf-8") for path in package.rglob("*.py")}
    assert [path.name for path, text in texts.items() if re.search(r"^(import|from) httpx", text, re.M)] == [
        "library.py"
    ]
    users = {path.parent.as_posix() for path, text in texts.items() if re.search(r"\bhttpx\.", text)}
    assert users == {"engine/core/net"}
