"""Which certificate a handshake is shown, and what a stranger can do to it."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography import x509

from itsjustintv_desktop.engine.ingress.acme.sni_server import ACME_PROTOCOL, SniServer, offered_protocols
from itsjustintv_desktop.engine.ingress.acme.store import self_signed
from itsjustintv_desktop.engine.ingress.places import Limits
from tests.support import rawhttp
from tests.support.public import PublicRig
from tests.support.waiting import until

NAME = "a.example"
ACME_IDENTIFIER = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.31")


class Port:
    """The public port behind a front."""

    def __init__(self, rig: PublicRig, front: SniServer) -> None:
        self.rig = rig
        self.front = front

    async def connect(
        self, *protocols: str, name: str | None = NAME, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.maximum_version = newest
        if protocols:
            context.set_alpn_protocols(list(protocols))
        return await asyncio.open_connection(*self.rig.address, ssl=context, server_hostname=name or "")

    async def shown(
        self, *protocols: str, name: str | None = NAME, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
    ) -> tuple[bytes, str | None]:
        """The certificate as DER, and the protocol agreed on."""
        _, writer = await self.connect(*protocols, name=name, newest=newest)
        found = writer.get_extra_info("ssl_object")
        seen = found.getpeercert(True), found.selected_alpn_protocol()
        writer.close()
        await writer.wait_closed()
        return seen


@pytest.fixture(params=[True, False], ids=["sees the hello", "sees nothing"])
def can_look(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
async def port(tmp_path: Path, can_look: bool) -> AsyncIterator[Port]:
    rig = PublicRig(tmp_path, Limits(headers=0.3, sweep=0.05))
    front = SniServer(can_look=can_look)
    await rig.ledger.open()
    rig.address = await rig.server.start("127.0.0.1", 0, front.context)
    yield Port(rig, front)
    await rig.stop()


async def test_a_swap_leaves_open_connections_alone(port: Port) -> None:
    reader, writer = await port.connect()
    first, second = self_signed([NAME]), self_signed([NAME])
    await port.front.use(first)
    assert (await port.shown())[0] == first.leaf
    await port.front.use(second)
    assert (await port.shown("http/1.1")) == (second.leaf, "http/1.1")
    assert (await port.shown(name=None))[0] == second.leaf, "who names nobody gets it too"
    writer.write(rawhttp.request("GET", "/health"))
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    writer.close()


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_validator_gets_the_challenge_and_nobody_else(
    port: Port, can_look: bool, newest: ssl.TLSVersion
) -> None:
    usual = self_signed([NAME])
    await port.front.use(usual)
    await port.front.show(NAME, "token.thumbprint")
    answer, protocol = await port.shown(ACME_PROTOCOL, newest=newest)
    assert protocol == ACME_PROTOCOL
    found = x509.load_der_x509_certificate(answer)
    extension = found.extensions.get_extension_for_oid(ACME_IDENTIFIER)
    assert extension.critical
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [NAME]
    for protocols in [(), ("http/1.1",), ("h2", "http/1.1")]:
        shown, _ = await port.shown(*protocols, newest=newest)
        assert (shown == usual.leaf) is can_look, "without the hook, those seconds are everybody's"
    assert (await port.shown(name="b.example", newest=newest))[0] == usual.leaf
    port.front.clear()
    assert (await port.shown(newest=newest))[0] == usual.leaf
    assert (await port.shown(ACME_PROTOCOL, newest=newest)) == (usual.leaf, None)


async def test_a_connection_begun_before_the_challenge_is_served_as_usual(port: Port) -> None:
    """The hook is not in it: it was made for handshakes that begin later."""
    reader, writer = await asyncio.open_connection(*port.rig.address)
    await asyncio.sleep(0)
    await port.front.show(NAME, "token.thumbprint")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    await writer.start_tls(context, server_hostname="other.example")
    writer.write(rawhttp.request("GET", "/health"))
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    writer.close()


@pytest.mark.parametrize("can_look", [True])
async def test_a_validator_of_a_name_nobody_asked_about(port: Port) -> None:
    await port.front.show(NAME, "token.thumbprint")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await port.shown(ACME_PROTOCOL, name="b.example")


async def test_a_validator_that_just_leaves_confuses_nobody(port: Port) -> None:
    await port.front.show(NAME, "token.thumbprint")
    for _ in range(5):
        _, writer = await port.connect(ACME_PROTOCOL)
        writer.transport.abort()
    guarded = port.rig.server._guarded
    assert guarded is not None
    await until(lambda: not guarded.connections)
    reader, writer = await port.connect(name="b.example")
    writer.write(rawhttp.request("GET", "/health"))
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    writer.close()


async def test_who_never_shakes_hands_is_let_go(port: Port) -> None:
    reader, writer = await asyncio.open_connection(*port.rig.address)
    assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()


async def test_who_shakes_hands_and_asks_nothing_is_let_go_by_the_guard(port: Port) -> None:
    reader, writer = await port.connect()
    await until(lambda: port.rig.server.places.refused == 1)
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()


async def test_rubbish_and_old_versions_are_refused(port: Port) -> None:
    await port.front.show(NAME, "token.thumbprint")
    reader, writer = await asyncio.open_connection(*port.rig.address)
    writer.write(rawhttp.request("GET", "/health"))
    assert not (await asyncio.wait_for(reader.read(), 10)).startswith(b"HTTP/1.1 200")
    writer.close()
    assert port.front.context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_what_a_hello_offers() -> None:
    assert offered_protocols(_hello(["h2", "http/1.1"])) == (b"h2", b"http/1.1")
    assert offered_protocols(_hello([ACME_PROTOCOL])) == (ACME_PROTOCOL.encode(),)
    assert offered_protocols(_hello([])) == ()


def test_a_broken_hello_offers_nothing() -> None:
    whole = _hello([ACME_PROTOCOL])
    for length in range(len(whole) - 1):
        assert offered_protocols(whole[:length]) in {(), (ACME_PROTOCOL.encode(),)}
    assert offered_protocols(b"\xff" * 500) == ()


def _hello(protocols: list[str]) -> bytes:
    """A real one, as OpenSSL writes it, without the record around it."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if protocols:
        context.set_alpn_protocols(protocols)
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_hostname=NAME).do_handshake()
    return outgoing.read()[5:]
