"""Every attempt of a delivery: when, what came of it, how long it took, and what was answered."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtWidgets import QVBoxLayout, QWidget

from itsjustintv_desktop.engine import AttemptView
from itsjustintv_desktop.ui.formatting import translate
from itsjustintv_desktop.ui.plain import plain
from itsjustintv_desktop.ui.widgets.basic import Dot, Elided, Tone, clear, label, row

MOST = 30
"""Attempts with a row each; those before them are counted."""
_TONES: dict[str, Tone] = {
    "delivered": "ok", "failed": "attention", "refused": "failed", "interrupted": "off", "under way": "accent",
}  # fmt: skip


class Attempts(QWidget):
    """Newest first."""

    def __init__(self) -> None:
        super().__init__()
        self._list = QVBoxLayout(self)
        self._list.setContentsMargins(0, 0, 0, 0)
        self._list.setSpacing(6)
        self._shown: tuple[AttemptView, ...] | None = None

    def show_attempts(self, attempts: tuple[AttemptView, ...]) -> None:
        if attempts == self._shown:
            return
        self._shown = attempts
        clear(self._list)
        if not attempts:
            self._list.addWidget(label(self.tr("Not tried yet."), "muted"))
        for attempt in reversed(attempts[-MOST:]):
            self._list.addLayout(self._row(attempt))
        if len(attempts) > MOST:
            self._list.addWidget(label(self.tr("and %n before", "", len(attempts) - MOST), "muted"))

    def _row(self, attempt: AttemptView) -> QVBoxLayout:
        made = QVBoxLayout()
        made.setSpacing(2)
        shown = Elided(self.sentence(attempt), "muted")
        then = datetime.fromtimestamp(attempt.started_at)  # noqa: DTZ006 - a person's own time
        at = label(then.strftime("%H:%M:%S"), "mono")
        at.setToolTip(plain(then.strftime("%Y-%m-%d %H:%M:%S")))
        line = row(Dot(_TONES.get(attempt.outcome, "off"), self._word(attempt)), at)
        line.addWidget(shown, 1)
        made.addLayout(line)
        answer = " ".join(attempt.answer.split())
        if answer and attempt.outcome != "delivered":
            excerpt = Elided(answer, "label")
            excerpt.setContentsMargins(20, 0, 0, 0)
            made.addWidget(excerpt)
        return made

    def _word(self, attempt: AttemptView) -> str:
        words = {
            "delivered": self.tr("delivered"), "failed": self.tr("failed"), "refused": self.tr("refused"),
            "interrupted": self.tr("interrupted"), "under way": self.tr("under way"),
        }  # fmt: skip
        return words.get(attempt.outcome, attempt.outcome)

    def sentence(self, attempt: AttemptView) -> str:
        """ "503 in 212 ms"; the error where no status came."""
        if attempt.outcome in {"interrupted", "under way"}:
            return self._word(attempt)
        what = (
            str(attempt.status) if attempt.status is not None else translate(attempt.error or "") or self._word(attempt)
        )
        if attempt.duration is None:
            return what
        took = f"{attempt.duration:.1f} s" if attempt.duration >= 1 else f"{round(attempt.duration * 1000)} ms"
        return self.tr("{} in {}").format(what, took)
