"""How a part of the program is, and why: what each part reports of itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    WAITING = "waiting"
    """It does not work now, and goes on by itself once something outside has changed."""
    FAILING = "failing"


@dataclass(frozen=True, slots=True)
class Status:
    """`reason` is a sentence. `since`: Unix seconds, where the part itself knows."""

    level: Level = Level.OK
    reason: str = ""
    since: float | None = None
