"""Whatever strangers send to any port, the log gets a few lines a minute of it, and no traceback."""

from __future__ import annotations

import asyncio
import contextlib
import io
import random
import socket
import ssl
import struct
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path

import pytest

from itsjustintv_desktop.engine import logs
from itsjustintv_desktop.engine.control import address
from itsjustintv_desktop.engine.ingress.acme.http01 import HttpChallenge
from itsjustintv_desktop.engine.ingress.acme.sni_server import SniServer
from itsjustintv_desktop.engine.ingress.places import Limits
from itsjustintv_desktop.engine.ingress.wellknown import WellKnownTokens
from tests.engine.ingress.hostile import framing, signatures
from tests.engine.ingress.test_request_line import REFUSED
from tests.support import rawhttp, signed
from tests.support.clock import FakeClock
from tests.support.engine import running_engine
from tests.support.ports import free_port
from tests.support.public import public_port

A_FEW = 5
"""Lines a minute: the clock of these tests stands still."""

_POST = b"POST /twitch HTTP/1.1\r\nHost: a\r\n"
_CUT_OFF = [
    _POST + b"Content-Length: 100\r\n\r\nhalf a body",
    _POST.replace(b"/twitch", b"/nothing") + b"Content-Length: 100\r\n\r\nhalf a body",
    _POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhe",
    _POST.replace(b"/twitch", b"/nothing") + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhe",
    _POST.replace(b"/twitch", b"/nothing") + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    _POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n",
    _POST + b"Expect: 100-continue\r\nContent-Length: 100\r\n\r\n",
    _POST + b"Expect: magic\r\nContent-Length: 100\r\n\r\nhalf",
    _POST,
    b"",
]
_ODD = [
    b"GET /%ff%fe HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /v1/deliveries/%c0%af/%00 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /v1/deliveries?state=%ff&%ff=%ff HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: \xff\xfe\r\nX-\xff: \xfe\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \xff\xfe\r\nCookie: \xff\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: a\r\nContent-Type: \xff; charset=\xfe\r\nRange: \xff\r\n\r\n",
    b"BREW /health HTTP/1.1\r\nHost: a\r\n\r\n",
    b"CONNECT [::1 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET http://[::1/ HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET //[ HTTP/1.1\r\nHost: a\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x00\xff",
    b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\nPRI * HTTP/2.0\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
    b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: a\r\n" + b"X: x\r\n" * 1000 + b"\r\n",
]


def _everything(now: float) -> list[bytes]:
    tables = [signatures.SIGNATURES, signatures.TIMESTAMPS, signatures.TYPES]  # bodies are all rightly signed
    tables += [framing.FRAMING, framing.PROTOCOLS, framing.VERSIONS, framing.TARGETS]
    made = [case.make(now) for table in tables for case in table.values()]
    return [*made, *REFUSED.values(), *_CUT_OFF, *_ODD]


async def _send(to: rawhttp.Address, data: bytes, how: int) -> None:
    """Send it and: 0 wait for the end, 1 leave at once, 2 leave with a reset, 3 leave in the middle, 4 read nothing."""
    with contextlib.suppress(OSError, TimeoutError):
        reader, writer = await asyncio.open_connection(*to)
        try:
            writer.write(data[: len(data) // 2] if how == 3 else data)
            if how == 0:
                async with asyncio.timeout(0.2):
                    await reader.read()
            elif how == 2:
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                await asyncio.sleep(0)
                writer.transport.abort()
            elif how == 4:
                writer.write(data * 5)
                await asyncio.sleep(0.02)
        finally:
            writer.close()


async def _flood(to: rawhttp.Address, what: Iterable[bytes]) -> None:
    calls = [(data, how) for data in what for how in range(5)]
    random.Random(1).shuffle(calls)
    for start in range(0, len(calls), 50):
        await asyncio.gather(*(_send(to, data, how) for data, how in calls[start : start + 50]))
    await asyncio.sleep(1.2)  # for what aiohttp waits for behind an answer


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What a person sees of all this, also of libraries."""
    stream = io.StringIO()
    logs.configure("info", stream)
    yield stream
    logs.reset()


def _assert_quiet(log: io.StringIO) -> None:
    text = log.getvalue()
    assert "Traceback" not in text, text[:5000]
    assert len(text.splitlines()) <= A_FEW, text[:5000]


pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning")]
strangers = pytest.mark.fault(
    "strangers: the log filled from outside", seen="a few lines a minute, and how many were left out"
)


@strangers
async def test_the_public_port(tmp_path: Path, log: io.StringIO) -> None:
    async with public_port(tmp_path, Limits(headers=0.5, body=0.5, sweep=0.1)) as port:
        unsigned = signed.online(port.now()).but(signature="sha256=" + "0" * 64).request()
        await _flood(port.address, [*_everything(port.now()), *[unsigned] * 100])
        assert (await port.post(signed.online(port.now()))).status == 204
        _assert_quiet(log)
        port.clock.advance(60)
        await port.ask(unsigned)
    assert "more_since_last" in log.getvalue()


async def test_the_public_port_while_nothing_can_be_verified(tmp_path: Path, log: io.StringIO) -> None:
    async with public_port(tmp_path, Limits(headers=0.5, body=0.5, sweep=0.1)) as port:
        port.secrets = ()
        await _flood(port.address, _everything(port.now()))
        _assert_quiet(log)


async def test_the_control_port(tmp_path: Path, log: io.StringIO) -> None:
    async with running_engine(tmp_path) as running:
        control = address.read(running.engine.paths.control)
        assert control is not None
        started = len(log.getvalue().splitlines())
        to = ("127.0.0.1", control.port)
        no_host = [b"GET /v1/health HTTP/1.1\r\n\r\n", b"GET /v1/health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"]
        await _flood(to, [*_everything(running.engine.now()), *no_host * 50])
        lines = log.getvalue().splitlines()[started:]
        text = "\n".join(line for line in lines if "[info" not in line)  # what the engine does beside
    _assert_quiet(io.StringIO(text))


async def test_the_port_of_http_01(log: io.StringIO) -> None:
    clock = FakeClock()
    challenge = HttpChallenge(WellKnownTokens(clock), clock, "127.0.0.1", port := free_port())
    await challenge.show("a.example", "token", "token.thumbprint")
    await _flood(("127.0.0.1", port), _everything(clock.now()))
    await challenge.clear()
    _assert_quiet(log)


def _hello(name: str = "a.example", newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> bytes:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.maximum_version = newest
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_hostname=name).do_handshake()
    return outgoing.read()


def _handshakes() -> list[bytes]:
    hello = _hello()
    changed = [bytes(byte ^ 0xFF if at == where else byte for at, byte in enumerate(hello)) for where in range(200)]
    return [
        hello,
        hello[:50],
        hello + hello,
        hello + b"\x17\x03\x03\x00\x05hello",
        hello + b"\x15\x03\x03\x00\x02\x02\x28",
        hello + b"\x14\x03\x03\x00\x01\x01" * 40,
        _hello(newest=ssl.TLSVersion.TLSv1_2),
        hello.replace(b"a.example", b"\xff\xfe\xfd.xampl"),
        hello.replace(b"a.example", b"a.exa\x00ple"),
        hello.replace(b"a.example", b"\xc3\xa4.exampl"),
        b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10" + b"\x01" * 40,
        b"\x16\x03\x01\xff\xff" + b"\x00" * 70_000,
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\x00" * 1000,
        *changed,
    ]


@contextlib.asynccontextmanager
async def _shaken(to: rawhttp.Address) -> AsyncIterator[rawhttp.Connection]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    reader, writer = await asyncio.open_connection(*to, ssl=context)
    try:
        yield rawhttp.Connection(reader, writer)
    finally:
        writer.transport.abort()


async def _tls_port(folder: Path) -> None:
    """With the hooks of a program: what nobody can be told of is a line as well."""
    logs.configure("info", sys.stderr)
    logs.catch_the_uncaught()
    front = SniServer()
    async with public_port(folder, Limits(headers=0.5, body=0.5, sweep=0.1), tls=front.context) as port:
        await _flood(port.address, _handshakes())
        await front.show("a.example", "token.thumbprint")
        await _flood(port.address, _handshakes())
        for data in [*_CUT_OFF, *REFUSED.values()]:
            with contextlib.suppress(OSError):
                async with _shaken(port.address) as client:
                    await client.send(data)
        await asyncio.sleep(1.2)
        async with _shaken(port.address) as client:
            await client.send(signed.online(port.now()).request())
            assert (await client.answer()).status == 204


def test_the_tls_port(tmp_path: Path) -> None:
    """In a process of its own, as pytest has hooks of its own."""
    script = (
        "import asyncio, sys; from pathlib import Path; from tests.engine.ingress.hostile import test_log_flood as it; "
        "asyncio.run(it._tls_port(Path(sys.argv[1])))"
    )
    told = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        capture_output=True, text=True, check=False, timeout=50, cwd=Path(__file__).parents[4],
    )  # fmt: skip
    assert told.returncode == 0, told.stderr[-5000:]
    events = [line for line in told.stderr.splitlines() if line[:4].isdigit()]
    assert len(events) <= A_FEW, told.stderr[:5000]
