"""What a person asks of the doctor: implements control.actions.DoctorActions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from itsjustintv_desktop.engine.config.schema import Streamer
    from itsjustintv_desktop.engine.engine import Engine
    from itsjustintv_desktop.engine.monitoring.doctor import Report


class Diagnostics:
    """Over an engine, listening or not. What it needs is loaded with the first question."""

    def __init__(self, engine: Engine, streamer: Callable[[str], Streamer]) -> None:
        """`streamer` finds one by its login and raises NotFoundError."""
        self._engine = engine
        self._streamer = streamer

    async def doctor(self, streamer: str | None = None, local: bool = False, recent: bool = False) -> Report:
        """`local` asks nothing outside of this process; `recent` asks there only for what was not heard lately. Raises
        NotFoundError for an unknown streamer."""
        if local:
            secure = self._engine.reach.way.context is not None
            return await self._engine.doctor.local(self._engine.address, secure=secure)
        asked = None if streamer is None else self._streamer(streamer)
        return await self._engine.doctor.report(asked, recent=recent)
