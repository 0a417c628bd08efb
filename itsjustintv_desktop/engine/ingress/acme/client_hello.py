"""Reading a TLS ClientHello just far enough to see which application protocols it offers.

Source: RFC 8446 4.1.2 (ClientHello), RFC 7301 3.1 (ALPN).
"""

from __future__ import annotations

CLIENT_HELLO = 1
"""HandshakeType.client_hello."""

_ALPN = 16
_RANDOM = 2 + 32
"""The version and the random come first."""


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
