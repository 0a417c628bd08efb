"""From the sources into the ledger: each message is on disk before its sender hears "got it"."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import structlog

from itsjustintv_desktop.engine import logs
from itsjustintv_desktop.engine.core.errors import LedgerError
from itsjustintv_desktop.engine.core.sources import EventSource, Incoming
from itsjustintv_desktop.engine.monitoring.telemetry.telemetry import Telemetry
from itsjustintv_desktop.engine.storage.ledger import Ledger

_log = structlog.get_logger(__name__)


class EventIntake:
    """`on_new` is called when something new is in the ledger. Messages of `told_itself` are measured elsewhere."""

    def __init__(
        self, ledger: Ledger, telemetry: Telemetry, *, on_new: Callable[[], None], told_itself: EventSource
    ) -> None:
        self._ledger = ledger
        self._telemetry = telemetry
        self._on_new = on_new
        self._told_itself = told_itself.name

    async def run(self, source: EventSource) -> None:
        """Take in what a source sees, until cancelled; the sender hears of it after the commit."""
        await source.start()
        try:
            async for incoming in source.events():
                self._ledger.accept(incoming.event, partial(self._accepted, incoming))
        finally:
            await source.stop()

    def _accepted(self, incoming: Incoming, outcome: bool | LedgerError) -> None:
        if outcome is True:
            self._on_new()
        if incoming.event.source != self._told_itself:
            self._telemetry.heard(incoming.event, outcome)
        if logs.tells_debug():
            _log.debug("taken in", notification=incoming.event.message_id, new=outcome is True)
        incoming.settle(outcome)
