from __future__ import annotations

import asyncio
import re
import socket
import subprocess
import sys
import threading
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsjustintv_desktop.engine.config.schema import Destination
from itsjustintv_desktop.engine.core.errors import AppError
from itsjustintv_desktop.engine.core.models import AttemptResult, Outcome
from itsjustintv_desktop.engine.core.net.address_guard import (
    RefusedAddressError,
    Resolver,
    guarded_socket,
    is_refused,
)
from itsjustintv_desktop.engine.delivery.attempt import Sender
from tests.engine.delivery.servers import receiver, status

PLAIN = (
    "169.254.169.254",
    "100.100.100.200",
    "[fe80::1]",
    "[fd00:ec2::254]",
    "[::ffff:169.254.169.254]",
    "[64:ff9b::a9fe:a9fe]",
)
ODD = ("2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.16689662", "169.254.169.254.")
"""Not addresses by the standard: they are refused as names, or resolve to the same and are refused then."""
METADATA = int(IPv4Address("169.254.169.254"))


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.0.1",
        "169.254.255.255",
        "100.100.100.200",
        "168.63.129.16",
        "fe80::1",
        "fe80::1%1",
        "febf::1",
        "fd00:ec2::254",
        "fd20:ce::254",
        "::ffff:169.254.169.254",
        "::ffff:a9fe:a9fe",
        "::169.254.169.254",
        "::ffff:0:169.254.169.254",
        "2002:a9fe:a9fe::1",
        "64:ff9b::169.254.169.254",
        "64:ff9b:1::a9fe:a9fe",
        "2001:db8::5efe:169.254.169.254",
        "2001:db8::200:5efe:169.254.169.254",
        str(IPv6Address((0x20010000 << 96) | (METADATA ^ 0xFFFFFFFF))),  # Teredo, the client's address inverted
        "not an address",
        "2852039166",
        "",
    ],
)
def test_refused(address: str) -> None:
    assert is_refused(address)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "::1", "::ffff:127.0.0.1", "10.0.0.1", "192.168.1.10", "172.16.0.1", "fd00::1"),
        *("169.253.255.255", "169.255.0.0", "1.1.1.1", "2606:4700::1111", "2002:c0a8:101::1", "0.0.0.0", "fec0::1"),
        "100.100.100.201",
    ],
)
def test_lan_loopback_and_the_internet_are_allowed(address: str) -> None:
    assert not is_refused(address)


@given(st.integers(0, 0xFFFF))
def test_all_of_link_local_is_refused_plain_and_embedded(low: int) -> None:
    address = IPv4Address((0xA9FE << 16) | low)
    for text in (f"{address}", f"::ffff:{address}", f"64:ff9b::{address}", f"2001:db8::5efe:{address}"):
        assert is_refused(text)


@given(st.ip_addresses())
def test_every_address_gets_an_answer(address: IPv4Address | IPv6Address) -> None:
    assert is_refused(str(address)) in {True, False}


def test_the_factory_makes_sockets_for_allowed_addresses_only() -> None:
    kind = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
    with guarded_socket((*kind, ("127.0.0.1", 80))) as made:
        assert made.family is socket.AF_INET
    with pytest.raises(RefusedAddressError) as caught:
        guarded_socket((*kind, ("169.254.169.254", 80)))
    assert isinstance(caught.value, AppError)
    assert "169.254" not in caught.value.message


async def attempt(url: str, timeout: float = 5.0) -> AttemptResult:
    sender = Sender()
    try:
        return await sender.post(
            Destination(name="d", timeout=timeout), url=url, secret=None, webhook_id="id", body=b"{}"
        )
    finally:
        await sender.close()


@pytest.mark.parametrize("host", PLAIN + ODD)
async def test_no_spelling_of_a_metadata_address_is_dialled(host: str) -> None:
    dialled: list[object] = []
    loop = asyncio.get_running_loop()
    connect = loop.sock_connect

    async def watch(sock: socket.socket, address: object) -> None:
        dialled.append(address)
        await connect(sock, address)  # type: ignore[arg-type]

    loop.sock_connect = watch  # type: ignore[method-assign]
    result = await attempt(f"http://{host}/latest/meta-data/")
    assert dialled == []
    assert result.outcome is Outcome.DEAD or result.error == "the host name could not be found"
    if host in PLAIN:
        assert result.error == RefusedAddressError().message


@pytest.mark.fault(
    "destinations: a name that leads to 169.254.169.254",
    seen="`deliveries list`: dead, it leads to a link-local or cloud metadata address",
)
async def test_a_name_that_resolves_to_a_metadata_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def lookup(host: str, port: int, **_: object) -> list[object]:
        rows = [(socket.AF_INET6, ("fe80::1", port, 0, 2)), (socket.AF_INET, ("169.254.169.254", port))]
        return [(family, socket.SOCK_STREAM, 6, "", address) for family, address in rows]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    result = await attempt("http://innocent.test/hook")
    assert (result.outcome, result.error) == (Outcome.DEAD, RefusedAddressError().message)


async def test_the_good_address_of_a_name_is_used_beside_a_refused_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def lookup(host: str, port: int, **_: object) -> list[object]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in ("169.254.169.254", "127.0.0.1")
        ]

    async with receiver(status(204)) as made:
        monkeypatch.setattr(socket, "getaddrinfo", lookup)
        result = await attempt(made.url(host="innocent.test"))
    assert result.outcome is Outcome.DELIVERED


async def test_a_redirect_to_a_metadata_address_is_not_followed() -> None:
    async with receiver(status(302, "Location: http://169.254.169.254/latest/meta-data/")) as made:
        result = await attempt(made.url())
    assert (result.outcome, result.status) == (Outcome.DEAD, 302)
    assert "169.254" not in (result.error or "") + result.answer


async def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiver(status(204)) as proxy, receiver(status(204)) as made:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url("/"))
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        assert (await attempt(made.url())).outcome is Outcome.DELIVERED
        assert (proxy.connections, made.connections) == (0, 1)


async def test_the_resolver_finds_this_machine() -> None:
    resolver = Resolver()
    found = await resolver.resolve("localhost", 80)
    await resolver.close()
    assert {"127.0.0.1", "::1"} & {row["host"] for row in found}


async def test_lookups_that_hang_hold_up_few_threads_and_nobody_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    goes_on, begun = threading.Event(), []

    def lookup(host: str, *_: object, **__: object) -> list[object]:
        begun.append(host)
        goes_on.wait(30)
        raise socket.gaierror("nobody answers")

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    resolver = Resolver()
    for number in range(6):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await resolver.resolve(f"host{number}.test")
    assert begun == [f"host{number}.test" for number in range(4)], "those that are given up still hold a thread"
    goes_on.set()
    with pytest.raises(socket.gaierror):
        await resolver.resolve("later.test")
    assert begun[4:] == ["later.test"]


def test_names_are_looked_up_in_one_place() -> None:
    """Elsewhere asyncio would do it in threads that the end of the program waits for."""
    package = Path(__file__).parents[4] / "itsjustintv_desktop"
    found = {
        path.relative_to(package).as_posix(): set(
            re.findall(r"\b(getaddrinfo|open_connection|create_connection)\(", text)
        )
        for path in package.rglob("*.py")
        if re.search(r"\b(getaddrinfo|open_connection|create_connection)\(", text := path.read_text(encoding="utf-8"))
    }
    numeric = {"engine/ingress/acme/sni_server.py", "engine/monitoring/doctor/probe.py"}
    assert set(found) - numeric <= {"engine/core/net/address_guard.py"}, found


def test_a_program_ends_although_a_lookup_hangs() -> None:
    code = (
        "import asyncio, socket, time\n"
        "from itsjustintv_desktop.engine.core.net.client import Outbound\n"
        "socket.getaddrinfo = lambda *a, **k: time.sleep(30)\n"
        "async def main():\n"
        "    client = Outbound().client()\n"
        "    try:\n"
        "        async with asyncio.timeout(0.2):\n"
        "            await client.get('http://example.test/')\n"
        "    except TimeoutError:\n"
        "        print('given up', flush=True)\n"
        "    await client.aclose()\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout == "given up\n"
