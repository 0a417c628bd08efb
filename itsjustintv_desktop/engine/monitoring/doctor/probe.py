"""Do we reach ourselves through the public address? A nonce of our own is asked for from outside, seldom.

Some routers do not let a machine reach itself through its public address, so a failure here proves nothing; and a
tunnel counts requests, so it is asked at most every fifteen minutes.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import ssl
from collections.abc import Awaitable, Callable
from enum import StrEnum
from urllib.parse import urlsplit

import msgspec
import structlog

from itsjustintv_desktop import __version__
from itsjustintv_desktop.engine.config.addresses import is_loopback
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.net.address_guard import Resolver
from itsjustintv_desktop.engine.core.net.errors import network_sentence
from itsjustintv_desktop.engine.ingress.wellknown import WellKnownTokens

_log = structlog.get_logger(__name__)

_MOST = 16384
"""Bytes of an answer that are read; what we published is far shorter."""


class ProbeResponse(msgspec.Struct, frozen=True, kw_only=True):
    """`status` 0: what came was no HTTP. `certificate` is DER, as the server showed it; b"" without TLS."""

    status: int
    content: bytes
    """What came after the status line: headers and body, perhaps in chunks."""
    certificate: bytes = b""


async def _open(
    host: str, port: int, tls: ssl.SSLContext | None, family: socket.AddressFamily
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """By the first address of `host` that takes the connection. Raises OSError."""
    error: OSError | None = None
    name = host if tls is not None else None
    for row in await Resolver().resolve(host, port, family):
        try:
            return await asyncio.open_connection(row["host"], port, ssl=tls, server_hostname=name, limit=_MOST)
        except OSError as failed:
            error = failed
    raise error or OSError("the name has no address")


async def get(
    host: str, port: int, path: str, *, tls: ssl.SSLContext | None, enough: bytes = b"", only_ipv4: bool = False
) -> ProbeResponse:
    """Ask `host` (ASCII) for `path`; with `tls` the server has to be `host`. The caller keeps the time.

    Reads to the end, or until `enough` has come: not every server closes when it is asked to. Raises OSError
    (ssl.SSLError and socket.gaierror among them).
    """
    # Not through core/net/client, and never through a proxy: it looks at the certificate that was shown, at an answer
    # that may be no HTTP, and comes over IPv4 from the network as Twitch does; to ourselves, so nothing is guarded.
    family = socket.AF_INET if only_ipv4 else socket.AF_UNSPEC
    reader, writer = await _open(host, port, tls, family)
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


EVERY = 900.0
SECONDS = 10.0
KIND = "itsjustintv"


class Reached(StrEnum):
    YES = "yes"
    NOT_FOUND = "not_found"
    """The name has no address that Twitch could use (it uses IPv4)."""
    NO_ANSWER = "no_answer"
    CERTIFICATE = "certificate"
    """Who answers has a certificate that cannot be trusted."""
    REDIRECT = "redirect"
    OTHER = "other"
    """Somebody answered, with something else than what we published."""


class Probed(msgspec.Struct, frozen=True, kw_only=True):
    """`detail` says why in words, without the address. Times are Unix seconds."""

    at: float
    host: str
    reached: Reached
    detail: str = ""
    status: int = 0
    certificate_until: float | None = None
    """When the certificate that was shown ends; None without TLS, or where it was refused."""


class Probe:
    """Remembers its last outcome for the address it was made for. `context` gives the TLS context to verify with."""

    def __init__(
        self, clock: Clock, well_known: WellKnownTokens, context: Callable[[], Awaitable[ssl.SSLContext]]
    ) -> None:
        self._clock = clock
        self._well_known = well_known
        self._context = context
        self._lock = asyncio.Lock()
        self._last: tuple[str, float, Probed] | None = None

    async def ask(self, callback: str) -> Probed:
        """What came of asking at the host of `callback`: now, or within the last fifteen minutes."""
        async with self._lock:
            now = self._clock.monotonic()
            if self._last is not None and self._last[0] == callback and now - self._last[1] < EVERY:
                return self._last[2]
            found = await self._ask(callback)
            self._last = (callback, now, found)
        _log.debug("asked for ourselves from outside", reached=found.reached.value, reason=found.detail)
        return found

    async def _ask(self, callback: str) -> Probed:
        parts = urlsplit(callback)
        host = _ascii(parts.hostname or "")
        plain = parts.scheme != "https"
        at = self._clock.now()
        if not host:
            return Probed(
                at=at, host=parts.hostname or "", reached=Reached.NOT_FOUND, detail="it is no valid host name"
            )
        if plain and not is_loopback(host):
            return Probed(at=at, host=host, reached=Reached.OTHER, detail="the address is no https address")
        nonce, body = secrets.token_urlsafe(24), secrets.token_urlsafe(24).encode()
        self._well_known.publish(KIND, nonce, body)
        try:
            async with asyncio.timeout(SECONDS):
                answer = await get(
                    host,
                    parts.port or (80 if plain else 443),
                    f"/.well-known/{KIND}/{nonce}",
                    tls=None if plain else await self._context(),
                    enough=body,
                    only_ipv4=True,
                )
        except OSError as error:
            return Probed(at=at, host=host, reached=_why(error), detail=network_sentence(error))
        until = await asyncio.to_thread(_ends, answer.certificate) if answer.certificate else None
        reached, detail = _judge(answer, body)
        return Probed(at=at, host=host, reached=reached, detail=detail, status=answer.status, certificate_until=until)


def _ascii(host: str) -> str:
    """A name as the network spells it (RFC 3490); "" for one that cannot be spelt so."""
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return ""


def _why(error: OSError) -> Reached:
    if isinstance(error, ssl.SSLCertVerificationError):
        return Reached.CERTIFICATE
    return Reached.NOT_FOUND if isinstance(error, socket.gaierror) else Reached.NO_ANSWER


def _judge(answer: ProbeResponse, body: bytes) -> tuple[Reached, str]:
    if answer.status == 200 and body in answer.content:
        return Reached.YES, ""
    if 300 <= answer.status < 400:
        return Reached.REDIRECT, f"it answers with a redirect ({answer.status})"
    said = f"with {answer.status}" if answer.status else "with something that is no HTTP"
    return Reached.OTHER, f"it answers {said}, and not with what this program put there"


def _ends(certificate: bytes) -> float:
    """notAfter of a certificate in DER, Unix seconds. Blocks: its library is only loaded here."""
    from cryptography import x509

    return x509.load_der_x509_certificate(certificate).not_valid_after_utc.timestamp()
