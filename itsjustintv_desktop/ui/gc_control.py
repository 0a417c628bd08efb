"""Garbage is collected on the UI thread only, and in small bites.

Python collects cycles in whatever thread happens to make an object. In the engine's thread that would delete widgets
and timers of the UI thread, which Qt answers with a crash. A collection stops all threads: what a thousand channels
make in a second is looked through many times while it is little, and everything at once only when little happens.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

EVERY_MS = 100
SETTLE_MS = 3000
"""After the start; what was made by then stays, and is not looked at again (it took 54 ms each time, measured)."""
PUT_OFF = 6000
"""Looks (10 min) for which a full collection waits at most for a quiet moment."""


class GcControl(QObject):
    """Until `end`, a timer collects garbage by Python's own thresholds, instead of Python itself."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        self._put_off = 0
        self._timer = QTimer(self, interval=EVERY_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()

    def started(self) -> None:
        """The program has come up: soon, what there is then counts as there to stay."""
        QTimer.singleShot(SETTLE_MS, self, self._freeze)

    def look(self) -> None:
        """Collect the oldest generation that is due. A look alone costs less than a microsecond."""
        due = [count > threshold for count, threshold in zip(gc.get_count(), gc.get_threshold(), strict=True)]
        if due[2]:
            is_quiet = not due[0]
            self._put_off = 0 if is_quiet else self._put_off + 1
            if is_quiet or self._put_off > PUT_OFF:
                self._put_off = 0
                gc.collect()
                return
        if due[1] or due[0]:
            gc.collect(1 if due[1] else 0)

    def end(self) -> None:
        """Back to how it was."""
        self._timer.stop()
        gc.enable()

    def _freeze(self) -> None:
        gc.collect()
        gc.freeze()
