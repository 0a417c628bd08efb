"""The chain behind the answer: one row a link, with what mends it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Qt, Signal, SignalInstance
from PySide6.QtWidgets import QGridLayout, QWidget

from itsjustintv_desktop.engine import Check, Level, Report
from itsjustintv_desktop.ui.formatting import sentence_case, translate
from itsjustintv_desktop.ui.plain import plain, readable
from itsjustintv_desktop.ui.status import TONES
from itsjustintv_desktop.ui.widgets.basic import Button, Card, Dot, button, clear, fill, label, rule
from itsjustintv_desktop.ui.widgets.states import Loading

_CALM = frozenset({Level.STARTING, Level.PAUSED})
_PAGES = {
    "config": "settings", "secrets": "settings", "client": "settings", "token": "settings", "twitch": "settings",
    "clock": "connection", "address": "connection", "way": "connection", "reachable": "connection",
    "certificate": "connection", "subscriptions": "connection", "streamers": "streamers", "filters": "streamers",
    "destinations": "destinations", "ledger": "log", "disk": "log", "keyring": "settings", "program": "log",
}  # fmt: skip
"""Where each link is mended."""
_WORST = ("red", "amber", "green")
MOST_ALIKE = 10
"""Streamers, and destinations, that get a row each; a thousand rows would hold up the window for seconds."""


class Chain(Card):
    """`fix_requested`: a page, and the check to mend there."""

    fix_requested = Signal(str, object)

    def __init__(self) -> None:
        super().__init__(self.tr("Will my next stream be announced?"))
        self._checks: tuple[Check, ...] | None = None
        self._rows: list[_Row] = []
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(0)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setColumnMinimumWidth(1, 128)
        self._grid.setColumnStretch(2, 1)
        self.links = QWidget()
        self.links.setLayout(self._grid)
        self._loading = Loading(self.tr("Walking the chain"))
        self._loading.setMinimumHeight(160)
        fill(self.body, (self._loading, 1), (self.links, 1))
        self.links.hide()

    def show_report(self, report: Report) -> None:
        """Rows that stay are changed in place: in a burst a report comes several times a second."""
        if report.checks == self._checks:
            return
        self._checks = report.checks
        self._loading.hide()
        self.links.show()
        shown = self._shorten(report.checks)
        if [check.name for check in shown] != [row.check.name for row in self._rows]:
            self._make_rows(shown)
        for row, check in zip(self._rows, shown, strict=True):
            row.show_check(check)

    def _make_rows(self, shown: Sequence[Check]) -> None:
        """The focus stays on the fix of the same check."""
        focused = next((row.check.name for row in self._rows if row.fix is not None and row.fix.hasFocus()), "")
        for row in self._rows:
            row.deleteLater()
        clear(self._grid)
        for number in range(self._grid.rowCount()):
            self._grid.setRowStretch(number, 0)
        self._rows = [_Row(self._grid, 2 * number, check, self.fix_requested) for number, check in enumerate(shown)]
        self._grid.setRowStretch(2 * len(shown), 1)
        for row in self._rows:
            if row.fix is not None and row.check.name == focused:
                row.fix.show()  # what is not shown yet takes no focus
                row.fix.setFocus()

    def _shorten(self, checks: Sequence[Check]) -> list[Check]:
        """Of many streamers and destinations the worst ones, and a row for all the others of their kind."""
        shown = list(checks)
        for kind in ("streamer", "destination"):
            alike = [check for check in shown if check.name.startswith(f"{kind} ")]
            if len(alike) <= MOST_ALIKE:
                continue
            worst = sorted(alike, key=lambda check: _WORST.index(check.state))
            rest = worst[MOST_ALIKE:]
            left_out = set(map(id, rest))
            after = shown.index(alike[0]) + MOST_ALIKE
            shown = [check for check in shown if id(check) not in left_out]
            shown.insert(after, self._others(kind, rest))
        return shown

    def _others(self, kind: str, rest: Sequence[Check]) -> Check:
        if kind == "streamer":
            name, message = self.tr("more streamers"), self.tr("%n more streamers are no worse.", "", len(rest))
        else:
            name, message = self.tr("more destinations"), self.tr("%n more destinations are no worse.", "", len(rest))
        return Check(name=name, state=rest[0].state, message=message)


class _Row(QObject):
    """A link of the chain, in two rows of the grid: a line, and its state, name, message and fix."""

    def __init__(self, grid: QGridLayout, at: int, check: Check, requested: SignalInstance) -> None:
        super().__init__(grid)
        self._grid, self._at, self._requested = grid, at, requested
        self.fix: Button | None = None
        name = label(sentence_case(translate(check.name)), "strong", wrap=True)
        self._message = label("", "muted", wrap=True, selectable=True)
        for each in (name, self._message):
            each.setContentsMargins(0, 10, 0, 10)
        self._dot = Dot()
        holder = QWidget()
        holder.setFixedSize(14, 38)
        self._dot.setParent(holder)
        self._dot.move(1, 13)
        top = Qt.AlignmentFlag.AlignTop
        grid.addWidget(rule(), at, 0, 1, 4)
        grid.addWidget(holder, at + 1, 0, top)
        grid.addWidget(name, at + 1, 1, top)
        grid.addWidget(self._message, at + 1, 2, 1, 2)
        self.check = check
        self._show(check)

    def show_check(self, check: Check) -> None:
        """One of the same name."""
        if check != self.check:
            self.check = check
            self._show(check)

    def _show(self, check: Check) -> None:
        words = {
            Level.OK: self.tr("working"),
            Level.STARTING: self.tr("not known yet"),
            Level.PAUSED: self.tr("switched off or paused"),
            Level.ATTENTION: self.tr("needs attention"),
            Level.FAILING: self.tr("not working"),
        }
        self._dot.show_state(TONES[check.level], words[check.level])
        wrong = check.state != "green" and check.level not in _CALM
        with_fix = wrong and bool(check.fix)
        self._message.setToolTip(plain(translate(check.fix)) if with_fix else "")
        self._message.setText(
            f"{translate(check.message)}\n{translate(check.fix)}" if with_fix else translate(check.message)
        )
        self._show_fix(wrong and bool(_page_of(check.name)))

    def _show_fix(self, wanted: bool) -> None:
        if wanted == (self.fix is not None):
            return
        self._grid.addWidget(self._message, self._at + 1, 2, 1, 1 if wanted else 2)
        if self.fix is not None:
            self._grid.removeWidget(self.fix)
            self.fix.hide()
            self.fix.deleteLater()
            self.fix = None
            return
        page, name = _page_of(self.check.name), self.check.name
        self.fix = button(self.tr("Fix"), lambda: self._requested.emit(page, name), role="small")
        self.fix.setAccessibleName(readable(self.tr("Fix {}").format(translate(name))))
        self._grid.addWidget(self.fix, self._at + 1, 3, Qt.AlignmentFlag.AlignVCenter)


def _page_of(name: str) -> str:
    first = name.split()[0] if name else ""
    return (
        _PAGES.get(name)
        or _PAGES.get(first)
        or ("streamers" if first == "streamer" else "destinations" if first == "destination" else "")
    )
