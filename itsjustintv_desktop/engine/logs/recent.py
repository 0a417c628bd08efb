"""The last lines, kept in memory for a screen: redacted, bounded, and numbered so that it can ask for what is new."""

from __future__ import annotations

import logging
from collections import deque
from itertools import takewhile
from typing import Final

import msgspec

from itsjustintv_desktop.engine.logs import chain

SIZE: Final = 2_000
"""Lines that are kept."""
_LONGEST: Final = 2_000
"""Characters of a value that are kept; of a traceback the last ones."""


class LogLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line, without anything secret. `number` goes up by one a line; `at` is Unix seconds."""

    number: int
    at: float
    level: str
    """debug, info, warning, error or critical."""
    logger: str
    text: str
    fields: tuple[tuple[str, str], ...]
    """What was said besides, in its order; `exception` is a traceback of many lines."""


class Recent(logging.Handler):
    """Threads log into it, any thread reads."""

    def __init__(self, size: int = SIZE) -> None:
        super().__init__(logging.INFO)
        self._lines: deque[LogLine] = deque(maxlen=size)
        self._number = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Called under the handler's lock."""
        try:
            event = dict(chain.settled(record).msg)  # type: ignore[arg-type]
            text = _cut(event.pop("event", ""))
            level = str(event.pop("level", record.levelname.lower()))
            fields = tuple((name, _cut(value)) for name, value in event.items() if not name.startswith("_"))
        except Exception:  # noqa: BLE001 - whatever it is: logging must not break what is logged
            self.handleError(record)
            return
        self._number += 1
        self._lines.append(
            LogLine(
                number=self._number,
                at=record.created,
                level=level,
                logger=chain.shown_name(record.name),
                text=text,
                fields=fields,
            )
        )

    def after(self, number: int) -> tuple[LogLine, ...]:
        """Those with a higher number, oldest first."""
        self.acquire()
        try:
            new = list(takewhile(lambda line: line.number > number, reversed(self._lines)))
        finally:
            self.release()
        return tuple(reversed(new))


def _cut(value: object) -> str:
    text = value if isinstance(value, str) else str(value)
    if len(text) <= _LONGEST:
        return text
    return f"…{text[-_LONGEST:]}" if "\n" in text else f"{text[:_LONGEST]}…"
