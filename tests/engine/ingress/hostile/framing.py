"""Hostile HTTP: framing that two servers could read in two ways, other protocols, targets that are not ours.

Sources: RFC 9112 (HTTP/1.1 message syntax), sections 2.2, 3, 5.1, 6.1 to 6.3 and 7.1; RFC 9110, section 7.2.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.engine.ingress.hostile.table import CLOSED, Cases, cases, fixed
from tests.support import rawhttp, signed

_REFUSED = {400, 413, CLOSED}


def _framed(*lines: bytes, body: bytes | None = None) -> Callable[[float], bytes]:
    """A rightly signed message whose framing is these header lines; a second one hides behind it."""

    def make(now: float) -> bytes:
        message, hidden = signed.online(now), signed.online(now)
        head = rawhttp.request("POST", "/twitch", message.headers(), length=False)[:-2]
        coded = rawhttp.chunked(message.body) if body is None else body
        return head + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + coded + hidden.request()

    return make


_CHUNKED = b"Transfer-Encoding: chunked"

FRAMING: Cases = cases(
    _REFUSED,
    {
        "a length before chunks": _framed(b"Content-Length: 4", _CHUNKED),
        "chunks before a length": _framed(_CHUNKED, b"Content-Length: 4"),
        "chunks in capitals and a length": _framed(b"TRANSFER-ENCODING: CHUNKED", b"Content-Length: 0"),
        "chunked twice": _framed(b"Transfer-Encoding: chunked, chunked"),
        "two codings": _framed(_CHUNKED, b"Transfer-Encoding: identity"),
        "an unknown coding": _framed(b"Transfer-Encoding: xchunked"),
        "chunked not last": _framed(b"Transfer-Encoding: chunked, gzip"),
        "a tab in the coding": _framed(b"Transfer-Encoding: chun\tked"),
        "a vertical tab in the coding": _framed(b"Transfer-Encoding: \x0bchunked"),
        "a coding in quotes": _framed(b'Transfer-Encoding: "chunked"'),
        "a blank before the colon": _framed(b"Transfer-Encoding : chunked"),
        "a folded coding": _framed(b"Transfer-Encoding:\r\n chunked"),
        "a plus in the length": _framed(b"Content-Length: +5"),
        "a negative length": _framed(b"Content-Length: -0"),
        "a hexadecimal length": _framed(b"Content-Length: 0x10"),
        "a length with a point": _framed(b"Content-Length: 5.0"),
        "a list of lengths": _framed(b"Content-Length: 5, 6"),
        "a blank in the length": _framed(b"Content-Length: 5 6"),
        "an underscore in the length": _framed(b"Content-Length: 1_0"),
        "no length": _framed(b"Content-Length:"),
        "Arabic digits for a length": _framed("Content-Length: \u0665".encode()),
        "two lengths": _framed(b"Content-Length: 5", b"content-length: 6"),
        "a length of 2^64": _framed(b"Content-Length: 18446744073709551617"),
        "a negative chunk": _framed(_CHUNKED, body=b"-1\r\n"),
        "a chunk of 2^64": _framed(_CHUNKED, body=b"10000000000000001\r\n"),
        "a chunk of 0x": _framed(_CHUNKED, body=b"0x5\r\nhello\r\n0\r\n\r\n"),
        "a chunk with an underscore": _framed(_CHUNKED, body=b"1_0\r\n" + b"x" * 16 + b"\r\n0\r\n\r\n"),
        "a chunk longer than said": _framed(_CHUNKED, body=b"3\r\nhello\r\n0\r\n\r\n"),
        "a chunk without a size": _framed(_CHUNKED, body=b"\r\nhello\r\n0\r\n\r\n"),
        "a bare CR behind a chunk": _framed(_CHUNKED, body=b"5\r\nhello\rx0\r\n\r\n"),
        "a NUL in a header": _framed(b"X-A: b\x00c", b"Content-Length: 0"),
        "a bare CR in a header": _framed(b"X-A: b\rContent-Length: 0"),
        "a header without a name": _framed(b": x", b"Content-Length: 0"),
        "a name with brackets": _framed(b"X(A): x", b"Content-Length: 0"),
        "a name that is not ASCII": _framed("Contént-Length: 0".encode()),
        "a header that begins with a blank": _framed(b" X-A: x", b"Content-Length: 0"),
    },
)

PROTOCOLS: Cases = fixed(
    {400, CLOSED},
    {
        "SSH": b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
        "SMTP": b"EHLO example.com\r\nMAIL FROM:<a@example.com>\r\n\r\n",
        "Redis": b"*1\r\n$4\r\nINFO\r\n\r\n",
        "memcached": b"stats\r\n\r\n",
        "SOCKS 5": b"\x05\x01\x00\r\n\r\n",
        "SMB": b"\x00\x00\x00\x54\xffSMBr\x00\x00\x00\x00\r\n\r\n",
        "remote desktop": b"\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\x00\x00\x00\r\n\r\n",
        "the PROXY protocol": b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\nGET /health HTTP/1.1\r\nHost: a\r\n\r\n",
        "the PROXY protocol, binary": b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\x7f\x00\x00\x01\x7f\x00\x00\x01",
        "SIP": b"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TCP a\r\n\r\n",
        "HTTP/1": b"GET /health HTTP/1\r\nHost: a\r\n\r\n",
        "HTTP/11": b"GET /health HTTP/11\r\nHost: a\r\n\r\n",
        "http in small letters": b"GET /health http/1.1\r\nHost: a\r\n\r\n",
        "a version with a sign": b"GET /health HTTP/+1.1\r\nHost: a\r\n\r\n",
        "a blank before the method": b" GET /health HTTP/1.1\r\nHost: a\r\n\r\n",
        "a method in brackets": b"{GET} /health HTTP/1.1\r\nHost: a\r\n\r\n",
        "an endless method": b"G" * 20_000 + b" /health HTTP/1.1\r\nHost: a\r\n\r\n",
        "a blank in the target": b"GET /hea lth HTTP/1.1\r\nHost: a\r\n\r\n",
        "a NUL in the target": b"GET /hea\x00lth HTTP/1.1\r\nHost: a\r\n\r\n",
        "an escape in the target": b"GET /hea\x1blth HTTP/1.1\r\nHost: a\r\n\r\n",
        "an answer": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "64 KiB of noughts": b"\x00" * 65_536,
        "1,000 headers": rawhttp.request(headers=[(f"X-{number}", "x") for number in range(1000)]),
        "an endless header name": rawhttp.request(headers=[("X" * 100_000, "x")]),
    },
)

TARGETS: Cases = fixed(
    {400, 404, CLOSED},
    {
        f"{method} {target}": rawhttp.request(method, target)
        for method in ("GET", "POST")
        for target in (
            "/./twitch", "/a/../twitch", "/twitch/..", "/twitch/.", "/twitch%2f", "/twitch%20", "/TWITCH", "///twitch",
            "/twitch\\", "/twitc%68", "//example.com/twitch", "http://169.254.169.254/twitch", "example.com:443",
            "/health%0d%0aSet-Cookie:a=b", "/.env", "/.git/config", "/config.toml", "/ledger.db", "/ledger.db-wal",
            "/.well-known/acme-challenge/%2e%2e/%2e%2e/etc/passwd", "/.well-known/itsjustintv/..%2f..%2fhealth",
            "/cgi-bin/a.sh?$(reboot)", "/?a=${jndi:ldap://a/b}",
        )
    },
)  # fmt: skip


def _huge(now: float, *, chunked: bool) -> bytes:
    message = signed.challenge(now, "x" * 10_000_000)
    if not chunked:
        return message.request()
    headers = [*message.headers(), ("Transfer-Encoding", "chunked")]
    return rawhttp.request("POST", "/twitch", headers, length=False) + rawhttp.chunked(message.body)


LARGE: Cases = cases(
    {413, CLOSED},
    {
        "a challenge of 10 MB": lambda now: _huge(now, chunked=False),
        "a challenge of 10 MB in chunks": lambda now: _huge(now, chunked=True),
        "an unsigned body of 1 MB": lambda now: signed.Message(at=now, body=b"x" * 1_000_000, signature="").request(),
    },
)

VERSIONS: Cases = fixed(
    {400, 404, CLOSED},
    {
        "RTSP": b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n",
        "HTTP/0.9": b"GET /nothing\r\n\r\n",
        "HTTP/2.0": b"GET /nothing HTTP/2.0\r\nHost: a\r\n\r\n",
    },
)

_POST = b"POST /twitch HTTP/1.1\r\nHost: a\r\n"
UNFINISHED: Cases = fixed(
    {400, 408, CLOSED},
    {
        "nothing": b"",
        "one letter": b"P",
        "empty lines": b"\r\n\r\n",
        "half a request line": b"POST /twi",
        "a request line": b"POST /twitch HTTP/1.1\r\n",
        "headers that do not end": _POST + b"X-A: b\r\n",
        "half a line end": _POST + b"\r",
        "a length and no body": _POST + b"Content-Length: 5\r\n\r\n",
        "all but one byte": _POST + b"Content-Length: 5\r\n\r\nhell",
        "chunks and no chunk": _POST + b"Transfer-Encoding: chunked\r\n\r\n",
        "half a chunk": _POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhe",
        "no last chunk": _POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "no end of the trailers": _POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n",
        "an end of headers that is told to wait": _POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n",
    },
)
