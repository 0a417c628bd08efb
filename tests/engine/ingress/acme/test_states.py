"""Everything that can stand in the way of a certificate has a name, and says what to do."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.ingress.transports import TransportState
from tests.engine.ingress.acme.rig import Proxy, Rig, refusing
from tests.support.ports import free_port


async def test_a_name_that_leads_nowhere(rig: Rig) -> None:
    rig.authority.no_address(rig.name)
    rig.begin()
    await rig.reaches("wrong_dns")
    status = rig.way.status
    assert (status.state, rig.way.target) == (TransportState.FAILING, None)
    assert rig.name in status.message
    assert "A record" in status.fix
    assert "next_try" in status.facts


@pytest.mark.parametrize(("challenge", "outside"), [("tls-alpn-01", 443), ("http-01", 80)])
async def test_a_port_that_is_not_forwarded(rig: Rig, challenge: str, outside: int) -> None:
    inside = free_port()
    rig.change(challenge=challenge, http_port=inside)
    if challenge == "tls-alpn-01":
        await rig.public.stop()
        rig.address = ("0.0.0.0", inside)
    rig.begin()
    await rig.reaches("port_closed")
    status = rig.way.status
    assert status.state is TransportState.FAILING
    assert f"port {outside}" in status.message
    assert f"forward TCP port {outside} to" in status.fix
    assert f"port {inside}" in status.fix


async def test_only_this_machine_can_connect(rig: Rig) -> None:
    await rig.public.stop()
    rig.begin()
    await rig.reaches("port_closed")
    assert 'listen_addr = "0.0.0.0"' in rig.way.status.fix


async def test_another_machine_answers_for_the_name(rig: Rig) -> None:
    """There somebody speaks TLS who knows nothing of our challenge."""
    await rig.public.stop()
    other = Rig(rig.authority, rig.folder.parent / "other")
    await other.listen()
    try:
        rig.begin()
        await rig.settle(lambda: rig.way.status.state is TransportState.FAILING)
        assert rig.way.status.code in {"wrong_dns", "port_closed"}
        assert "answers" in rig.way.status.message
    finally:
        await other.close()


async def test_another_web_server_answers_for_the_name(rig: Rig) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    elsewhere = await asyncio.start_server(handle, "127.0.0.1", rig.authority.http_port)
    rig.change(challenge="http-01", http_port=free_port())
    rig.begin()
    await rig.reaches("wrong_dns")
    assert "Another machine" in rig.way.status.message
    assert "forward TCP port 80" in rig.way.status.fix
    elsewhere.close()


async def test_the_authority_wants_us_to_wait(rig: Rig, stack: AsyncExitStack) -> None:
    proxy = await stack.enter_async_context(Proxy(rig.authority))
    answer = refusing("rateLimited", "too many new orders", status=429, headers={"Retry-After": "200000"})
    proxy.refuse["order-plz"] = answer
    rig.change(directory_url=proxy.directory)
    rig.begin()
    await rig.reaches("rate_limited")
    assert rig.way.status.state is TransportState.WAITING
    assert "too many new orders" in rig.way.status.message
    asked = proxy.count("order-plz")
    await rig.next_try()
    rig.way.trigger()
    await rig.settle(lambda: len(rig.clock.sleeping) == 1)
    assert proxy.count("order-plz") == asked, "not even a person's wish goes against the authority's word"
    waited = 0.0
    while waited < 200_000 - 3600:
        waited += await rig.next_try()
    assert proxy.count("order-plz") == asked
    proxy.refuse.clear()
    rig.clock.advance(3600.0)
    await rig.reaches("ready")


async def test_the_authority_is_down(rig: Rig) -> None:
    rig.change(directory_url=f"https://127.0.0.1:{free_port()}/dir")
    rig.begin()
    await rig.reaches("authority_down")
    assert rig.way.status.state is TransportState.WAITING
    assert "connection was refused" in rig.way.status.message
    assert 40 <= await rig.next_try() <= 80, "a minute or so"
    assert 400 <= await rig.next_try() <= 800, "then ten"


async def test_a_server_that_is_no_authority(rig: Rig, stack: AsyncExitStack) -> None:
    proxy = await stack.enter_async_context(Proxy(rig.authority))
    proxy.refuse["dir"] = (200, {"hello": "world"}, {})
    rig.change(directory_url=proxy.directory)
    rig.begin()
    await rig.reaches("authority_down")


async def test_an_authority_that_cannot_be_trusted(rig: Rig, tmp_path: Path) -> None:
    rig.environ = {}
    await rig.again()
    rig.begin()
    await rig.reaches("authority_down")
    assert "certificate is not valid" in rig.way.status.message


@pytest.mark.parametrize(
    ("part", "problem", "code"),
    [
        ("sign-me-up", "externalAccountRequired", "bad_account"),
        ("sign-me-up", "invalidContact", "bad_account"),
        ("order-plz", "rejectedIdentifier", "refused"),
        ("order-plz", "caa", "refused"),
        ("order-plz", "serverInternal", "authority_down"),
        ("order-plz", "somethingNew", "refused"),
    ],
)
async def test_what_the_authority_says_has_a_name(
    rig: Rig, stack: AsyncExitStack, part: str, problem: str, code: str
) -> None:
    proxy = await stack.enter_async_context(Proxy(rig.authority))
    proxy.refuse[part] = refusing(problem, "that is how it is")
    rig.change(directory_url=proxy.directory)
    rig.begin()
    await rig.reaches(code)
    assert "that is how it is" in rig.way.status.message
    assert rig.way.status.fix


async def test_a_folder_that_cannot_be_written(rig: Rig, stack: AsyncExitStack) -> None:
    proxy = await stack.enter_async_context(Proxy(rig.authority))
    rig.change(directory_url=proxy.directory)
    rig.folder.write_text("a file, where the folder should be")
    rig.begin()
    await rig.reaches("disk")
    assert rig.way.status.state is TransportState.FAILING
    assert not proxy.asked, "the authority is not asked for what could not be kept"
    rig.folder.unlink()
    await rig.next_try()
    await rig.reaches("ready")


async def test_the_disk_fills_up_meanwhile(rig: Rig, stack: AsyncExitStack) -> None:
    """The certificate is used from memory, and written later."""
    proxy = await stack.enter_async_context(Proxy(rig.authority))
    rig.change(directory_url=proxy.directory)
    rig.folder.mkdir()
    (rig.folder / "cert.pem").mkdir()  # no file can take its place
    (rig.folder / "cert.pem" / "x").touch()
    rig.begin()
    await rig.reaches("disk")
    (rig.folder / "cert.pem" / "x").unlink()
    (rig.folder / "cert.pem").rmdir()
    await rig.next_try()
    proxy.held.add("certZ")
    await rig.settle(lambda: "certZ" in proxy.asked)
    (rig.folder / "key.pem").mkdir()
    proxy.let_go()
    await rig.settle(lambda: "renewal_problem" in rig.way.status.facts)
    assert rig.way.status.code == "ready"
    assert rig.way.target is not None
    assert "Pebble" in (await rig.shown())[0].issuer.rfc4514_string()
    (rig.folder / "key.pem").rmdir()
    await rig.next_try()
    await rig.settle(lambda: "renewal_problem" not in rig.way.status.facts)
    assert (rig.folder / "key.pem").is_file()
    assert proxy.count("order-plz") == 1


async def test_the_http_port_is_taken(rig: Rig) -> None:
    async def nobody(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    holder = await asyncio.start_server(nobody, "127.0.0.1", rig.authority.http_port)
    rig.change(challenge="http-01")
    rig.begin()
    await rig.reaches("http_port")
    assert rig.way.status.state is TransportState.FAILING
    assert f"port {rig.authority.http_port}" in rig.way.status.message
    holder.close()
    await holder.wait_closed()
    await rig.next_try()
    await rig.reaches("ready")


async def test_a_listener_that_does_not_show_the_certificate(rig: Rig) -> None:
    """Twitch is not told of an address that does not work."""
    rig.address = ("127.0.0.1", free_port())
    rig.begin()
    await rig.reaches("not_serving")
    assert rig.way.target is None
    rig.address = ("127.0.0.1", rig.authority.tls_port)
    await rig.next_try()
    await rig.reaches("ready")


async def test_ordering_is_told_once_and_states_are_not_logged_in_a_loop(rig: Rig) -> None:
    rig.authority.no_address(rig.name)
    seen: list[str] = []
    rig.way._on_change = lambda: seen.append(rig.way.status.code)
    rig.begin()
    for _ in range(3):
        await rig.reaches("wrong_dns")
        await rig.next_try()
    assert seen[0] == "ordering"
    assert seen.count("ordering") == 1
    assert set(seen) == {"ordering", "wrong_dns"}
