"""Reading the two files: plain GETs that say nothing but the program's name and version."""

from __future__ import annotations

import asyncio

from yarl import URL

from itsjustintv_desktop.engine.config.addresses import is_loopback
from itsjustintv_desktop.engine.core.errors import UpdateUnreachableError
from itsjustintv_desktop.engine.core.net.client import USER_AGENT, Client, Options, Outbound, Response
from itsjustintv_desktop.engine.core.net.errors import REQUEST_ERRORS, network_sentence
from itsjustintv_desktop.engine.core.net.limits import read_at_most
from itsjustintv_desktop.engine.monitoring.updates.manifest import LARGEST, SIGNATURE_SUFFIX

DEADLINE = 30.0
"""Seconds for both files."""
_HOPS = 5
_HEADERS = {"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity"}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


async def both(address: str, outbound: Outbound) -> tuple[bytes, bytes]:
    """The manifest and its signatures, unread. Raises UpdateUnreachableError.

    No cookies, no machine's passwords, TLS verified by the system's trust store. Redirects are followed to https only;
    plain http is for this machine itself, where `address` already is one of those.
    """
    client = outbound.client(Options(connections=2, decompress=False, headers=_HEADERS))
    try:
        async with asyncio.timeout(DEADLINE), client:
            manifest = await _get(client, address)
            return manifest, await _get(client, address + SIGNATURE_SUFFIX)
    except (*REQUEST_ERRORS, ValueError) as error:
        raise UpdateUnreachableError(f"It could not be asked: {network_sentence(error)}.") from error


def may_follow(first: URL, then: URL) -> bool:
    """Whether a redirect from there (or the first address itself) may lead here."""
    if then.scheme == "https":
        return bool(then.host)
    return then.scheme == "http" and first.scheme == "http" and is_loopback(first.host) and is_loopback(then.host)


async def _get(client: Client, address: str) -> bytes:
    first = url = URL(address)
    for _ in range(_HOPS + 1):
        if not may_follow(first, url):
            raise UpdateUnreachableError("It leads to an address that is not https, which is not followed.")
        async with client.stream("GET", str(url)) as answer:
            if answer.status_code in _REDIRECTS:
                url = url.join(URL(answer.headers.get("Location", "")))
                continue
            if answer.status_code != 200:
                raise UpdateUnreachableError(f"It answered with status {answer.status_code}.")
            return await _read(answer)
    raise UpdateUnreachableError("It leads from one address to the next without an end.")


async def _read(answer: Response) -> bytes:
    content = await read_at_most(answer, LARGEST + 1)
    if len(content) > LARGEST:
        raise UpdateUnreachableError("What it sends is too large, and was not read.")
    return content
