"""Pausing as commands and the control port ask for it."""

from __future__ import annotations

from typing import Protocol

import msgspec

from itsjustintv_desktop.engine.announce.pause import PauseView


class Paused(msgspec.Struct, frozen=True):
    """What the control port answers; None while announcements are made."""

    paused: PauseView | None


class PauseActions(Protocol):
    """Raises AppError: NotFoundError, UsageError, LedgerError, ControlError."""

    async def paused(self) -> PauseView | None:
        """How announcements are paused; None while they are made."""
        ...

    async def pause(self, until: float | None) -> PauseView | None:
        """Announce nothing until then (Unix seconds), or until resumed. A pause that runs gets the new end."""
        ...

    async def resume(self) -> None:
        """Announce again. Harmless while nothing is paused."""
        ...

    async def pause_destination(self, name: str, reason: str = "") -> None:
        """Send nothing there until resumed."""
        ...

    async def resume_destination(self, name: str) -> None:
        """Send again, whatever stood against it."""
        ...
