"""Responses of strangers are read up to a size, and no further."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, aclosing
from typing import TYPE_CHECKING, Final, TypedDict, cast

if TYPE_CHECKING:
    from itsjustintv_desktop.engine.core.net.library import httpx


class _Heads(TypedDict):
    max_line_size: int
    max_field_size: int
    max_headers: int


HEADS: Final[_Heads] = {"max_line_size": 64 * 1024, "max_field_size": 64 * 1024, "max_headers": 1000}
"""How long the headers of a response may be: aiohttp's own 8 kB are less than some servers send."""


def parts(response: httpx.Response) -> AbstractAsyncContextManager[AsyncGenerator[bytes, None]]:
    """The body as it comes, to be entered. Reading it raises RequestError."""
    return aclosing(cast("AsyncGenerator[bytes, None]", response.aiter_raw()))


async def read_at_most(response: httpx.Response, size: int) -> bytes:
    """The body, cut off at `size` bytes: ask for one more than is wanted to see whether it was cut.

    Raises RequestError.
    """
    content = bytearray()
    async with parts(response) as body:
        async for part in body:
            content += part
            if len(content) >= size:
                break
    return bytes(content[:size])
