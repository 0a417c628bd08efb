"""Killed at any moment, an import is completed by repeating it: nothing twice, nothing lost."""

from __future__ import annotations

import asyncio
import sys

import pytest

from itsjustintv_desktop.engine.storage.ledger import Ledger
from tests.engine.import_go.gofolder import ENVIRON, GLOBAL_URL, GoFolder, over, payload, told, waiting
from tests.support.commands import clean_environ
from tests.support.process import ROOT

QUEUED, PAST, SEEN = 120, 180, 900

_PROGRAM = """
import asyncio, os, sys
from pathlib import Path
from itsjustintv_desktop.engine.import_go.run import run_import
from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.engine.storage.ledger import importing, connection
from tests.support.clock import FakeClock

left = int(sys.argv[3])
def dying(job):
    def work(*arguments):
        global left
        left -= 1
        if left == 0:
            os._exit(9)  # in the middle of a transaction
        result = job(*arguments)
        return result
    return work
importing._take_over = dying(importing._take_over)
importing.keep_told = dying(importing.keep_told)
folder = Path(sys.argv[2])
paths = Paths(folder / "config" / "config.toml", folder / "data")
asyncio.run(run_import(Path(sys.argv[1]), paths, os.environ, FakeClock()))
"""


def fill(go: GoFolder) -> None:
    go.queue(*(waiting("bob", GLOBAL_URL, payload=payload("bob", at=-60.0 - number)) for number in range(QUEUED)))
    go.write("output.json", [over(at=-9000.0 + number) for number in range(PAST)])
    go.write("cache.json", [told("100", str(number), -60) for number in range(SEEN)])


@pytest.mark.parametrize("moment", [1, 2, 4, 60, 150, 184, 250, 302])
async def test_repeating_completes_it(go: GoFolder, moment: int) -> None:
    fill(go)
    home = go.paths.data.parent
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _PROGRAM, str(go.root), str(home), str(moment),
        cwd=ROOT, env={**clean_environ(ENVIRON), "PYTHONPATH": str(ROOT)}, stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert await asyncio.wait_for(process.wait(), 30) == 9
    moved = await go.move()
    assert moved.ok
    ledger = Ledger(go.paths.ledger, go.clock)
    await ledger.open()
    try:
        assert (await ledger.counts()).by_state == {"delivered": PAST, "pending": QUEUED}
    finally:
        await ledger.close()
    taken = {part.name: part.taken + part.already for part in moved.parts}
    assert (taken["retry_state.json"], taken["output.json"], taken["cache.json"]) == (QUEUED, PAST, SEEN)
    assert (go.paths.data / "output.json").exists()
    assert not any(part.taken for part in (await go.move()).parts)
