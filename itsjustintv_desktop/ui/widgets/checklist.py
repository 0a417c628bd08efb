"""What a look at something came to: one row a check, with what mends it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from itsjustintv_desktop.engine import Check
from itsjustintv_desktop.ui.formatting import translate
from itsjustintv_desktop.ui.plain import readable
from itsjustintv_desktop.ui.widgets.basic import Dot, Tone, clear, column, label

TONES: dict[str, Tone] = {"green": "ok", "amber": "attention", "red": "failed"}


class CheckList(QWidget):
    """Green, amber and red rows. Empty until `show_checks`."""

    def __init__(self) -> None:
        super().__init__()
        self._rows = QGridLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setHorizontalSpacing(10)
        self._rows.setVerticalSpacing(8)
        self._rows.setColumnStretch(1, 1)

    def show_checks(self, checks: Sequence[Check]) -> None:
        clear(self._rows)
        words = {"green": self.tr("well"), "amber": self.tr("may work"), "red": self.tr("cannot work")}
        for number, check in enumerate(checks):
            dot = Dot(TONES[check.state], words[check.state])
            name = _name(check)
            called = label(f"{name}: {words[check.state]}", "strong")
            parts = [called, label(translate(check.message), "muted", wrap=True, selectable=True)]
            if check.state != "green" and check.fix:
                parts.append(label(translate(check.fix), wrap=True, selectable=True))
            self._rows.addWidget(dot, number, 0, Qt.AlignmentFlag.AlignTop)
            self._rows.addLayout(column(*parts, spacing=2), number, 1)
        self.setAccessibleName(
            readable(". ".join(f"{_name(each)} {words[each.state]}: {translate(each.message)}" for each in checks))
        )


def _name(check: Check) -> str:
    called = translate(check.name)
    return called[:1].upper() + called[1:]
