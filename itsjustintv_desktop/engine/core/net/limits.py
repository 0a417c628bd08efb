"""Answers of strangers are read up to a size, and no further."""

from __future__ import annotations

from typing import Final, TypedDict

import aiohttp


class _Heads(TypedDict):
    max_line_size: int
    max_field_size: int
    max_headers: int


HEADS: Final[_Heads] = {"max_line_size": 64 * 1024, "max_field_size": 64 * 1024, "max_headers": 1000}
"""How long the headers of an answer may be, for a ClientSession: aiohttp's own 8 kB are less than some servers send."""


async def read_at_most(answer: aiohttp.ClientResponse, size: int) -> bytes:
    """The body, cut off at `size` bytes: ask for one more than is wanted, and one that was cut is told.

    Raises what aiohttp raises.
    """
    content = bytearray()
    async for part in answer.content.iter_any():
        content += part
        if len(content) >= size:
            answer.close()
            break
    return bytes(content[:size])
