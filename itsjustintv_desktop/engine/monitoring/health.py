"""How each part is: one word, since when, and why. The public port shows none of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import structlog

from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.events import Bus, HealthChanged
from itsjustintv_desktop.engine.core.status import Level, Status

EVERY = 0.5
"""Seconds between two looks, so that whoever watches hears within a second of what changed."""

_CHECKED = frozenset({
    "config", "ledger", "secrets", "webhook secret", "feed", "twitch", "announce", "announcements", "deliveries",
    "clock", "disk", "loop", "way", "subscriptions", "catching up", "updates",
})  # fmt: skip
"""Parts that the doctor has checks for. Newer versions are never trouble."""

Look = Callable[[], Status | None]
"""How a part is; None = it is not there now. Quick: it waits for nothing, reads no file and asks nobody."""
Looks = Callable[[], Mapping[str, Status]]
"""The same of several, by name: those that are there now."""

_log = structlog.get_logger(__name__)


class Health:
    """Looks at the parts when asked; remembers since when each is as it is, and publishes every change."""

    def __init__(self, parts: Mapping[str, Look], broken: Looks, destinations: Looks, bus: Bus, clock: Clock) -> None:
        """`broken`: loops that are down; one named as a part stands for it."""
        self._parts = parts
        self._broken = broken
        self._destinations = destinations
        self._bus = bus
        self._clock = clock
        self._added: dict[str, Look] = {}
        self._known: dict[str, tuple[Status, float]] | None = None

    def add(self, name: str, look: Look) -> None:
        """One more part; replaces one so named."""
        self._added[name] = look

    async def run(self) -> None:
        """Observe until cancelled. Can be started again."""
        while True:
            self.observe()
            await self._clock.sleep(EVERY)

    def observe(self) -> dict[str, tuple[Status, float]]:
        """Every part now, and since when (Unix seconds) it is so. Publishes what changed since the last look."""
        now, before = self._clock.now(), self._known
        known: dict[str, tuple[Status, float]] = {}
        for name, part in self._look().items():
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
                    self._publish(name, part, since)
        return known

    def others(self) -> dict[str, str]:
        """The parts that are not well and that no check of the doctor is about by another name: why."""
        own = self._broken().keys() | _CHECKED
        return {
            name: part.reason
            for name, (part, _) in self.observe().items()
            if part.level is not Level.OK and name not in own and not name.startswith("destination ")
        }

    def level(self) -> Level:
        """The worst of all parts."""
        return worst(self._look().values())

    def _look(self) -> dict[str, Status]:
        found = {name: part for name, look in self._parts.items() if (part := _looked(name, look)) is not None}
        found |= self._broken()
        found |= self._destinations()
        for name, look in self._added.items():
            found.pop(name, None)
            if (part := _looked(name, look)) is not None:
                found[name] = part
        return found

    def _publish(self, name: str, part: Status, since: float) -> None:
        log = _log.warning if part.level is Level.FAILING else _log.info
        log("a part changed", part=name, status=part.level, **({"reason": part.reason} if part.reason else {}))
        self._bus.publish(HealthChanged(part=name, status=part.level, reason=part.reason, since=since))


def worst(parts: Iterable[Status]) -> Level:
    """Failing, waiting or ok."""
    levels = {part.level for part in parts}
    return next((level for level in (Level.FAILING, Level.WAITING) if level in levels), Level.OK)


def _looked(name: str, look: Look) -> Status | None:
    try:
        return look()
    except Exception:  # noqa: BLE001 - one part's fault must not hide how the others are
        _log.exception("a part could not be looked at", part=name)
        return Status(Level.FAILING, "It could not be looked at. See the log.")
