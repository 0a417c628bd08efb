"""`make soak`, or `python -m tests.soak --minutes 60 --rate 20 --seed 1`. Exits with 1 if the verdict fails."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tests.soak.report import table
from tests.soak.soak import Plan, run


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=20.0, help="messages a second")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--streamers", type=int, default=300)
    parser.add_argument("--kills", type=int, default=0, help="kill -9 so often; memory is not judged then")
    parser.add_argument("--config-edits", action="store_true", help="edit and break the config meanwhile")
    parser.add_argument("--json", type=Path, default=Path("build/soak.json"), help="where all figures go")
    parser.add_argument("--keep", type=Path, help="leave ledger and log in this new folder")
    chosen = parser.parse_args(arguments)
    plan = Plan(
        seconds=chosen.minutes * 60,
        rate=chosen.rate,
        seed=chosen.seed,
        streamers=chosen.streamers,
        kills=chosen.kills,
        config_edits=chosen.config_edits,
    )
    print(f"soak: {plan}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        place = chosen.keep or Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        result = asyncio.run(run(place, plan, lambda line: print(line, flush=True)))
    chosen.json.parent.mkdir(parents=True, exist_ok=True)
    chosen.json.write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=1))
    print(f"\n{table(result)}\n\nall figures: {chosen.json}")
    for failure in result.failures:
        print(f"FAILED  {failure}")
    return 1 if result.failures else 0


if __name__ == "__main__":
    sys.exit(main())
