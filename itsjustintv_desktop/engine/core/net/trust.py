"""TLS as a client: the machine's own trust store, TLS 1.2 or newer, always verified.

There is no switch to turn that off.
"""

from __future__ import annotations

import asyncio
import ssl
import sys


class Trust:
    """Builds the TLS context when the first https destination needs it, and keeps it."""

    def __init__(self) -> None:
        self._context: ssl.SSLContext | None = None
        self._lock = asyncio.Lock()

    async def context(self) -> ssl.SSLContext:
        """The one context of this program. Built in a thread: reading the trust store takes tens of milliseconds."""
        async with self._lock:
            if self._context is None:
                self._context = await asyncio.to_thread(client_context)
            return self._context


def client_context() -> ssl.SSLContext:
    """A client context that verifies against the system's trust store. Blocks on files."""
    context = _openssl_context() if sys.platform not in {"darwin", "win32"} else None
    if context is None:
        import truststore

        context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _openssl_context() -> ssl.SSLContext | None:
    """OpenSSL's own paths, which are the system's store on Linux; None where they hold nothing.

    truststore would read the same files anew for each connection, on the event loop (20 ms measured), so it is
    left to the systems whose store is not a file, and to an OpenSSL that came without one.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs()
    return context if context.cert_store_stats()["x509_ca"] else None
