"""The destinations of the config as rows of a table."""

from __future__ import annotations

from typing import Any

import msgspec
from PySide6.QtCore import QCoreApplication, Qt

from itsjustintv_desktop.engine import DestinationStatus, Level
from itsjustintv_desktop.engine.delivery import formats
from itsjustintv_desktop.ui.formatting import number, translate
from itsjustintv_desktop.ui.models.rows import KeyedRows, removed
from itsjustintv_desktop.ui.status import TONES
from itsjustintv_desktop.ui.widgets.basic import Tone

NAME, STATE, WAITING = range(3)


class DestinationsModel(KeyedRows[DestinationStatus]):
    def __init__(self) -> None:
        super().__init__((_tr("Destination"), _tr("State"), _tr("Waiting")), lambda row: row.name)

    def gone(self, row: DestinationStatus) -> DestinationStatus:
        return msgspec.structs.replace(row, status=removed(), waiting=0)

    def cell(self, row: DestinationStatus, column: int, role: int) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            texts = (row.name, state_of(row)[1], number(row.waiting) if row.waiting else _tr("none"))
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
    """What stands in the way, and what happens then; "" for nothing."""
    if row.status.level is Level.OK:
        return ""
    if row.status.level is Level.PAUSED:
        return f"{translate(row.status.reason)} {_tr('Nothing is sent there until it is resumed; what is due waits.')}"
    return translate(row.status.reason)


def format_name(name: str) -> str:
    return formats.named(name).title


def _tr(text: str) -> str:
    return QCoreApplication.translate("destinations", text)
