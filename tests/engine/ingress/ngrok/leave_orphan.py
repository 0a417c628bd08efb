"""A program of its own that runs the way until it is killed: `leave_orphan.py FOLDER PROGRAMS TOKEN`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from itsjustintv_desktop.engine.config.schema import Config, Tunnel
from itsjustintv_desktop.engine.core.clock import SystemClock
from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.engine.ingress.ngrok import NgrokTransport
from tests.support.holding import holding


async def main(folder: str, programs: str, token: str) -> None:
    async def authtoken() -> str:
        return token

    def told() -> None:
        if way.status.code == "ready":
            print("ready", flush=True)

    way = NgrokTransport(
        SystemClock(), told, config=holding(Config(tunnel=Tunnel(provider="ngrok"))), authtoken=authtoken,
        local_address=lambda: ("127.0.0.1", 9), folder=Path(folder), environ={"PATH": programs},
    )  # fmt: skip
    Tasks().start("way", way.run())
    await asyncio.sleep(60)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
