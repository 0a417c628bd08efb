"""The probe over real TLS: a public port of ours, an authority of ours, and whatever else may answer there."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.ingress.places import Limits
from itsjustintv_desktop.engine.ingress.wellknown import WellKnownTokens
from itsjustintv_desktop.engine.monitoring.doctor import probe as probing
from itsjustintv_desktop.engine.monitoring.doctor.probe import Probe, Probed, Reached
from tests.support.authority import DAY, Authority
from tests.support.clock import FakeClock
from tests.support.ports import free_port
from tests.support.public import PublicRig

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "authority")


@asynccontextmanager
async def our_port(folder: Path, tls: ssl.SSLContext | None) -> AsyncIterator[PublicRig]:
    """The real public port; `rig.address` is where."""
    rig = PublicRig(folder, Limits())
    await rig.ledger.open()
    try:
        rig.address = await rig.server.start("127.0.0.1", 0, tls)
        yield rig
    finally:
        await rig.stop()


@asynccontextmanager
async def stranger(answer: bytes | Answer, tls: ssl.SSLContext) -> AsyncIterator[int]:
    """Somebody else at that address; gives the port."""

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if isinstance(answer, bytes):
                await reader.readuntil(b"\r\n\r\n")
                writer.write(answer)
                await writer.drain()
            else:
                await answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(say, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def probe_of(authority: Authority, clock: FakeClock, well_known: WellKnownTokens) -> Probe:
    async def context() -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # as the program's own: client_context
        context.load_verify_locations(cafile=str(authority.file))
        return context

    return Probe(clock, well_known, context)


async def asked(authority: Authority, port: int, host: str = "localhost") -> Probed:
    clock = FakeClock()
    return await probe_of(authority, clock, WellKnownTokens(clock)).ask(f"https://{host}:{port}/twitch")


async def test_we_reach_ourselves(tmp_path: Path, authority: Authority) -> None:
    async with our_port(tmp_path, authority.server("localhost", 20 * DAY)) as rig:
        probe = probe_of(authority, rig.clock, rig.well_known)
        found = await probe.ask(f"https://localhost:{rig.address[1]}/some/callback?query")
    assert (found.reached, found.detail, found.host) == (Reached.YES, "", "localhost")
    assert found.at == rig.clock.now()
    assert found.certificate_until is not None
    left = dt.datetime.fromtimestamp(found.certificate_until, dt.UTC) - dt.datetime.now(dt.UTC)
    assert dt.timedelta(days=19) < left < dt.timedelta(days=21)


async def test_over_plain_http_on_this_machine_only(tmp_path: Path, authority: Authority) -> None:
    async with our_port(tmp_path, None) as rig:
        probe = probe_of(authority, rig.clock, rig.well_known)
        found = await probe.ask(f"http://127.0.0.1:{rig.address[1]}/twitch")
        assert (found.reached, found.certificate_until) == (Reached.YES, None)
        found = await probe.ask(f"http://me.example:{rig.address[1]}/twitch")
        assert (found.reached, found.detail) == (Reached.OTHER, "the address is no https address")


async def test_at_most_every_fifteen_minutes(tmp_path: Path, authority: Authority) -> None:
    async with our_port(tmp_path, authority.server("localhost")) as rig:
        clock = rig.clock
        probe = probe_of(authority, clock, rig.well_known)
        callback = f"https://localhost:{rig.address[1]}/twitch"
        first, same = await asyncio.gather(probe.ask(callback), probe.ask(callback))
        assert first is same
    clock.advance(899)
    assert await probe.ask(callback) is first  # nobody is there any more, and nobody was asked
    clock.advance(1)
    later = await probe.ask(callback)
    assert (later.reached, later.at) == (Reached.NO_ANSWER, clock.now())
    clock.advance(60)
    assert await probe.ask(callback) is later  # a failure is remembered as well
    assert (
        await probe.ask(f"https://[::1]:{free_port()}/twitch")
    ).at == clock.now()  # another address is a new question


async def test_an_expired_certificate(tmp_path: Path, authority: Authority) -> None:
    async with our_port(tmp_path, authority.server("localhost", -DAY)) as rig:
        found = await probe_of(authority, rig.clock, rig.well_known).ask(f"https://localhost:{rig.address[1]}/twitch")
    assert found.reached is Reached.CERTIFICATE
    assert found.detail == "the server's certificate is not valid: certificate has expired"


async def test_a_certificate_for_another_name(authority: Authority) -> None:
    async with stranger(b"", authority.server("other.test")) as port:
        found = await asked(authority, port)
    assert (found.reached, found.detail) == (
        Reached.CERTIFICATE,
        "the server's certificate is not valid: Hostname mismatch",
    )


async def test_a_certificate_that_nobody_vouches_for(tmp_path: Path, authority: Authority) -> None:
    async with stranger(b"", Authority(tmp_path, "stranger").server("localhost")) as port:
        found = await asked(authority, port)
    assert found.reached is Reached.CERTIFICATE


@pytest.mark.parametrize(
    ("answer", "reached", "status"),
    [
        (b"HTTP/1.1 301 Moved\r\nLocation: https://elsewhere.example/\r\nContent-Length: 0\r\n\r\n", "redirect", 301),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "other", 404),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "other", 200),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100_000, "other", 200),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "other", 0),
        (b"HTTP/1.1 2x0 OK\r\n\r\n", "other", 0),
        (b"", "other", 0),
    ],
)
async def test_somebody_else_answers(authority: Authority, answer: bytes, reached: str, status: int) -> None:
    async with stranger(answer, authority.server("localhost")) as port:
        found = await asked(authority, port)
    assert (found.reached.value, found.status) == (reached, status)
    assert str(status) in found.detail or not status
    assert found.certificate_until is not None


async def test_an_answer_in_chunks_over_a_connection_that_stays_open(authority: Authority) -> None:
    """As some proxies do, whatever they were asked for."""
    clock = FakeClock()
    well_known = WellKnownTokens(clock)

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        assert b"\r\nHost: localhost:" in request
        body = well_known.find(request.split(b" ")[1].decode())
        assert body is not None
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        writer.write(f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n")
        await writer.drain()
        await reader.read()

    async with stranger(proxy, authority.server("localhost")) as port:
        found = await probe_of(authority, clock, well_known).ask(f"https://localhost:{port}/twitch")
    assert found.reached is Reached.YES


async def test_an_answer_without_end_is_not_read_to_the_end(authority: Authority) -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 4096)
            await writer.drain()

    async with stranger(endless, authority.server("localhost")) as port:
        found = await asked(authority, port)
    assert (found.reached, found.status) == (Reached.OTHER, 200)


async def test_nobody_answers(authority: Authority) -> None:
    found = await asked(authority, free_port())
    assert (found.reached, found.detail) == (Reached.NO_ANSWER, "the connection was refused")


async def test_no_answer_in_time(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "SECONDS", 0.2)

    async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await reader.read()

    async with stranger(silent, authority.server("localhost")) as port:
        found = await asked(authority, port)
    assert (found.reached, found.detail) == (Reached.NO_ANSWER, "no answer in time")


@pytest.mark.parametrize(
    ("host", "detail"), [("[::1]", "the host name could not be found"), ("ä" * 80, "it is no valid host name")]
)
async def test_a_name_without_an_address_that_twitch_could_use(authority: Authority, host: str, detail: str) -> None:
    found = await asked(authority, 1, host)
    assert (found.reached, found.detail) == (Reached.NOT_FOUND, detail)
