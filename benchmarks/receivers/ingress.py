"""Ours without what follows the answer: the public port, the judge, the source and the ledger on disk."""

from __future__ import annotations

import asyncio
import sys
from functools import partial
from pathlib import Path

from benchmarks.messages import SECRET
from itsjustintv_desktop.engine.core.clock import SystemClock
from itsjustintv_desktop.engine.ingress.eventsub_verifier import EventSubVerifier
from itsjustintv_desktop.engine.ingress.public import PublicServer
from itsjustintv_desktop.engine.ingress.source import TwitchSource
from itsjustintv_desktop.engine.ingress.wellknown import WellKnownTokens
from itsjustintv_desktop.engine.storage.ledger import Ledger


async def main(path: Path) -> None:
    clock = SystemClock()
    ledger = Ledger(path, clock)
    await ledger.open()
    source = TwitchSource()
    await source.start()
    judge = EventSubVerifier(lambda: (SECRET.encode(),), clock, lambda: 0.0)
    public = PublicServer(judge, source, well_known=WellKnownTokens(clock), healthy=lambda: True, clock=clock)
    host, port = await public.start("127.0.0.1", 0)
    print(f"ready http://{host}:{port}", flush=True)
    async for incoming in source.events():
        ledger.accept(incoming.event, partial(_settle, incoming))


def _settle(incoming: object, outcome: object) -> None:
    incoming.settle(outcome)  # type: ignore[attr-defined]


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
