"""Answers of strangers are read up to a size, and no further."""

from __future__ import annotations

import aiohttp


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
