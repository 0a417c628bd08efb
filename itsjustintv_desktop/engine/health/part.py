"""What a part says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "waiting", "failing"]


@dataclass(frozen=True, slots=True)
class Part:
    """How one part is. `since`: Unix seconds, where the part itself knows."""

    status: Status = "ok"
    reason: str = ""
    since: float | None = None
