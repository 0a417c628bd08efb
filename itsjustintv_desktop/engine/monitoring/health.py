"""The parts put together. A look at them is cheap, and waits for nothing but the ledger, and for that not long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from itsjustintv_desktop.engine.core.errors import LedgerError
from itsjustintv_desktop.engine.core.events import HealthChanged
from itsjustintv_desktop.engine.core.status import Level, Status
from itsjustintv_desktop.engine.monitoring.health_parts import of_engine
from itsjustintv_desktop.engine.storage.ledger import Counts

if TYPE_CHECKING:
    from itsjustintv_desktop.engine.engine import Engine
    from itsjustintv_desktop.engine.monitoring.doctor.current import CurrentStatus

LEDGER_SECONDS = 2.0
"""How long a report waits for the ledger at most: a disk that hangs must not make it hang, too."""

BESIDE = frozenset({"telemetry", "twitch.trickle", "files"})
"""Loops that announcing does not need: no reason for anybody to start the program anew."""

_CHECKED = frozenset({
    "config", "ledger", "secrets", "webhook secret", "feed", "twitch", "announce", "announcements", "deliveries",
    "clock", "disk", "loop", "way", "subscriptions", "catching up", "updates",
})  # fmt: skip
"""Parts that the doctor has checks for. Newer versions are never trouble."""

Look = Callable[[], Status | None]

_log = structlog.get_logger(__name__)


class Health:
    """Looks at the engine's parts when asked; remembers since when each is as it is, and tells of every change."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._added: dict[str, Look] = {}
        self._known: dict[str, tuple[Status, float]] | None = None

    @cached_property
    def overall(self) -> CurrentStatus:
        """How things stand, for whoever shows it. Loaded with the first question."""
        from itsjustintv_desktop.engine.monitoring.doctor.collect import FactCollector
        from itsjustintv_desktop.engine.monitoring.doctor.current import CurrentStatus

        engine = self._engine
        return CurrentStatus(FactCollector(engine), engine.ledger, lambda: list(engine.live.destinations), engine.clock)

    def add(self, name: str, look: Look) -> None:
        """Let `look` say how the part `name` is; None = it is not there now. Must be quick; replaces one so named."""
        self._added[name] = look

    def is_well(self) -> bool:
        """Whether a message from Twitch could be kept and worked on now."""
        engine = self._engine
        ledger = engine.ledger
        broken = engine.supervisor.broken.keys() - BESIDE
        return ledger.alive and ledger.failure is None and not broken and not engine.watch.stuck

    async def observe(self) -> None:
        """Note what has changed, and tell it. Called every few seconds, so a part's `since` is right when asked for."""
        self._note(self._parts())

    async def report(self) -> dict[str, Any]:
        """`{status, announcing, parts: {name: {status, since, reason}}}`, status ok, waiting or failing; times Unix
        seconds. `announcing` is the answer that the window shows, too (see OverallStatus)."""
        status, tally = await self.overall.look(LEDGER_SECONDS)
        found = self._parts()
        if found["deliveries"] == Status():
            waiting = tally.by_state.get("pending", 0)
            found["deliveries"] = Status(reason=f"{waiting} waiting to be sent" if waiting else "")
        known = self._note(found)
        parts = {
            name: {"status": part.level, "since": since, "reason": part.reason} for name, (part, since) in known.items()
        }
        announcing = msgspec.to_builtins(status.summary)
        return {"status": _overall(found), "announcing": announcing, "parts": parts}

    def others(self) -> dict[str, str]:
        """The parts that are not well and that no check of the doctor is about by another name: why."""
        own = self._engine.supervisor.broken.keys() | _CHECKED
        return {
            name: reason
            for name, (_, reason, _) in self.troubles().items()
            if name not in own and not name.startswith("destination ")
        }

    async def counts(self) -> Counts | None:
        """What is queued; None when the ledger does not say so in time."""
        try:
            async with asyncio.timeout(LEDGER_SECONDS):
                return await self._engine.ledger.counts()
        except (LedgerError, TimeoutError):
            return None

    def troubles(self) -> dict[str, tuple[str, str, float]]:
        """The parts that are not ok: (status, reason, since). Asks nobody."""
        known = self._note(self._parts())
        return {
            name: (part.level, part.reason, since)
            for name, (part, since) in known.items()
            if part.level is not Level.OK
        }

    def status(self) -> str:
        """The worst of all parts."""
        return _overall(self._parts())

    def _parts(self) -> dict[str, Status]:
        found = of_engine(self._engine)
        for name, look in self._added.items():
            try:
                part = look()
            except Exception:  # noqa: BLE001 - one part's fault must not hide how the others are
                _log.exception("a part could not be looked at", part=name)
                part = Status(Level.FAILING, "It could not be looked at. See the log.")
            found.pop(name, None)
            if part is not None:
                found[name] = part
        return found

    def _note(self, parts: Mapping[str, Status]) -> dict[str, tuple[Status, float]]:
        now, before = self._engine.now(), self._known
        known: dict[str, tuple[Status, float]] = {}
        for name, part in parts.items():
            was = before.get(name) if before is not None else None
            since = part.since
            if since is None:
                since = was[1] if was is not None and was[0].level == part.level else now
            known[name] = (part, since)
        self._known = known
        if before is not None:
            gone = {name: (Status(), now) for name in before.keys() - known.keys()}
            for name, (part, since) in (known | gone).items():
                old = before[name][0].level if name in before else Level.OK
                if part.level is not old:
                    self._tell(name, part, since)
        return known

    def _tell(self, name: str, part: Status, since: float) -> None:
        log = _log.warning if part.level is Level.FAILING else _log.info
        log("a part changed", part=name, status=part.level, **({"reason": part.reason} if part.reason else {}))
        self._engine.bus.publish(HealthChanged(part=name, status=part.level, reason=part.reason, since=since))


def _overall(parts: Mapping[str, Status]) -> str:
    levels = {part.level for part in parts.values()}
    return next((level for level in (Level.FAILING, Level.WAITING) if level in levels), Level.OK)
