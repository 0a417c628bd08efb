"""The steps by name at the assistant's left: which are behind, which is in front."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QPushButton, QVBoxLayout, QWidget

from itsjustintv_desktop.ui.theme import icon, theme
from itsjustintv_desktop.ui.widgets.basic import label

WIDTH = 184


class Trail(QWidget):
    """`chosen`: a person goes to that step, by its number."""

    chosen = Signal(int)

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.setObjectName("sidebar")
        self.setFixedWidth(WIDTH)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 24, 12, 20)
        layout.setSpacing(2)
        heading = label(self.tr("Set up"), "heading")
        heading.setContentsMargins(10, 0, 0, 12)
        layout.addWidget(heading)
        self._group = QButtonGroup(self)
        self.steps: list[QPushButton] = []
        self._done: set[int] = set()
        for number, name in enumerate(names):
            made = QPushButton(f"  {number + 1}  {name}")
            made.setProperty("role", "nav")
            made.setCheckable(True)
            made.setAutoDefault(False)  # Return in a field goes on, not back to the first step
            made.clicked.connect(lambda _, number=number: self.chosen.emit(number))
            self._group.addButton(made)
            self.steps.append(made)
            layout.addWidget(made)
        layout.addStretch(1)
        theme().changed.connect(self._tint)

    def show_at(self, number: int) -> None:
        self.steps[number].setChecked(True)
        self._tint()

    def mark_done(self, number: int) -> None:
        """What that step is for was done, not only skipped."""
        self._done.add(number)
        self._tint()

    def _tint(self) -> None:
        palette = theme().palette
        for number, step in enumerate(self.steps):
            behind = number in self._done
            step.setIcon(icon("check" if behind else "ring", palette.ok if behind else palette.text3))
            step.setAccessibleDescription(self.tr("done") if behind else "")
