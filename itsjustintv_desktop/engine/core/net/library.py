"""The HTTP client library, for this folder alone: what else is used for requests one day is exchanged here.

httpx would load rich and pygments for a command of its own, 4.8 MB and 35 ms (measured), so it finds no such command.
"""

from __future__ import annotations

import sys

sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

import httpx  # noqa: E402
from httpx_aiohttp import AiohttpTransport  # noqa: E402

__all__ = ["AiohttpTransport", "httpx"]
