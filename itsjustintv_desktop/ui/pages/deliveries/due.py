"""Another time for the next try: a small window below its button."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QDateTime, Qt
from PySide6.QtWidgets import QDateTimeEdit, QFrame, QVBoxLayout, QWidget

from itsjustintv_desktop.ui.widgets.basic import button, label, row

PRESETS = (5, 15, 30)
"""Minutes."""


class Due(QFrame):
    """`do` is called with the time (Unix seconds) that was chosen."""

    def __init__(self, parent: QWidget, do: Callable[[float], object]) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setProperty("role", "popup")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAccessibleName(self.tr("Next try"))
        self._do = do
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 14)
        layout.setSpacing(10)
        layout.addWidget(label(self.tr("Next try"), "heading"))
        self.presets = [
            button(self.tr("in %n min", "", minutes), partial(self._in, minutes), role="small") for minutes in PRESETS
        ]
        layout.addLayout(row(*self.presets, None))
        self.when = QDateTimeEdit(QDateTime.currentDateTime().addSecs(600))
        self.when.setButtonSymbols(QDateTimeEdit.ButtonSymbols.NoButtons)
        self.when.setDisplayFormat("yyyy-MM-dd HH:mm")
        self.when.setAccessibleName(self.tr("Date and time of the next try"))
        self.set = button(self.tr("&Set"), self._chosen, role="primary")
        layout.addLayout(row(self.when, self.set))

    def open_below(self, widget: QWidget) -> None:
        self.adjustSize()
        self.move(widget.mapToGlobal(widget.rect().bottomLeft()))
        self.show()
        self.presets[0].setFocus()

    def _in(self, minutes: int) -> None:
        self._choose(time.time() + 60 * minutes)

    def _chosen(self) -> None:
        self._choose(float(self.when.dateTime().toSecsSinceEpoch()))

    def _choose(self, at: float) -> None:
        self.close()
        self._do(at)
