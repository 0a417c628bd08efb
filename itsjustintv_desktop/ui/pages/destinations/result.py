"""What a destination answered to a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from itsjustintv_desktop.ui.formatting import span, translate
from itsjustintv_desktop.ui.widgets.basic import label
from itsjustintv_desktop.ui.widgets.field import repolish

if TYPE_CHECKING:
    from itsjustintv_desktop.engine import TestResult


class Result(QWidget):
    """Hidden until a test is sent."""

    def __init__(self) -> None:
        super().__init__()
        self._said = label("", wrap=True, selectable=True)
        self._said.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._said)
        self.hide()

    def text(self) -> str:
        return self._said.text()

    def wait(self) -> None:
        self._say(self.tr("Sending a test…"), "muted")

    def show_result(self, result: TestResult) -> None:
        took = span(result.duration) if result.duration >= 1 else self.tr("{} ms").format(round(result.duration * 1000))
        facts = " · ".join(part for part in (str(result.status or ""), took) if part)
        shown = "" if "(it wrote: " in result.sentence else " ".join(result.answer.split())[:400]
        answer = f"\n{shown}" if shown else ""
        mark = "✓" if result.ok else "✗"
        self._say(f"{mark} {translate(result.sentence)} ({facts}){answer}", "ok" if result.ok else "attention")

    def _say(self, text: str, role: str) -> None:
        self._said.setProperty("role", role)
        repolish(self._said)
        self._said.setText(text)
        self.show()
