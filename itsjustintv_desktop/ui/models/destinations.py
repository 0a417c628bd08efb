"""The destinations of the config as rows of a table."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QCoreApplication, Qt

from itsjustintv_desktop.engine import DestinationStatus
from itsjustintv_desktop.ui.models.rows import RowsModel
from itsjustintv_desktop.ui.widgets.basic import Tone
from itsjustintv_desktop.ui.words import number, said

NAME, STATE, WAITING = range(3)


class DestinationsModel(RowsModel[DestinationStatus]):
    def __init__(self) -> None:
        super().__init__((_tr("Destination"), _tr("State"), _tr("Waiting")), lambda row: row.name)

    def cell(self, row: DestinationStatus, column: int, role: int) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            texts = (row.name, state_of(row)[1], number(row.waiting) if row.waiting else _tr("none"))
            return texts[column]
        if role == Qt.ItemDataRole.ToolTipRole:
            return (
                sentence_of(row) if column == STATE else f"{row.name}\n{row.address}".strip() if column == NAME else ""
            ) or None
        if role == Qt.ItemDataRole.AccessibleTextRole and column == NAME:
            return f"{row.name}, {state_of(row)[1]}"
        return None


def state_of(row: DestinationStatus) -> tuple[Tone, str]:
    """A shape and a few words."""
    if row.state == "off" or not row.enabled:
        return "off", _tr("Switched off")
    if row.state == "paused":
        return ("off", _tr("Paused by you")) if row.paused_by_hand else ("attention", _tr("Paused"))
    if row.state == "open":
        return "attention", _tr("Left alone for the moment")
    if row.state == "half-open":
        return "attention", _tr("Tried again")
    if not row.users:
        return "attention", _tr("Used by no streamer")
    return "ok", _tr("Well")


def sentence_of(row: DestinationStatus) -> str:
    """What stands in the way, and what happens then; "" for nothing."""
    reason = row.reason.strip()
    if reason and not reason.endswith((".", "!", "?")):
        reason += "."
    reason = said(reason)
    if row.state == "paused":
        return f"{reason} {_tr('Nothing is sent there until it is resumed; what is due waits.')}".strip()
    if row.state in {"open", "half-open"}:
        more = _tr("It failed several times, so one delivery at a time tries whether it answers again.")
        return f"{reason} {more}".strip()
    if row.state == "off":
        return _tr("Nothing is sent there while it is switched off; what waits stays.")
    unused = "" if row.users else _tr("No streamer that is switched on announces there.")
    return " ".join(part for part in (reason, said(row.note), unused) if part)


def format_name(name: str) -> str:
    return {"json": "JSON", "discord": "Discord", "slack": "Slack"}.get(name, name)


def _tr(text: str) -> str:
    return QCoreApplication.translate("destinations", text)
