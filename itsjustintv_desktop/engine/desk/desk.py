"""The facade: what a screen may ask of a running engine beyond `engine.wishes`.

All of it belongs on the engine's loop, takes and gives plain frozen values, and raises AppError only. What costs is
loaded when it is asked for first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from itsjustintv_desktop.engine.desk.models import PauseView, Snapshot
    from itsjustintv_desktop.engine.engine import Engine


class Desk:
    """One a running engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def snapshot(self) -> Snapshot:
        """Everything at this moment. Raises LedgerError."""
        from itsjustintv_desktop.engine.desk.snapshot import snapshot

        return await snapshot(self._engine)

    # Pausing announcements

    @property
    def paused(self) -> PauseView | None:
        """None while announcements are made."""
        from itsjustintv_desktop.engine.desk.snapshot import pause_view

        return pause_view(self._engine)

    async def pause(self, until: float | None = None) -> None:
        """Announce nothing until then (Unix seconds), or until resumed; tests and what is sent by hand go out.

        Raises UsageError for a time that has passed, LedgerError.
        """
        await self._engine.pause.begin(until)

    async def resume(self) -> None:
        """Announce again. Raises LedgerError."""
        await self._engine.pause.resume()
