"""Ours without what follows the answer: the public port, the judge, the intake and the ledger on disk."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from benchmarks.messages import SECRET
from itsjustintv_desktop.engine.core.clock import SystemClock
from itsjustintv_desktop.engine.ingress.eventsub_verifier import EventSubVerifier
from itsjustintv_desktop.engine.ingress.intake import EventIntake
from itsjustintv_desktop.engine.ingress.public import PublicServer
from itsjustintv_desktop.engine.ingress.wellknown import WellKnownTokens
from itsjustintv_desktop.engine.storage.ledger import Ledger


async def main(path: Path) -> None:
    clock = SystemClock()
    ledger = Ledger(path, clock)
    await ledger.open()
    intake = EventIntake(ledger, clock)
    judge = EventSubVerifier(lambda: (SECRET.encode(),), clock, lambda: 0.0)
    public = PublicServer(judge, intake, well_known=WellKnownTokens(clock), healthy=lambda: True, clock=clock)
    host, port = await public.start("127.0.0.1", 0)
    print(f"ready http://{host}:{port}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
