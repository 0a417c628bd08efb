"""Tells what the engine does, one line a step, as it happens."""

from __future__ import annotations

import time
from collections.abc import Callable

from itsjustintv_desktop.engine.core.events import (
    DeliveryChanged,
    DestinationChanged,
    EngineEvent,
    EventSettled,
    Notice,
)
from itsjustintv_desktop.engine.core.models import DeliveryState

Write = Callable[[str, str], None]
"""A line, and its kind: twitch, engine, good or bad."""


class Reporter:
    """Turns events into lines with the seconds since the start."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._began = time.monotonic()

    def twitch(self, text: str) -> None:
        """Something that happens at Twitch's side."""
        self._line("Twitch ", text, "twitch")

    def engine(self, text: str, kind: str = "engine") -> None:
        """Something that this program does."""
        self._line("   we  ", text, kind)

    def event(self, event: EngineEvent, login_of: dict[int, str]) -> None:
        """`login_of` is filled here: whose event each is, for the lines about its deliveries."""
        if isinstance(event, EventSettled):
            login_of[event.event_id] = event.login
            self._settled(event)
        elif isinstance(event, DeliveryChanged):
            self._delivery(event, login_of.get(event.event_id, event.streamer))
        elif isinstance(event, DestinationChanged):
            self.engine(f"{event.destination} is now {event.state}. {event.reason}".rstrip())
        elif isinstance(event, Notice):
            self.engine(event.text)

    def _settled(self, event: EventSettled) -> None:
        if event.state == "announced":
            where = ", ".join(event.destinations) or "output.json alone"
            details = "" if event.enriched else " (some details could not be had in time)"
            self.engine(f"{event.login}: announcing to {where}{details}")
        elif event.state == "suppressed":
            self.engine(f"{event.login}: not announced. {event.explanation}")

    def _delivery(self, event: DeliveryChanged, login: str) -> None:
        if event.state is DeliveryState.DELIVERED:
            tries = "" if event.attempts == 1 else f" at attempt {event.attempts}"
            self.engine(f"{login} -> {event.destination}: delivered{tries} (HTTP {event.status})", "good")
        elif event.state is DeliveryState.PENDING:
            wait = max(0.0, (event.next_at or 0.0) - time.time())
            self.engine(f"{login} -> {event.destination}: {event.error}, again in {wait:.1f} s", "bad")
        else:
            self.engine(f"{login} -> {event.destination}: {event.state.value}. {event.error or ''}", "bad")

    def _line(self, who: str, text: str, kind: str) -> None:
        self._write(f"{time.monotonic() - self._began:5.1f} s {who} {text}", kind)
