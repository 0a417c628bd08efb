"""Garbage is collected on the UI thread only.

Python collects cycles in whatever thread happens to make an object. In the engine's thread that would delete widgets
and timers of the UI thread, which Qt answers with a crash.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

EVERY_MS = 1000


class Collecting(QObject):
    """From its making to `end` Python collects nothing by itself; a timer does, by Python's own thresholds."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self, interval=EVERY_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()

    def look(self) -> None:
        """Collect the oldest generation that is due. A look alone costs less than a microsecond."""
        for generation in (2, 1, 0):
            if gc.get_count()[generation] > gc.get_threshold()[generation]:
                gc.collect(generation)
                return

    def end(self) -> None:
        """Back to how it was."""
        self._timer.stop()
        gc.enable()
