"""A look from outside: once the month's allowance is spent, the agent stays online and knows nothing of it.

ngrok's side then answers in our place and names the code in a header (seen as `Ngrok-Error-Code: ERR_NGROK_725`).
"""

from __future__ import annotations

import asyncio
from typing import Final

from itsjustintv_desktop.engine.core.net.client import USER_AGENT, Options, Outbound
from itsjustintv_desktop.engine.core.net.errors import REQUEST_ERRORS
from itsjustintv_desktop.engine.core.net.limits import read_at_most
from itsjustintv_desktop.engine.ingress.ngrok import messages

_SECONDS: Final = 10.0
_PATH: Final = "/health"
_LARGEST: Final = 16 * 1024
_HEADERS: Final = {
    "User-Agent": USER_AGENT,
    "Ngrok-Skip-Browser-Warning": "1",
}


async def look(address: str, outbound: Outbound) -> str | None:
    """Ask for our own health at the public `address` (https://host).

    What ngrok's side says instead of us, "" if it let us answer, None if nobody could be reached (which proves nothing:
    this machine may be offline).
    """
    client = outbound.client(Options(headers=_HEADERS))
    try:
        async with asyncio.timeout(_SECONDS), client, client.stream("GET", address + _PATH) as answer:
            code: str = answer.headers.get("Ngrok-Error-Code", "")
            if not code and answer.status_code >= 400:
                body = (await read_at_most(answer, _LARGEST)).decode(errors="replace")
                code = body if messages.code_of(body) else ""
            return code
    except REQUEST_ERRORS:
        return None
