"""One GET over a connection of its own, as a stranger would make it, with a look at the certificate that was shown.

A client library would let go of the connection before its certificate could be read.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl

import msgspec

from itsjustintv_desktop import __version__

_MOST = 16384
"""Bytes of an answer that are read; what we published is far shorter."""


class ProbeResponse(msgspec.Struct, frozen=True, kw_only=True):
    """`status` 0: what came was no HTTP. `certificate` is DER, as the server showed it; b"" without TLS."""

    status: int
    content: bytes
    """What came after the status line: headers and body, perhaps in chunks."""
    certificate: bytes = b""


async def get(
    host: str, port: int, path: str, *, tls: ssl.SSLContext | None, enough: bytes = b"", only_ipv4: bool = False
) -> ProbeResponse:
    """Ask `host` (ASCII) for `path`; with `tls` the server has to be `host`. The caller keeps the time.

    Reads to the end, or until `enough` has come: not every server closes when it is asked to. Raises OSError
    (ssl.SSLError and socket.gaierror among them).
    """
    family = socket.AF_INET if only_ipv4 else socket.AF_UNSPEC
    reader, writer = await asyncio.open_connection(
        host, port, ssl=tls, server_hostname=host if tls is not None else None, family=family, limit=_MOST
    )
    try:
        secure = writer.get_extra_info("ssl_object")
        certificate = secure.getpeercert(binary_form=True) if secure is not None else None
        shown = f"[{host}]" if ":" in host else host
        authority = shown if port == (443 if tls is not None else 80) else f"{shown}:{port}"
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: itsjustintv-desktop/{__version__}\r\n"
            "Accept: text/plain\r\nConnection: close\r\n\r\n".encode("ascii")
        )
        await writer.drain()
        content = await _read(reader, enough)
    finally:
        # Nobody waits for the other side's goodbye, which may never come.
        writer.transport.abort()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    line, _, rest = content.partition(b"\r\n")
    return ProbeResponse(status=_status(line), content=rest, certificate=certificate or b"")


async def _read(reader: asyncio.StreamReader, enough: bytes) -> bytes:
    content = b""
    try:
        while len(content) < _MOST and (more := await reader.read(_MOST)):
            content += more
            if enough and enough in content:
                break
    except ConnectionError:
        if not content:  # else it only ended rudely
            raise
    return content


def _status(line: bytes) -> int:
    words = line.split(b" ", 2)
    fits = len(words) > 1 and words[0].startswith(b"HTTP/") and len(words[1]) == 3 and words[1].isdigit()
    return int(words[1]) if fits else 0
