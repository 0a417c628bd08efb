"""What the errors of the HTTP library and of TLS mean.

Sentences never hold an address, a path of a webhook, a header or a body: they are shown, logged and stored.
"""

from __future__ import annotations

import errno
import socket
import ssl

import aiohttp


def network_sentence(error: BaseException) -> str:
    """Why an HTTP exchange failed, as a sentence without any address in it."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
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
