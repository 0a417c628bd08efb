"""The chain behind the answer: one row a link, with what mends it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from itsjustintv_desktop.engine import Check, Level, Report
from itsjustintv_desktop.ui.plain import plain, readable
from itsjustintv_desktop.ui.status import TONES
from itsjustintv_desktop.ui.widgets.basic import Button, Card, Dot, button, clear, label, rule
from itsjustintv_desktop.ui.widgets.states import Loading
from itsjustintv_desktop.ui.words import said, sentence_case

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
    """`fix_wished`: a page, and the check to mend there."""

    fix_wished = Signal(str, object)

    def __init__(self) -> None:
        super().__init__(self.tr("Will my next stream be announced?"))
        self._checks: tuple[Check, ...] | None = None
        self._fixes: dict[str, Button] = {}
        """By the name of the check."""
        self._rows = QGridLayout()
        self._rows.setHorizontalSpacing(12)
        self._rows.setVerticalSpacing(0)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setColumnMinimumWidth(1, 128)
        self._rows.setColumnStretch(2, 1)
        self.links = QWidget()
        self.links.setLayout(self._rows)
        self._loading = Loading(self.tr("Walking the chain"))
        self._loading.setMinimumHeight(160)
        self.body.addWidget(self._loading, 1)
        self.body.addWidget(self.links, 1)
        self.links.hide()

    def show_report(self, report: Report) -> None:
        """Nothing is made anew for a report that says the same, and the focus stays where it was."""
        if report.checks == self._checks:
            return
        self._checks = report.checks
        self._loading.hide()
        self.links.show()
        focused = next((name for name, fix in self._fixes.items() if fix.hasFocus()), "")
        self._fixes = {}
        clear(self._rows)
        for number in range(self._rows.rowCount()):
            self._rows.setRowStretch(number, 0)
        shown = self._shorten(report.checks)
        for number, check in enumerate(shown):
            self._add(2 * number, check)
        self._rows.setRowStretch(2 * len(shown), 1)
        if focused in self._fixes:
            self._fixes[focused].show()  # what is not shown yet takes no focus
            self._fixes[focused].setFocus()

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

    def _add(self, at: int, check: Check) -> None:
        words = {
            Level.OK: self.tr("working"),
            Level.STARTING: self.tr("not known yet"),
            Level.PAUSED: self.tr("switched off or paused"),
            Level.ATTENTION: self.tr("needs attention"),
            Level.FAILING: self.tr("not working"),
        }
        self._rows.addWidget(rule(), at, 0, 1, 4)
        called = said(check.name)
        name = label(sentence_case(called), "strong", wrap=True)
        name.setContentsMargins(0, 10, 0, 10)
        message = label(said(check.message), "muted", wrap=True, selectable=True)
        message.setContentsMargins(0, 10, 0, 10)
        calm = check.level in _CALM
        if check.state != "green" and check.fix and not calm:
            message.setToolTip(plain(said(check.fix)))
            message.setText(f"{said(check.message)}\n{said(check.fix)}")
        top = Qt.AlignmentFlag.AlignTop
        dot = Dot(TONES[check.level], words[check.level])
        holder = QWidget()
        holder.setFixedSize(14, 38)
        dot.setParent(holder)
        dot.move(1, 13)
        self._rows.addWidget(holder, at + 1, 0, top)
        self._rows.addWidget(name, at + 1, 1, top)
        page = _page_of(check.name)
        mended = check.state != "green" and page and not calm
        self._rows.addWidget(message, at + 1, 2, 1, 1 if mended else 2)
        if mended:
            fix = button(self.tr("Fix"), lambda: self.fix_wished.emit(page, check.name), role="small")
            fix.setAccessibleName(readable(self.tr("Fix {}").format(called)))
            self._fixes[check.name] = fix
            self._rows.addWidget(fix, at + 1, 3, Qt.AlignmentFlag.AlignVCenter)


def _page_of(name: str) -> str:
    first = name.split()[0] if name else ""
    return (
        _PAGES.get(name)
        or _PAGES.get(first)
        or ("streamers" if first == "streamer" else "destinations" if first == "destination" else "")
    )
