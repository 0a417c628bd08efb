"""Keeps deliveries away from the metadata services of cloud machines (SSRF).

The check sits where a socket is made for one already resolved address: no name, no odd spelling of a number and
no second DNS answer gets around it. LAN and loopback are allowed, since the owner of the config typed them.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any, TypeVar, cast

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from itsjustintv_desktop.engine.core.errors import AppError

T = TypeVar("T")

_REFUSED_V4 = (
    IPv4Network("169.254.0.0/16"),  # RFC 3927 link-local; 169.254.169.254 is the metadata address of most clouds
    IPv4Network("100.100.100.200/32"),  # Alibaba Cloud
    IPv4Network("168.63.129.16/32"),  # Azure's host agent
)
_REFUSED_V6 = (
    IPv6Network("fe80::/10"),  # RFC 4291 link-local
    IPv6Network("fd00:ec2::254/128"),  # Amazon
    IPv6Network("fd20:ce::254/128"),  # Google
    IPv6Network("fd00:c1::a9fe:a9fe/128"),  # Oracle
)
# Prefixes with an IPv4 address in the last 32 bits: compatible (RFC 4291), translated (RFC 2765),
# NAT64 (RFC 6052, 8215).
_EMBEDDING = tuple(IPv6Network(prefix) for prefix in ("::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48"))
_ISATAP = 0x5EFE  # RFC 5214: ...:0:5efe:<IPv4>, the 0 may carry the universal bit 0x0200
_THREADS = 4


class RefusedAddressError(AppError, OSError):
    """The destination leads to an address that is never dialled. Trying again would not help.

    Also an OSError: the connector collects those and hands them on.
    """

    title = "The address is not allowed"

    def __init__(self) -> None:
        super().__init__(
            "leads to a link-local or cloud metadata address, which is never called; "
            "put another address into the config"
        )


def is_refused(address: str) -> bool:
    """Whether this numeric IPv4 or IPv6 address may not be dialled. What is not an address is refused."""
    try:
        ip = ip_address(address)
    except ValueError:
        return True
    if isinstance(ip, IPv4Address):
        return _is_refused_v4(ip)
    return any(ip in network for network in _REFUSED_V6) or any(map(_is_refused_v4, _embedded(ip)))


def guarded_socket(addr_info: tuple[Any, ...]) -> socket.socket:
    """The `socket_factory` of aiohttp's TCPConnector: called with the very address about to be dialled.

    `addr_info` is a row of getaddrinfo: family, type, protocol, name, (address, port, ...). Raises
    RefusedAddressError.
    """
    family, kind, protocol, _, address = addr_info
    if is_refused(str(address[0])):
        raise RefusedAddressError
    return socket.socket(family=family, type=kind, proto=protocol)


class Resolver(AbstractResolver):
    """The system's own resolver (hosts file, VPN, mDNS) in threads of its own.

    A lookup hangs for many seconds while the DNS is down; in the shared pool it would hold up files and keyring, and in
    any pool the end of the program, which waits for its threads.
    """

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(_THREADS)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Numeric addresses of `host`. Raises OSError (socket.gaierror)."""
        # An offline Windows machine has no address that AI_ADDRCONFIG would count, not even for itself.
        flags = 0 if host == "localhost" else socket.AI_ADDRCONFIG
        lookup = partial(socket.getaddrinfo, host, port, family=family, type=socket.SOCK_STREAM, flags=flags)
        await self._free.acquire()
        rows = await _in_thread(lookup, self._free.release)
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=int(address[1]),
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, protocol, _, address in rows
        ]

    async def close(self) -> None:
        """Nothing is kept between two lookups."""


def _in_thread(work: Callable[[], T], over: Callable[[], object]) -> asyncio.Future[T]:
    """What `work` returns or raises. `over` is called on the loop when the thread is free again, be it much later."""
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        over()
        if outcome.done():
            return
        if error is not None:
            outcome.set_exception(error)
        else:
            outcome.set_result(cast("T", result))

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except BaseException as raised:  # noqa: BLE001 - whoever waits for it gets it
            error = raised
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, name="dns", daemon=True).start()
    return outcome


class Connector(aiohttp.TCPConnector):
    """A connector that looks names up with a `Resolver`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(resolver=Resolver(), **options)


def _is_refused_v4(ip: IPv4Address) -> bool:
    return any(ip in network for network in _REFUSED_V4)


def _embedded(ip: IPv6Address) -> list[IPv4Address]:
    """The IPv4 addresses a transition mechanism would deliver this IPv6 address to."""
    number = int(ip)
    last = IPv4Address(number & 0xFFFFFFFF)
    found = [inner for inner in (ip.ipv4_mapped, ip.sixtofour) if inner is not None]
    if ip.teredo is not None:
        found.extend(ip.teredo)
    if any(ip in network for network in _EMBEDDING) or (number >> 32) & 0xFDFFFFFF == _ISATAP:
        found.append(last)
    return found
