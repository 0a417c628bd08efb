"""The listener's side of TLS: certificates are swapped under open connections, and challenges answered beside them.

One outer context is what the listener holds for good. Each handshake is handed, by the SNI callback, to an inner
context made for one certificate; a swap is an assignment, so it never breaks a connection nor fails half-way. The
ClientHello is read just far enough to see the application protocols it offers (RFC 8446 4.1.2, RFC 7301 3.1).
"""

from __future__ import annotations

import asyncio
import os
import ssl
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from itsjustintv_desktop.engine.core.errors import CertificateError
from itsjustintv_desktop.engine.core.net.errors import network_sentence
from itsjustintv_desktop.engine.ingress.acme.store import Pair, challenge_pair, self_signed

_log = structlog.get_logger(__name__)

ACME_PROTOCOL = "acme-tls/1"
"""The ALPN name by which a validator asks for the challenge certificate (RFC 8737 6.2)."""


_Ssl = ssl.SSLObject | ssl.SSLSocket
CLIENT_HELLO = 1
"""HandshakeType.client_hello."""
_ALPN = 16
_RANDOM = 2 + 32
"""The version and the random come first."""
_SECONDS = 10.0
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - these are looked up, nothing is bound


class SniServer:
    """`context` is for the listener and never changes; which certificate it shows does."""

    def __init__(self, *, can_look: bool = hasattr(ssl.SSLContext, "_msg_callback")) -> None:
        """`can_look`: whether this Python lets us see a ClientHello. Makes a key (about a millisecond)."""
        self._can_look = can_look
        self._challenges: dict[str, ssl.SSLContext] = {}
        self._validator: weakref.ref[_Ssl] | None = None
        """Who has just asked for the challenge certificate, in the handshake that is being handled."""
        self._serving = server_context(self_signed(["itsjustintv.invalid"]))
        self.context = server_context(None)
        self.context.sni_callback = self._choose

    async def use(self, pair: Pair) -> None:
        """Show this certificate from the next handshake on."""
        self._serving = await asyncio.to_thread(server_context, pair)

    async def show(self, domain: str, key_authorization: str) -> None:
        """Answer a validator of `domain` (tls-alpn-01) until `clear`."""
        pair = await asyncio.to_thread(challenge_pair, domain, key_authorization)
        self._challenges[domain] = await asyncio.to_thread(server_context, pair, ACME_PROTOCOL)
        self._look(True)

    def clear(self) -> None:
        """The challenges are over: handshakes cost nothing extra again."""
        self._challenges.clear()
        self._look(False)

    def _look(self, wanted: bool) -> None:
        # Python's ssl cannot choose a certificate by ALPN. Its hook for debugging shows the ClientHello before the
        # SNI callback runs; it is set only while a challenge is open, and without it everybody who asks for that
        # name gets the challenge certificate for those seconds.
        if self._can_look:
            self.context._msg_callback = self._seen if wanted else None  # type: ignore[attr-defined] # noqa: SLF001

    def _seen(self, connection: _Ssl, direction: str, _version: object, _kind: object, message: object, data: bytes,
              /) -> None:  # fmt: skip
        if direction == "read" and message == CLIENT_HELLO:
            asks = ACME_PROTOCOL.encode() in offered_protocols(data)
            self._validator = weakref.ref(connection) if asks else None

    def _choose(self, connection: _Ssl, name: str | None, _: ssl.SSLContext) -> int | None:
        validator, self._validator = self._validator, None
        chosen = self._serving
        if self._challenges:
            challenge = self._challenges.get((name or "").lower())
            asks = validator is not None and validator() is connection
            if asks and challenge is None:
                return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
            if challenge is not None and (asks or not self._can_look):
                chosen = challenge
        connection.context = chosen
        return None


def server_context(pair: Pair | None, *protocols: str) -> ssl.SSLContext:
    """TLS 1.2 or newer with this certificate; the protocol is HTTP/1.1 unless told otherwise. Blocks."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(list(protocols) or ["http/1.1"])
    if pair is not None:
        with _as_file(pair.key_pem + b"\n" + pair.chain_pem) as path:
            context.load_cert_chain(path)
    return context


@contextmanager
def _as_file(content: bytes) -> Iterator[str]:
    """Python's ssl reads keys from files only: one in memory where the system has such, else a private one."""
    if hasattr(os, "memfd_create"):
        handle = os.memfd_create("pem", os.MFD_CLOEXEC)
        try:
            os.write(handle, content)
            yield f"/proc/self/fd/{handle}"
        finally:
            os.close(handle)
        return
    handle, name = tempfile.mkstemp(prefix="itsjustintv.")  # 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        yield name
    finally:
        Path(name).unlink(missing_ok=True)


def offered_protocols(message: bytes) -> tuple[bytes, ...]:
    """The ALPN names in a ClientHello (its 4 bytes of handshake header included). Empty for none, or for rubbish."""
    reader = _Reader(message[4:])
    try:
        reader.take(_RANDOM)
        reader.field(1)  # the session's id
        reader.field(2)  # cipher suites
        reader.field(1)  # compression methods
        extensions = _Reader(reader.field(2))
        while extensions.left:
            kind, content = int.from_bytes(extensions.take(2)), extensions.field(2)
            if kind == _ALPN:
                return tuple(_names(content))
    except ValueError:
        return ()
    return ()


def _names(content: bytes) -> list[bytes]:
    names = _Reader(_Reader(content).field(2))
    found = []
    while names.left:
        found.append(names.field(1))
    return found


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        if count > self.left:
            raise ValueError("it ends too early")
        self._at += count
        return self._data[self._at - count : self._at]

    def field(self, width: int) -> bytes:
        """What follows a length of `width` bytes."""
        return self.take(int.from_bytes(self.take(width)))


async def check_serving(pair: Pair, address: tuple[str, int]) -> None:
    """Shake hands with the listener under every name of the certificate, verified up to the authority's issuer.

    Raises CertificateError of kind "not_serving".
    """
    host, port = _ANY.get(address[0], address[0]), address[1]
    context = await asyncio.to_thread(_context, pair)
    for name in pair.names:
        try:
            async with asyncio.timeout(_SECONDS):
                _, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=name)
                shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
                writer.transport.abort()  # nothing was asked, so there is nothing to say goodbye to
        except OSError as error:
            raise _trouble(name, host, port, network_sentence(error)) from error
        if shown != pair.leaf:
            raise _trouble(name, host, port, "it shows another certificate")


def _context(pair: Pair) -> ssl.SSLContext:
    """Trusts only who signed this certificate: the authority's root may be one that this machine does not know."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=pair.anchors.decode("ascii"))
    return context


def _trouble(name: str, host: str, port: int, why: str) -> CertificateError:
    return CertificateError(f"{host} port {port} does not serve {name}: {why}", kind="not_serving", domain=name)
