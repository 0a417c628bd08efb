"""How things stand now: the facts of an engine, judged."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from itsjustintv_desktop.engine.config.schema import Config
from itsjustintv_desktop.engine.core.errors import LedgerError
from itsjustintv_desktop.engine.core.status import SystemStatus
from itsjustintv_desktop.engine.monitoring.doctor.collect import ANSWERS, NOTHING, FactCollector
from itsjustintv_desktop.engine.monitoring.doctor.facts import Facts
from itsjustintv_desktop.engine.monitoring.doctor.overall import judge, system_status
from itsjustintv_desktop.engine.monitoring.doctor.report import Report
from itsjustintv_desktop.engine.storage.ledger import Ledger
from itsjustintv_desktop.engine.storage.ledger.counting import Tally
from itsjustintv_desktop.engine.storage.ledger.latest import LastAnswer

if TYPE_CHECKING:
    from collections.abc import Callable

    from itsjustintv_desktop.engine.config.schema import Streamer
    from itsjustintv_desktop.engine.core.clock import Clock

PATIENCE = 120.0
"""Seconds. What is not known by then is no matter of a start any more: it needs attention."""
LEDGER_SECONDS = 2.0
"""So long at most the ledger is waited for: a disk that hangs must not make what is shown hang, too."""


class CurrentStatus:
    """Lives as long as its engine. `destinations` gives the names of those in the config."""

    def __init__(
        self, gatherer: FactCollector, ledger: Ledger, destinations: Callable[[], list[str]], clock: Clock
    ) -> None:
        self._gatherer, self._ledger, self._destinations, self._clock = gatherer, ledger, destinations, clock
        self._heard: tuple[Tally, dict[str, LastAnswer]] = NOTHING, {}
        """What the ledger said last."""
        self._config: Config | None = None
        self._unsettled_since: float | None = None
        """Since when, by the monotonic clock, something is not known yet."""

    async def look(self, ledger_seconds: float = LEDGER_SECONDS) -> tuple[SystemStatus, Tally]:
        """How things stand, by what is in memory and what the ledger says (or said last, while it does not answer)."""
        try:
            async with asyncio.timeout(ledger_seconds):
                self._heard = await self._ledger.tally(), await self._answers()
        except (LedgerError, TimeoutError):
            pass  # that it does not answer is one of the facts
        tally, answers = self._heard
        # From here on nothing waits, so that all of it is of one moment.
        return self._judge(self._gatherer.known(tally, answers)), tally

    async def report(self, asked: Streamer | None = None, *, recent: bool = False) -> Report:
        """Every check, about one streamer or about all. `recent`: see Gatherer.gather."""
        facts = self._with_patience(await self._gatherer.gather(asked, recent=recent))
        return msgspec.structs.replace(judge(facts), summary=system_status(facts).summary)

    async def _answers(self) -> dict[str, LastAnswer]:
        names, found = self._destinations(), dict[str, LastAnswer]()
        for start in range(0, len(names), ANSWERS):
            found |= await self._ledger.last_answers(names[start : start + ANSWERS])
        return found

    def _judge(self, facts: Facts) -> SystemStatus:
        status = system_status(self._with_patience(facts))
        if status.is_settled:
            self._unsettled_since = None
        elif self._unsettled_since is None:
            self._unsettled_since = self._clock.monotonic()
        return status

    def _with_patience(self, facts: Facts) -> Facts:
        """What is new gets its time to be known; a changed config gets it anew."""
        if facts.config.config is not self._config:
            self._config, self._unsettled_since = facts.config.config, None
        waited = 0.0 if self._unsettled_since is None else self._clock.monotonic() - self._unsettled_since
        return msgspec.structs.replace(facts, settling=waited < PATIENCE)
