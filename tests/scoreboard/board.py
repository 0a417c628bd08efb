"""The board itself: adds up what tests told, and shows it as a table and as Markdown."""

from __future__ import annotations

import os
import platform
import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

COUNTERS = ("bad_inputs", "kills", "acknowledged", "lost", "doubled", "repeats")
"""Names for record_property. `repeats`: POSTs accepted again with the same webhook-id, which receivers can tell."""
LEAST = {"faults": 40, "bad_inputs": 150, "kills": 200}
COMMAND = "make scoreboard"
BEGIN, END = "<!-- scoreboard: written by `make scoreboard` -->", "<!-- /scoreboard -->"


@dataclass(slots=True)
class Fault:
    """One line of what must be survived."""

    line: str
    seen: str
    tests: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    """Those that failed or were skipped: it is not proven then."""

    @property
    def survived(self) -> bool:
        return bool(self.tests) and not self.failed


@dataclass(slots=True)
class Board:
    faults: dict[str, Fault] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def add(self, test: str, outcome: str, properties: Iterable[tuple[str, object]]) -> None:
        """One test that ended: `outcome` passed, failed or skipped."""
        if outcome == "failed":
            self.failed.append(test)
        elif outcome == "skipped":
            self.skipped.append(test)
        for name, value in properties:
            if name == "fault" and isinstance(value, list | tuple):
                line, seen = map(str, value)
                fault = self.faults.setdefault(line, Fault(line, seen))
                fault.tests.add(test)
                if outcome != "passed":
                    fault.failed.add(test)
            elif name in COUNTERS and isinstance(value, int):
                self.counts[name] += value

    @property
    def survived(self) -> int:
        return sum(fault.survived for fault in self.faults.values())

    def problems(self) -> list[str]:
        """Why the run is no success; empty: it is one."""
        found = {"faults": self.survived, **self.counts}
        few = [f"only {found.get(name, 0)} {name}, {least} are wanted" for name, least in LEAST.items()]
        return [
            *(f"failed: {test}" for test in self.failed),
            *(f"{self.counts[name]} {name}" for name in ("lost", "doubled") if self.counts[name]),
            *(text for text, (name, least) in zip(few, LEAST.items(), strict=True) if found.get(name, 0) < least),
        ]

    def rows(self) -> list[tuple[str, str]]:
        counts = self.counts
        return [
            ("faults survived", f"{self.survived} of {len(self.faults)}"),
            ("bad inputs refused", f"{counts['bad_inputs']:,}"),
            ("kills (SIGKILL)", f"{counts['kills']:,}"),
            ("events acknowledged", f"{counts['acknowledged']:,}"),
            ("lost", f"{counts['lost']:,}"),
            ("doubled", f"{counts['doubled']:,}"),
            ("repeats with the same webhook-id", f"{counts['repeats']:,}"),
        ]

    def table(self) -> str:
        """For a terminal."""
        width = max(len(name) for name, _ in self.rows())
        return "\n".join(f"{name.ljust(width)}  {value:>12}" for name, value in self.rows())

    def markdown(self) -> str:
        """Totals, and every fault with what is seen of it, by group."""
        lines = [f"Made by `{COMMAND}` on {machine()}.", "", "| | |", "|---|---|"]
        lines += [f"| {name} | {value} |" for name, value in self.rows()]
        groups: dict[str, list[Fault]] = {}
        for line, fault in sorted(self.faults.items()):
            group, colon, _ = line.partition(": ")
            groups.setdefault(group if colon else "other", []).append(fault)
        for group, faults in groups.items():
            lines += ["", f"### {group[:1].upper()}{group[1:]}", "", "| what goes wrong | what you see |", "|---|---|"]
            for fault in faults:
                what = fault.line.removeprefix(f"{group}: ")
                state = "" if fault.survived else " **(not proven in this run)**"
                lines.append(f"| {_cell(what)}{state} | {_cell(fault.seen)} |")
        return "\n".join(lines)


def machine() -> str:
    """What it ran on, without names and dates."""
    return (
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"{platform.python_implementation()} {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    )


def write(page: Path, text: str) -> None:
    """Put the text between the two marks of the page. Raises ValueError if they are not there."""
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page} has no place for the scoreboard: {BEGIN} ... {END}")
    page.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")
