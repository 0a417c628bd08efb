"""What the errors of the HTTP library and of TLS mean.

Sentences never hold an address, a path of a webhook, a header or a body: they are shown, logged and stored.
"""

from __future__ import annotations

import errno
import socket
import ssl
from typing import Final

import aiohttp

from itsjustintv_desktop.engine.core.net.address_guard import RefusedAddressError
from itsjustintv_desktop.engine.core.net.library import httpx

PROXY_PASSWORD = 407
"""Status: Proxy Authentication Required."""
_UNAUTHORIZED = 401
"""What some say instead."""


class RequestError(httpx.TransportError):
    """A request that got no complete response. Its text names no address."""

    def __init__(self, cause: Exception, *, sent: bool = False, request: httpx.Request | None = None) -> None:
        super().__init__(type(cause).__name__, request=request)
        self.cause = cause
        """What really happened; httpx has one word for a refused connection, a refused address and a lost response."""
        self.sent = sent
        """Whether any of the request may have reached the server."""

    @property
    def refused(self) -> RefusedAddressError | None:
        """Set if the address is one that is never called."""
        if isinstance(self.cause, aiohttp.ClientProxyConnectionError):
            return None  # the proxy's own
        beneath = getattr(self.cause, "os_error", self.cause)
        return beneath if isinstance(beneath, RefusedAddressError) else None

    @property
    def invalid(self) -> bool:
        """Whether it could not be sent at all: its address or a header is not valid."""
        known = isinstance(self.cause, aiohttp.ClientError | aiohttp.http_exceptions.HttpProcessingError | OSError)
        return not known or isinstance(self.cause, aiohttp.InvalidURL)


REQUEST_ERRORS: Final = (RequestError, TimeoutError)
"""What a request under a deadline raises."""


def network_sentence(error: BaseException) -> str:
    """Why an HTTP exchange failed, as a sentence without any address in it."""
    if isinstance(error, RequestError):
        error = error.cause
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, aiohttp.ClientHttpProxyError):
        if error.status in {PROXY_PASSWORD, _UNAUTHORIZED}:
            return "the proxy does not accept the user name and password"
        return f"the proxy refused the connection (status {error.status})"
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return "the proxy cannot be reached"
    if isinstance(error, aiohttp.ClientConnectorCertificateError | ssl.SSLCertVerificationError):
        cause = getattr(error, "certificate_error", error)
        detail = getattr(cause, "verify_message", "") or "it could not be verified"
        # OpenSSL names the host in "Hostname mismatch, certificate is not valid for '...'".
        return f"the server's certificate is not valid: {detail.partition(', certificate is not valid for')[0]}"
    if isinstance(error, aiohttp.ClientConnectorDNSError | socket.gaierror):
        return "the host name could not be found"
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        return "the TLS connection failed"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the server closed the connection without an answer"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "the answer broke off"
    if isinstance(error, aiohttp.ClientResponseError | aiohttp.http_exceptions.HttpProcessingError):
        return "the answer was not valid HTTP"
    number = getattr(error, "errno", None)
    if number == errno.ECONNREFUSED:
        return "the connection was refused"
    if number in {errno.ECONNRESET, errno.EPIPE}:
        return "the connection was reset"
    if number in {errno.ENETUNREACH, errno.EHOSTUNREACH}:
        return "the network cannot be reached"
    return f"the connection failed ({type(error).__name__})"
