"""The 204 that Twitch hears, the hottest answer of all: written in one piece, without building a response."""

from __future__ import annotations

import time
from email.utils import formatdate

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import HttpVersion11


class NoContent(web.StreamResponse):
    """One for all requests that `suits`: it keeps nothing of them."""

    def __init__(self, server: str) -> None:
        """`server` is the Server header's value."""
        super().__init__(status=204)
        self._server = server
        self._second = 0
        self._bytes = b""

    @staticmethod
    def suits(request: web.BaseRequest) -> bool:
        """Other requests need a Connection header in the answer."""
        return request.version == HttpVersion11 and request.keep_alive

    @property
    def keep_alive(self) -> bool:
        return True

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Write the answer. Raises ConnectionResetError when nobody is there any more."""
        transport = request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the connection is gone")
        second = int(time.time())
        if second != self._second:
            self._second = second
            date = formatdate(second, usegmt=True)
            self._bytes = f"HTTP/1.1 204 No Content\r\nServer: {self._server}\r\nDate: {date}\r\n\r\n".encode()
        transport.write(self._bytes)
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Everything was written."""
