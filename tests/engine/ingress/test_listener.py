"""A listening socket that moves while it is used."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.core.errors import AddressInUseError
from itsjustintv_desktop.engine.ingress.acme.sni_server import SniServer
from itsjustintv_desktop.engine.ingress.listener import Listener

Talk = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Echo(asyncio.Protocol):
    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def accepted(self, transport: asyncio.BaseTransport) -> None:
        """TLS begins."""

    def lost(self) -> None:
        """The socket is closed."""

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    made = Listener(Echo, 5.0)
    await made.open("127.0.0.1", 0, None)
    yield made
    made.close()


def trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def answers(talk: Talk) -> None:
    talk[1].write(b"hello")
    assert await asyncio.wait_for(talk[0].readexactly(5), 5) == b"hello"


async def hang_up(*talks: Talk) -> None:
    for _, writer in talks:
        writer.close()
        await writer.wait_closed()


async def test_it_moves_to_another_port_and_no_connection_is_cut_off(listener: Listener) -> None:
    before = listener.address
    old = await asyncio.open_connection(*before)
    await answers(old)
    with_port = await listener.move("127.0.0.1", 0, None)
    assert with_port == before, "port 0 again is no other wish"
    after = await listener.move("::1", 0, None)
    assert after == listener.address
    new = await asyncio.open_connection(*after)
    await answers(new)
    await answers(old)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*before)
    await hang_up(old, new)


async def test_a_port_that_is_taken_changes_nothing(listener: Listener) -> None:
    before = listener.address
    taken = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = taken.sockets[0].getsockname()[1]
    with pytest.raises(AddressInUseError, match=f"port {port}"):
        await listener.move("127.0.0.1", port, None)
    taken.close()
    assert listener.address == before
    talk = await asyncio.open_connection(*before)
    await answers(talk)
    await hang_up(talk)


async def test_the_same_port_at_all_addresses(listener: Listener) -> None:
    """Our own socket is in the way there: it goes first."""
    _, port = listener.address
    assert await listener.move("0.0.0.0", port, None) == ("0.0.0.0", port)
    talk = await asyncio.open_connection("127.0.0.1", port)
    await answers(talk)
    await hang_up(talk)


async def test_the_same_port_at_an_address_that_cannot_be_had(listener: Listener) -> None:
    """127.0.0.2 is held by somebody else at that port, and so is every address then."""
    before = listener.address
    other = await asyncio.start_server(lambda *_: None, "127.0.0.2", before[1])
    with pytest.raises(AddressInUseError):
        await listener.move("0.0.0.0", before[1], None)
    other.close()
    assert listener.address == before
    talk = await asyncio.open_connection(*before)
    await answers(talk)
    await hang_up(talk)


async def test_where_another_program_was_quicker_it_comes_back_when_it_can(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had to let go of its port, got neither the new address nor the old one, and is asked again later."""
    host, port = listener.address
    with monkeypatch.context() as patch:

        async def taken(*_: object) -> asyncio.Server:
            raise AddressInUseError("Cannot listen there.")

        patch.setattr(listener, "_bind", taken)
        old = listener._server
        assert old is not None
        for _ in range(2):
            with pytest.raises(AddressInUseError):
                await listener._squeeze(old, (host, port), ("0.0.0.0", port), None)
        with pytest.raises(AddressInUseError):
            await listener.move("0.0.0.0", port, None)
        with pytest.raises(AddressInUseError):
            await listener.move("127.0.0.1", 0, None)
    await listener.move("127.0.0.1", 0, None)
    talk = await asyncio.open_connection(*listener.address)
    await answers(talk)
    await hang_up(talk)


async def test_tls_begins_and_ends_at_the_same_port(listener: Listener, tmp_path: Path) -> None:
    front = SniServer()
    before = listener.address
    plain = await asyncio.open_connection(*before)
    assert await listener.move("127.0.0.1", 0, front.context) == before
    secured = await asyncio.open_connection(*before, ssl=trusting())
    await answers(secured)
    await answers(plain)
    await listener.move("127.0.0.1", 0, None)
    again = await asyncio.open_connection(*before)
    await answers(again)
    await answers(secured)
    await hang_up(plain, secured, again)
