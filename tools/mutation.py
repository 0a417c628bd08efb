"""How much of the core do its tests hold? `make mutation MUTATION_ARGS="--sample 20 --seed 1 MODULE..."`.

Changes the code in many small ways, one at a time (cosmic-ray), in a copy of the last commit, and runs the tests that
belong to the module. A change that no test notices is printed: either a test is missing, or it makes no difference.
The sample is the same for the same seed and the same code. Not part of CI: it takes a quarter of an hour or more.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

from cosmic_ray.commands import execute, init
from cosmic_ray.config import ConfigDict
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import MutationSpec, WorkItem, WorkResult

ROOT = Path(__file__).resolve().parent.parent
ENGINE = "itsjustintv_desktop/engine"
CORE = {
    "announce/suppression.py": "announce/test_suppression.py announce/test_pipeline.py",
    "announce/broadcast_continuity.py": (
        "announce/test_broadcast_continuity_bounds.py announce/test_broadcast_continuity.py"
    ),
    "config/document.py": "config/test_document.py config/test_document_layouts.py",
    "config/durations.py": "config/test_durations.py",
    "config/environment.py": "config/test_environment.py",
    "config/save.py": "config/test_save.py api/settings/test_repair.py",
    "config/sections.py": "config/test_document.py config/test_document_layouts.py",
    "delivery/responses.py": "delivery/test_responses.py",
    "delivery/breaker.py": "delivery/test_breaker.py",
    "delivery/destination_queues.py": "delivery/test_destination_queues.py delivery/test_dispatcher_lanes.py",
    "delivery/rate_limits.py": "delivery/test_rate_limits.py",
    "delivery/schedule.py": "delivery/test_schedule.py",
    "delivery/attempt.py": "delivery/test_attempt.py delivery/test_messages.py",
    "redaction/redactor.py": "redaction",
    "storage/ledger/accepting.py": "storage/ledger/test_accept.py storage/ledger/test_statements.py",
    "storage/ledger/announcing.py": "storage/ledger/test_once.py storage/ledger/test_statements.py",
    "storage/ledger/claiming.py": "storage/ledger/test_claim.py storage/ledger/test_machine.py",
    "twitch/eventsub_messages.py": "twitch/test_eventsub_messages.py twitch/test_eventsub_signature.py ingress",
    "core/clock.py": "core/test_clock.py",
}
"""Modules below engine/ and the tests below tests/engine/ that belong to each."""
SECONDS = 60.0
"""How long the tests of one change may take; a loop without an end counts as noticed."""


def annotation_spans(source: str) -> list[tuple[int, int]]:
    """Where type annotations begin and end: a change of one changes nothing at run time."""
    found = []
    for node in ast.walk(ast.parse(source)):
        parts: list[ast.expr | None] = []
        if isinstance(node, ast.arg | ast.AnnAssign):
            parts.append(node.annotation)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            parts.append(node.returns)
        found += [
            (_point(part.lineno, part.col_offset), _point(part.end_lineno or 0, part.end_col_offset or 0))
            for part in parts
            if part is not None
        ]
    return found


def _point(line: int, column: int) -> int:
    return line * 10_000 + column


def _order(item: WorkItem) -> tuple[tuple[int, int], str, int]:
    mutation = item.mutations[0]
    return mutation.start_pos, mutation.operator_name, mutation.occurrence


def mutants(module: str, sample: int, seed: int, config: ConfigDict, session: Path) -> int:
    """Keep a sample of what could be changed in a session; how many there are to choose from."""
    source = Path(module).read_text(encoding="utf-8")
    spans = annotation_spans(source)
    with use_db(session, WorkDB.Mode.create) as db:
        init([Path(module)], db, config.operators_config)

        def matters(mutation: MutationSpec) -> bool:
            at = _point(*mutation.start_pos)
            return not any(first <= at < last for first, last in spans)

        items: list[WorkItem] = [item for item in db.work_items if all(map(matters, item.mutations))]
        items.sort(key=_order)
        kept = random.Random(f"{seed} {module}").sample(items, min(sample, len(items)))
        db.clear()
        db.add_work_items(kept)
        execute(db, config)
    return len(items)


def survivors(session: Path) -> tuple[int, list[tuple[WorkItem, WorkResult]]]:
    """How many were tried, and those that no test noticed."""
    with use_db(session, WorkDB.Mode.open) as db:
        done = list(db.completed_work_items)
    return len(done), [(item, result) for item, result in done if not result.is_killed]


def main(words: list[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="make mutation", description=__doc__)
    parser.add_argument("modules", nargs="*", help=f"below {ENGINE}; all of the core unless named")
    parser.add_argument("--sample", type=int, default=15, help="changes tried in each module (15)")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(words)
    python = ROOT / ".venv" / "bin" / "python"
    tree = ROOT / "build" / "mutation"
    shutil.rmtree(tree, ignore_errors=True)
    subprocess.run(["git", "clone", "-q", str(ROOT), str(tree)], check=True)
    os.chdir(tree)  # cosmic-ray changes the files where it stands
    tried_all = survived_all = 0
    for module in chosen.modules or CORE:
        began = time.monotonic()
        tests = " ".join(f"tests/engine/{name}" for name in CORE[module].split())
        command = f"{python} -m pytest -x -q -n 0 -p no:cacheprovider {tests}"
        if subprocess.run(command.split(), check=False, capture_output=True).returncode != 0:
            print(f"{module}: its tests fail as it is")
            return 1
        config = ConfigDict({"timeout": SECONDS, "test-command": command, "distributor": {"name": "local"}})
        session = tree / "build" / f"{module.replace('/', '-')}.sqlite"
        session.parent.mkdir(exist_ok=True)
        of = mutants(f"{ENGINE}/{module}", chosen.sample, chosen.seed, config, session)
        tried, alive = survivors(session)
        tried_all, survived_all = tried_all + tried, survived_all + len(alive)
        seconds = time.monotonic() - began
        print(f"{module}: {tried - len(alive)} of {tried} noticed, out of {of} ({seconds:.0f} s)", flush=True)
        for item, result in alive:
            mutation = item.mutations[0]
            print(f"  line {mutation.start_pos[0]}, {mutation.operator_name}")
            for line in (result.diff or "").splitlines():
                if line[:1] in {"+", "-"} and line[:3] not in {"+++", "---"}:
                    print(f"    {line}")
    print(f"\n{tried_all - survived_all} of {tried_all} noticed: {(tried_all - survived_all) / max(tried_all, 1):.1%}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
