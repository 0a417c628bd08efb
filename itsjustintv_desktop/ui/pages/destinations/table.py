"""The table of destinations, and the rows it shows."""

from __future__ import annotations

from typing import Any

import msgspec
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QPainter, QResizeEvent
from PySide6.QtWidgets import QStyleOptionViewItem

from itsjustintv_desktop.engine import DestinationStatus, Level
from itsjustintv_desktop.engine.delivery import formats
from itsjustintv_desktop.ui.formatting import number, tr, translate
from itsjustintv_desktop.ui.status import TONES
from itsjustintv_desktop.ui.widgets.basic import Tone
from itsjustintv_desktop.ui.widgets.table import EDGE, ROW_ROLE, CellDelegate, Index, KeyedRows, Table, removed

NAME, STATE, WAITING = range(3)


class DestinationsModel(KeyedRows[DestinationStatus]):
    def __init__(self) -> None:
        super().__init__((tr("Destination"), tr("State"), tr("Waiting")), lambda row: row.name)

    def gone(self, row: DestinationStatus) -> DestinationStatus:
        return msgspec.structs.replace(row, status=removed(), waiting=0)

    def cell(self, row: DestinationStatus, column: int, role: int) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            texts = (row.name, state_of(row)[1], number(row.waiting) if row.waiting else tr("none"))
            return texts[column]
        if role == Qt.ItemDataRole.ToolTipRole:
            hints = (f"{row.name}\n{row.address}", f"{state_of(row)[1]}\n{sentence_of(row)}", "")
            return hints[column].strip() or None
        if role == Qt.ItemDataRole.AccessibleTextRole and column == NAME:
            return f"{row.name}, {state_of(row)[1]}"
        return None


def state_of(row: DestinationStatus) -> tuple[Tone, str]:
    """A shape and a few words."""
    return TONES[row.status.level], translate(row.status.word)


def sentence_of(row: DestinationStatus) -> str:
    """What prevents delivery, and the consequence; "" for nothing."""
    if row.status.level is Level.OK:
        return ""
    if row.status.level is Level.PAUSED:
        return f"{translate(row.status.reason)} {tr('Nothing is sent there until it is resumed; what is due waits.')}"
    return translate(row.status.reason)


def format_name(name: str) -> str:
    return formats.named(name).title


class DestinationTable(Table):
    """One row is selected at a time; `key` is its name."""

    def __init__(self, name: str) -> None:
        self.rows = DestinationsModel()
        super().__init__(name, self.rows, row_height=56)
        self.setItemDelegate(_Delegate(self))

    @property
    def key(self) -> str:
        """The name of the one that is chosen, "" for none."""
        chosen = self.chosen()
        return self.rows.rows[chosen[0]].name if chosen else ""

    def choose_key(self, name: str) -> bool:
        """Select one; False if it is not there."""
        number = self.rows.place(name)
        if number < 0:
            return False
        self.choose(number)
        return True

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        super().resizeEvent(event)
        width = self.viewport().width()
        title = self.horizontalHeader().fontMetrics().horizontalAdvance(str(self.rows.titles[WAITING]))
        name, waiting = round(width * 0.4), max(title + 2 * EDGE + 4, min(80, width // 5))
        self.setColumnWidth(NAME, name)
        self.setColumnWidth(STATE, width - name - waiting)
        self.setColumnWidth(WAITING, waiting)


class _Delegate(CellDelegate):
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row: DestinationStatus = index.data(ROW_ROLE)
        if index.column() == NAME:
            self.back(painter, option)
            box = option.rect.adjusted(EDGE, 9, -4, -9)
            half = box.height() // 2
            host = row.address.split("/")[2] if row.address.count("/") > 1 else ""
            more = " · ".join(part for part in (format_name(row.format), host) if part)
            self.name(painter, option, index, row.name, QRect(box.left(), box.top(), box.width(), half))
            self.write(painter, option, more, QRect(box.left(), box.top() + half, box.width(), half))
        elif index.column() == STATE:
            self.back(painter, option)
            self.state(painter, option, *state_of(row))
        else:
            super().paint(painter, option, index)
