"""The lines of the log that fit a filter, the newest last; bounded like the engine's own memory of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from itsjustintv_desktop.engine import LogLine
from itsjustintv_desktop.ui.plain import readable

MOST = 2_000
LEVELS = ("debug", "info", "warning", "error", "critical")
_IDS = frozenset({"notification", "webhook_id", "message_id"})
Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()


class LogModel(QAbstractListModel):
    """`dropped(int)`: so many rows went away at the top."""

    dropped = Signal(int)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._all: deque[LogLine] = deque(maxlen=MOST)
        self._shown: list[LogLine] = []
        self.level = "debug"
        self.search = ""

    @property
    def last(self) -> int:
        """The number of the newest line; 0 before the first."""
        return self._all[-1].number if self._all else 0

    @property
    def is_empty(self) -> bool:
        """Nothing was logged at all, whatever the filter."""
        return not self._all

    def rowCount(self, parent: Index = _NOWHERE) -> int:  # noqa: N802 - Qt's name
        return 0 if parent.isValid() else len(self._shown)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role in {Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole} and index.isValid():
            return readable(one_line(self._shown[index.row()]))
        return None

    def line(self, row: int) -> LogLine:
        return self._shown[row]

    def add(self, lines: Sequence[LogLine]) -> None:
        """Newer ones, oldest first."""
        self._all.extend(lines)
        new = [line for line in lines if self._fits(line)][-MOST:]
        if new:
            first = len(self._shown)
            self.beginInsertRows(QModelIndex(), first, first + len(new) - 1)
            self._shown += new
            self.endInsertRows()
        oldest = self._all[0].number if self._all else 0
        gone = next((place for place, line in enumerate(self._shown) if line.number >= oldest), len(self._shown))
        if gone:
            self.beginRemoveRows(QModelIndex(), 0, gone - 1)
            del self._shown[:gone]
            self.endRemoveRows()
            self.dropped.emit(gone)

    def choose(self, level: str, search: str) -> None:
        """Show lines of this level and above that have `search` in them."""
        self.level, self.search = level, search.casefold()
        self.beginResetModel()
        self._shown = [line for line in self._all if self._fits(line)]
        self.endResetModel()

    def _fits(self, line: LogLine) -> bool:
        if line.level in LEVELS and LEVELS.index(line.level) < LEVELS.index(self.level):
            return False
        return not self.search or self.search in f"{line.logger} {one_line(line)}".casefold()


def said_besides(line: LogLine) -> str:
    """Its fields in one line; of a traceback the last line. Long ids come last."""
    parts = []
    for name, value in sorted(line.fields, key=lambda field: field[0] in _IDS):
        last = value.rstrip().rpartition("\n")[2]
        parts.append(last if name == "exception" else f"{name}={last}")
    return "  ".join(parts)


def one_line(line: LogLine) -> str:
    """ "14:52:33 warning  it is late  seconds=4"."""
    return f"{at(line)} {line.level}  {line.text}  {said_besides(line)}".rstrip()


def in_full(line: LogLine) -> str:
    """All of it, a field a line."""
    then = datetime.fromtimestamp(line.at)  # noqa: DTZ006 - a person's own time
    head = f"{then.strftime('%Y-%m-%d %H:%M:%S')} [{line.level}] {line.logger}\n{line.text}"
    return "\n".join([head, *(f"{name}: {value}" for name, value in line.fields)])


def at(line: LogLine) -> str:
    return datetime.fromtimestamp(line.at).strftime("%H:%M:%S")  # noqa: DTZ006 - a person's own time
