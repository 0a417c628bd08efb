"""Plain tables with a target and a verdict for each figure that has one."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What a figure must come to, in the unit it is shown in."""

    what: str
    measured: float
    limit: float
    at_least: bool = False
    unit: str = ""
    digits: int = 1

    @property
    def met(self) -> bool:
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit


def heading(text: str) -> None:
    print(f"\n{text}\n{'-' * len(text)}", flush=True)


def say(text: str) -> None:
    print(text, flush=True)


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """The first column to the left, numbers to the right."""
    cells = [[str(cell) for cell in row] for row in (columns, *rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(columns))]
    for row in cells:
        parts = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        print("  ".join(parts).rstrip())
    print(flush=True)


def verdicts(targets: Sequence[Target]) -> None:
    table(
        ("target", "measured", "wanted", ""),
        [
            (
                each.what,
                f"{each.measured:.{each.digits}f}{each.unit}",
                f"{'>=' if each.at_least else '<='} {each.limit:g}{each.unit}",
                "met" if each.met else "MISSED",
            )
            for each in targets
        ],
    )
