"""Deliveries as a table of any length: a few pages of it are in memory, the others are read when they come in sight."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFont
from PySide6.QtWidgets import QApplication

from itsjustintv_desktop.engine import DeliveryFilter, DeliveryIndex, DeliveryPage, events
from itsjustintv_desktop.engine.core.models import DeliveryState, DeliveryView
from itsjustintv_desktop.ui.bridge import Bridge
from itsjustintv_desktop.ui.delivery_text import DeliveryHold, answer_of, word_of
from itsjustintv_desktop.ui.formatting import countdown
from itsjustintv_desktop.ui.models.rows import as_text
from itsjustintv_desktop.ui.theme import theme

PAGE = 200
KEPT = 30
"""Pages in memory."""
SOON_MS = 300
TIDY_MS = 3000
"""After so long without a change, what fits the filter no longer leaves the list."""
_MOST_NEW = 10
"""Pages of new ones that are put on top; where more came, the list is read anew."""
_AT_ONCE = 4
"""Pages wanted at a time: who scrolls on does not wait for those passed by."""
_END = 2**62

STATE, DESTINATION, STREAMER, ANSWER, TRIES, NEXT = range(6)
Index = QModelIndex | QPersistentModelIndex
Start = Callable[..., bool]
_NOWHERE = QModelIndex()


class DeliveriesModel(QAbstractTableModel):
    """Newest first. `loaded` after each time the list was read; `on_top(int)`: so many rows came in above the others.

    `start(name, coroutine, replace=...)` runs work and shows its errors; see Page.do.
    """

    loaded = Signal()
    on_top = Signal(int)

    def __init__(self, bridge: Bridge, start: Start, parent: QObject) -> None:
        super().__init__(parent)
        self._bridge, self._start = bridge, start
        self.wanted = DeliveryFilter()
        self.is_loaded = False
        self.held: Mapping[str, DeliveryHold] = {}
        """What holds the deliveries of a destination, by its name."""
        self._fresh: list[DeliveryView] = []
        self._count = 0
        self._marks: tuple[int, ...] = ()
        self._pages: OrderedDict[int, list[DeliveryView]] = OrderedDict()
        self._stale: set[int] = set()
        self._queue: list[int] = []
        self._look = self._timer(SOON_MS, lambda: self._start("newest", self._newest()))
        self._reread = self._timer(SOON_MS, self._again)
        self._read = self._timer(0, lambda: self._start("rows", self._read_wanted()))
        self._tidy = self._timer(TIDY_MS, lambda: self._start("tidy", self._tidy_up()))

    # What the table asks

    def rowCount(self, parent: Index = _NOWHERE) -> int:  # noqa: N802 - Qt's name
        return 0 if parent.isValid() else len(self._fresh) + self._count

    def columnCount(self, parent: Index = _NOWHERE) -> int:  # noqa: N802 - Qt's name
        return 0 if parent.isValid() else 6

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:  # noqa: N802 - Qt's name
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            names = ("", self.tr("Destination"), self.tr("Streamer"), self.tr("Last answer"), self.tr("Tries"))
            return (*names, self.tr("Next"))[section]
        if role == Qt.ItemDataRole.AccessibleTextRole and section == STATE:
            return self.tr("State")
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(section)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        return as_text(self._cell(index, role), role)

    def _cell(self, index: Index, role: int) -> Any:
        view = self.view(index.row())
        column = index.column()
        if view is None:
            return "…" if role == Qt.ItemDataRole.DisplayRole and column == DESTINATION else None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(view, column)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        if role == Qt.ItemDataRole.ForegroundRole:
            return QColor(theme().palette.text2 if column in {ANSWER, NEXT} else theme().palette.text1)
        if role == Qt.ItemDataRole.FontRole and column == DESTINATION:
            font = QFont(QApplication.font())
            font.setWeight(QFont.Weight.DemiBold)
            return font
        if role == Qt.ItemDataRole.ToolTipRole:
            return word_of(view.state) if column == STATE else self._text(view, column)
        if role == Qt.ItemDataRole.AccessibleTextRole and column == STATE:
            return word_of(view.state)
        return None

    def view(self, row: int) -> DeliveryView | None:
        """The delivery of a row; None while it is being read, and where it left the list meanwhile."""
        if row < len(self._fresh):
            return self._fresh[row] if row >= 0 else None
        page, place = divmod(row - len(self._fresh), PAGE)
        rows = self._pages.get(page)
        if rows is None or page in self._stale:
            self._want(page)
        else:
            self._pages.move_to_end(page)
        return rows[place] if rows is not None and place < len(rows) else None

    def row_of(self, delivery_id: int) -> int | None:
        """Where it is, if it is in memory."""
        place = _place_of(delivery_id, self._fresh)
        if place is not None:
            return place
        page = self._page_of(delivery_id)
        place = _place_of(delivery_id, self._pages.get(page, []))
        return None if place is None else len(self._fresh) + page * PAGE + place

    async def ids(self, parts: Sequence[range]) -> list[int]:
        """The ids of rows; those that are not in memory are read."""
        found: list[int] = []
        pages: dict[int, list[DeliveryView]] = {}
        for row in (row for part in parts for row in part):
            if row < len(self._fresh):
                found.append(self._fresh[row].id)
                continue
            page, place = divmod(row - len(self._fresh), PAGE)
            if page not in pages:
                pages[page] = self._pages.get(page) or await self._fetch(page)
            if place < len(pages[page]):
                found.append(pages[page][place].id)
        return found

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
        """Change rows in place; new ones are looked for soon."""
        for event in batch:
            if isinstance(event, events.DeliveryChanged):
                self._change(event)
            elif isinstance(event, events.DeliveriesChanged):
                self.again()
            elif isinstance(event, events.EventSettled) and event.state == "announced":
                self._look_soon()

    def again(self) -> None:
        """Something was missed, or changed at large: read it all anew, in place."""
        if self.is_loaded and not self._reread.isActive():
            self._reread.start()

    def _change(self, event: events.DeliveryChanged) -> None:
        row = self.row_of(event.id)
        if row is None:
            if event.id > self._newest_id():
                self._look_soon()
            return
        old = self.view(row)
        assert old is not None
        new = msgspec.structs.replace(
            old, state=event.state, attempts=event.attempts, next_at=event.next_at, last_status=event.status,
            last_error=event.error,
        )  # fmt: skip
        if row < len(self._fresh):
            self._fresh[row] = new
        else:
            page, place = divmod(row - len(self._fresh), PAGE)
            self._pages[page][place] = new
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

    def _again(self) -> None:
        if not self._start("list", self._count_anew()):
            self._reread.start()

    def _newest_id(self) -> int:
        if self._fresh:
            return self._fresh[0].id
        return self._marks[0] - 1 if self._marks and self._count else 0

    def _page_of(self, delivery_id: int) -> int:
        """The page that has it, if any does. Marks go down."""
        return max(bisect_left(self._marks, -delivery_id, key=lambda mark: -mark) - 1, 0)

    def _want(self, page: int) -> None:
        if page not in self._queue:
            self._queue = [*self._queue[-_AT_ONCE + 1 :], page]
            if not self._read.isActive():
                self._read.start()

    async def _ask(self, before: int | None) -> DeliveryPage:
        wanted = self.wanted
        return await self._bridge.call(lambda engine: engine.api.deliveries(wanted, before, PAGE))

    async def _fetch(self, page: int) -> list[DeliveryView]:
        marks = self._marks
        if page >= len(marks):
            return []
        end = marks[page + 1] if page + 1 < len(marks) else 0
        found = await self._ask(marks[page])
        rows = [view for view in found.rows if view.id >= end]
        if marks is self._marks and len(rows) < min(PAGE, self._count - page * PAGE):
            self._tidy.start()  # some left the list since it was counted
        return rows

    async def _read_wanted(self) -> None:
        while self._queue:
            page, marks = self._queue[-1], self._marks
            rows = await self._fetch(page)
            if marks is not self._marks:
                continue
            if page in self._queue:
                self._queue.remove(page)
            self._pages[page] = rows
            self._stale.discard(page)
            while len(self._pages) > KEPT:
                self._pages.popitem(last=False)
            first = len(self._fresh) + page * PAGE
            last = min(first + PAGE, self.rowCount()) - 1
            if last >= first:
                self.dataChanged.emit(self.index(first, 0), self.index(last, NEXT))

    async def _reload(self) -> None:
        """The first page at once; then, where there is more, how much."""
        page = await self._ask(None)
        rows = list(page.rows)
        mark = rows[0].id + 1 if rows else _END
        self._reset(DeliveryIndex(count=len(rows), marks=(mark,) if rows else ()), {0: rows} if rows else {})
        if page.before is None:
            return
        wanted = self.wanted
        index = await self._bridge.call(lambda engine: engine.api.delivery_index(wanted))
        same = bool(rows) and len(rows) == PAGE and index.marks[:1] == (mark,) and not self._fresh
        if same and index.count > len(rows):
            self.beginInsertRows(QModelIndex(), len(rows), index.count - 1)
            self._count, self._marks = index.count, index.marks
            self.endInsertRows()
            self.loaded.emit()
        else:
            self._reset(index, {})

    async def _count_anew(self) -> None:
        """As `_reload`, without a moment in which the list is short."""
        if self.rowCount() <= PAGE:
            await self._reload()
            return
        wanted = self.wanted
        self._reset(await self._bridge.call(lambda engine: engine.api.delivery_index(wanted)), {})

    def _reset(self, index: DeliveryIndex, pages: dict[int, list[DeliveryView]]) -> None:
        self.beginResetModel()
        self._fresh, self._queue, self._stale = [], [], set()
        self._count, self._marks, self._pages = index.count, index.marks, OrderedDict(pages)
        self.is_loaded = True
        self.endResetModel()
        self.loaded.emit()

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
            self._fresh = new + self._fresh
            self.endInsertRows()
            self.on_top.emit(len(new))

    async def _tidy_up(self) -> None:
        """Rows that fit no longer go, one by one in a short list; a long one is counted anew."""
        if self.rowCount() > PAGE:
            await self._count_anew()
            return
        page = await self._ask(None)
        staying = {view.id for view in page.rows}
        for row in range(self.rowCount() - 1, -1, -1):
            view = self.view(row)
            if view is not None and view.id not in staying:
                self.beginRemoveRows(QModelIndex(), row, row)
                if row < len(self._fresh):
                    del self._fresh[row]
                else:
                    del self._pages[0][row - len(self._fresh)]
                    self._count -= 1
                self.endRemoveRows()
        self.loaded.emit()


def _place_of(delivery_id: int, rows: list[DeliveryView]) -> int | None:
    """Ids go down."""
    place = bisect_left(rows, -delivery_id, key=lambda view: -view.id)
    return place if place < len(rows) and rows[place].id == delivery_id else None


def _alignment(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column in {TRIES, NEXT} else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
