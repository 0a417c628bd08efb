"""How catching up is, as programs and people read it."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from itsjustintv_desktop.engine.core.status import Status


class CatchUpState(StrEnum):
    STARTING = "starting"
    OK = "ok"
    WAITING = "waiting"
    """Twitch (or the ledger) cannot be asked at the moment, or there is nobody to ask for; it mends itself."""


class CatchUpStatus(msgspec.Struct, frozen=True, kw_only=True):
    """`message` is a sentence for a person. Times are Unix seconds, None = never, or not planned."""

    state: CatchUpState
    message: str
    last_poll: float | None = None
    """When Twitch last told who is live, about all channels."""
    next_poll: float | None = None
    reason: str = ""
    """Why it was asked last: start, interval, wake, network, gap, address, config, asked; several with commas."""
    watched: int = 0
    live: int = 0
    missed: int = 0
    """Streams listed as missed since the program started."""

    def health(self) -> Status:
        return Status.of(self.state, self.message)
