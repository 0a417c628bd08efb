"""Shapes that Twitch's answers share, and ways not to answer at all."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import os
import struct
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from socket import SO_LINGER, SOL_SOCKET
from typing import Any, TypeVar

from aiohttp import web

T = TypeVar("T")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class RefusedError(Exception):
    """A request that Twitch refuses with a status and a message."""

    def __init__(self, status: int, message: str, **details: str) -> None:
        """`details` are further fields of the response, such as the `id` of a 409."""
        super().__init__(message)
        self.status = status
        self.message = message
        self.details = details


def body(data: object) -> bytes:
    """Compact JSON in UTF-8, as Twitch writes it."""
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode()


def answer(data: object, status: int = 200) -> web.Response:
    return web.Response(body=body(data), status=status, content_type="application/json", charset="utf-8")


def problem(
    status: int, message: str, headers: Mapping[str, str] | None = None, details: Mapping[str, str] | None = None
) -> web.Response:
    """Helix' error: `{"error": "Unauthorized", "status": 401, "message": "..."}` and whatever `details` add."""
    said = {"error": HTTPStatus(status).phrase, "status": status, "message": message, **(details or {})}
    response = answer(said, status)
    response.headers.update(headers or {})
    return response


async def read_object(request: web.Request) -> dict[str, Any]:
    """The JSON object of a request's body. Raises RefusedError 400."""
    try:
        given = json.loads(await request.read())
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise RefusedError(400, "The request body is not a JSON object.")
    return given


def cursor(offset: int) -> str:
    return base64.b64encode(f'{{"o":{offset}}}'.encode()).decode()


def offset_of(given: str) -> int:
    """Raises RefusedError for a cursor this simulator never gave out."""
    try:
        offset = json.loads(base64.b64decode(given, validate=True))["o"]
    except (binascii.Error, ValueError, KeyError, TypeError):
        offset = None
    if not isinstance(offset, int) or offset < 0:
        raise RefusedError(400, "The pagination cursor is not valid.")
    return offset


def page(items: Sequence[T], size: int, after: str | None, before: str | None = None) -> tuple[list[T], Any]:
    """One page and its `pagination` object (empty on the last page)."""
    if before:
        end = offset_of(before)
        start = max(end - size, 0)
        return list(items[start:end]), {"cursor": cursor(start)} if start else {}
    start = offset_of(after) if after else 0
    end = start + size
    return list(items[start:end]), {"cursor": cursor(end)} if end < len(items) else {}


def reset_connection(request: web.Request) -> web.Response:
    """Cut the connection with a TCP reset. The response given back never leaves."""
    transport = request.transport
    if transport is not None:
        connection = transport.get_extra_info("socket")
        if connection is not None:
            layout = "hh" if os.name == "nt" else "ii"
            connection.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack(layout, 1, 0))
        transport.abort()
    return web.Response()


async def hang(stopping: asyncio.Event) -> web.Response:
    """No answer until the simulator stops (or the client leaves, which cancels the handler)."""
    await stopping.wait()
    return web.Response(status=503)
