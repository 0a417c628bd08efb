"""A look from outside: once the month's allowance is spent, the agent stays online and knows nothing of it.

ngrok's side then answers in our place and names the code in a header (seen as `Ngrok-Error-Code: ERR_NGROK_725`).
"""

from __future__ import annotations

import ssl
from typing import Final, Protocol

import aiohttp

from itsjustintv_desktop import __version__
from itsjustintv_desktop.engine.core.net.limits import read_at_most
from itsjustintv_desktop.engine.ingress.ngrok import faults

_TIMEOUT: Final = aiohttp.ClientTimeout(total=10.0)
_PATH: Final = "/health"
_LARGEST: Final = 16 * 1024
_HEADERS: Final = {
    "User-Agent": f"itsjustintv-desktop/{__version__}",
    "Ngrok-Skip-Browser-Warning": "1",
}


class Trusting(Protocol):
    """What gives the TLS context: engine/core/net/trust.py."""

    async def context(self) -> ssl.SSLContext: ...


async def look(address: str, trust: Trusting) -> str | None:
    """Ask for our own health at the public `address` (https://host).

    What ngrok's side says instead of us, "" if it let us answer, None if nobody could be reached (which proves nothing:
    this machine may be offline).
    """
    context = await trust.context()
    try:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT, headers=_HEADERS, trust_env=True) as session,
            session.get(address + _PATH, ssl=context, allow_redirects=False) as answer,
        ):
            code = answer.headers.get("Ngrok-Error-Code", "")
            if not code and answer.status >= 400:
                body = (await read_at_most(answer, _LARGEST)).decode(errors="replace")
                code = body if faults.code_of(body) else ""
            return code
    except (aiohttp.ClientError, TimeoutError, OSError):
        return None
