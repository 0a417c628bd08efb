"""Deliveries as a table of any length, newest first; read a page at a time as the view reaches the end."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from PySide6.QtCore import QModelIndex, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFont
from PySide6.QtWidgets import QApplication

from itsjustintv_desktop.engine import DeliveryFilter, DeliveryPage, events
from itsjustintv_desktop.engine.core.models import DeliveryState, DeliveryView
from itsjustintv_desktop.ui.bridge import Bridge
from itsjustintv_desktop.ui.formatting import countdown
from itsjustintv_desktop.ui.status import DeliveryHold, answer_of, word_of
from itsjustintv_desktop.ui.theme import theme
from itsjustintv_desktop.ui.widgets.table import NOWHERE, Index, KeyedRows

PAGE = 200
SOON_MS = 300
TIDY_MS = 3000
"""After this long without a change, rows that no longer match the filter leave the list."""
_MOST_NEW = 10
"""Most pages of new deliveries put on top; with more of them, the list is read from the start."""

STATE, DESTINATION, STREAMER, ANSWER, TRIES, NEXT = range(6)
Start = Callable[..., bool]


class DeliveriesModel(KeyedRows[DeliveryView]):
    """`loaded` each time the list was read.

    `start(name, coroutine, replace=...)` runs work and shows its errors; see Page.do.
    """

    loaded = Signal()

    def __init__(self, bridge: Bridge, start: Start, parent: QObject) -> None:
        super().__init__(("",) * 6, lambda view: view.id, parent)
        names = (self.tr("Destination"), self.tr("Streamer"), self.tr("Last answer"), self.tr("Tries"))
        self.titles = ("", *names, self.tr("Next"))
        self._bridge, self._start = bridge, start
        self.wanted = DeliveryFilter()
        self.is_loaded = False
        self.held: Mapping[str, DeliveryHold] = {}
        """What holds back the deliveries of a destination, by its name."""
        self._before: int | None = None
        """Id before which older deliveries continue; None if there are none."""
        self._look = self._timer(SOON_MS, lambda: self._start("newest", self._newest()))
        self._reread = self._timer(SOON_MS, self._read_again)
        self._tidy = self._timer(TIDY_MS, self.again)

    # What the table asks

    def canFetchMore(self, parent: Index = NOWHERE) -> bool:  # noqa: N802 - Qt's name
        return not parent.isValid() and self._before is not None

    def fetchMore(self, parent: Index = NOWHERE) -> None:  # noqa: N802 - Qt's name
        if not parent.isValid():
            self._start("more", self._more())

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:  # noqa: N802 - Qt's name
        if orientation is Qt.Orientation.Horizontal:
            if role == Qt.ItemDataRole.AccessibleTextRole and section == STATE:
                return self.tr("State")
            if role == Qt.ItemDataRole.TextAlignmentRole:
                return _alignment(section)
        return super().headerData(section, orientation, role)

    def cell(self, row: DeliveryView, column: int, role: int) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(row, column)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        if role == Qt.ItemDataRole.ForegroundRole:
            return QColor(theme().palette.text2 if column in {ANSWER, NEXT} else theme().palette.text1)
        if role == Qt.ItemDataRole.FontRole and column == DESTINATION:
            font = QFont(QApplication.font())
            font.setWeight(QFont.Weight.DemiBold)
            return font
        if role == Qt.ItemDataRole.ToolTipRole:
            return word_of(row.state) if column == STATE else self._text(row, column)
        if role == Qt.ItemDataRole.AccessibleTextRole and column == STATE:
            return word_of(row.state)
        return None

    def view(self, row: int) -> DeliveryView | None:
        """The delivery in a row; None for a row that does not exist."""
        return self.rows[row] if 0 <= row < len(self.rows) else None

    def row_of(self, delivery_id: int) -> int | None:
        """Its row, None if it was not read. Ids descend."""
        place = bisect_left(self.rows, -delivery_id, key=lambda view: -view.id)
        return place if place < len(self.rows) and self.rows[place].id == delivery_id else None

    def ids(self, parts: Sequence[range]) -> list[int]:
        return [self.rows[row].id for part in parts for row in part if row < len(self.rows)]

    # What changes it

    def choose(self, wanted: DeliveryFilter) -> None:
        """Show those."""
        if wanted != self.wanted or not self.is_loaded:
            self.wanted = wanted
            self.reload()

    def reload(self) -> None:
        self._start("list", self._reload(), replace=True)

    def hold(self, held: Mapping[str, DeliveryHold]) -> None:
        self.held = held

    def happened(self, batch: Iterable[events.EngineEvent]) -> None:
        """Change rows in place, and look for new ones soon."""
        for event in batch:
            if isinstance(event, events.DeliveryChanged):
                self._change(event)
            elif isinstance(event, events.DeliveriesChanged):
                self.again()
            elif isinstance(event, events.EventSettled) and event.state == "announced":
                self._look_soon()

    def again(self) -> None:
        """Events were missed, or many deliveries changed: read what is in the list again, in place."""
        if self.is_loaded and not self._reread.isActive():
            self._reread.start()

    def _change(self, event: events.DeliveryChanged) -> None:
        row = self.row_of(event.id)
        if row is None:
            if event.id > self._newest_id():
                self._look_soon()
            return
        new = msgspec.structs.replace(
            self.rows[row], state=event.state, attempts=event.attempts, next_at=event.next_at,
            last_status=event.status, last_error=event.error,
        )  # fmt: skip
        self.rows[row] = new
        self.dataChanged.emit(self.index(row, 0), self.index(row, NEXT))
        if self.wanted.states and new.state not in self.wanted.states:
            self._tidy.start()

    def _text(self, view: DeliveryView, column: int) -> str:
        if column == DESTINATION:
            return view.destination
        if column == STREAMER:
            return view.streamer
        if column == ANSWER:
            waits = word_of(view.state)
            return answer_of(view.last_status, view.last_error) or waits
        if column == TRIES:
            return str(view.attempts)
        if column == NEXT:
            return self._next(view)
        return ""

    def _next(self, view: DeliveryView) -> str:
        if view.state is DeliveryState.SENDING:
            return self.tr("now")
        if view.state is not DeliveryState.PENDING or view.next_at is None:
            return "–"
        held = self.held.get(view.destination)
        left = view.next_at - time.time()
        if held is not None and (held.always or left < 1):
            return held.short
        return countdown(left) if left >= 1 else self.tr("now")

    # Reading

    def _timer(self, interval: int, do: Callable[[], object]) -> QTimer:
        made = QTimer(self, singleShot=True, interval=interval)
        made.timeout.connect(lambda: do())
        return made

    def _look_soon(self) -> None:
        if self.is_loaded and not self._look.isActive():
            self._look.start()

    def _read_again(self) -> None:
        if not self._start("list", self._renew()):
            self._reread.start()

    def _newest_id(self) -> int:
        return self.rows[0].id if self.rows else 0

    async def _ask(self, before: int | None) -> DeliveryPage:
        wanted = self.wanted
        return await self._bridge.call(lambda engine: engine.api.deliveries.page(wanted, before, PAGE))

    async def _pages(self, before: int | None, count: int) -> tuple[list[DeliveryView], int | None]:
        """At least `count` rows older than `before`, or all there are; and the id before which more continue."""
        rows: list[DeliveryView] = []
        while True:
            page = await self._ask(before)
            rows += page.rows
            before = page.before
            if before is None or len(rows) >= count:
                return rows, before

    async def _reload(self) -> None:
        rows, before = await self._pages(None, 1)
        self.beginResetModel()
        self.rows, self._before, self.is_loaded = rows, before, True
        self.endResetModel()
        self.loaded.emit()

    async def _renew(self) -> None:
        """Read again what is in the list: selection and place stay."""
        while True:
            top = self._newest_id()
            rows, before = await self._pages(None, max(len(self.rows), 1))
            if top == self._newest_id():
                break
        self.show_rows(rows)
        self._before = before
        self.loaded.emit()

    async def _more(self) -> None:
        while self._before is not None:
            began = (self._before, self.wanted)
            rows, before = await self._pages(self._before, 1)
            if began != (self._before, self.wanted):
                continue  # the list was reloaded in the meantime
            self._before = before
            if rows:
                self.beginInsertRows(QModelIndex(), len(self.rows), len(self.rows) + len(rows) - 1)
                self.rows += rows
                self.endInsertRows()
            return

    async def _newest(self) -> None:
        top, before = self._newest_id(), None
        new: list[DeliveryView] = []
        for _ in range(_MOST_NEW):
            page = await self._ask(before)
            fit = [view for view in page.rows if view.id > top]
            new += fit
            before = page.before
            if before is None or before <= top + 1 or len(fit) < len(page.rows):
                break
        else:
            self.reload()
            return
        if new and top == self._newest_id():
            self.beginInsertRows(QModelIndex(), 0, len(new) - 1)
            self.rows[:0] = new
            self.endInsertRows()


def _alignment(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column in {TRIES, NEXT} else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
