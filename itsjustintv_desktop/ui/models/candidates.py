"""Channels found in a pasted text: each can be taken or left, and what cannot be taken says why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import QCoreApplication, Qt

from itsjustintv_desktop.engine import FoundChannel
from itsjustintv_desktop.ui.formatting import number, translate
from itsjustintv_desktop.ui.models.rows import Index, KeyedRows

CHANNEL, ABOUT = range(2)


@dataclass(frozen=True, slots=True)
class Candidate:
    """`channel` is None before Twitch was asked, and for what names no channel."""

    name: str
    channel: FoundChannel | None = None
    reason: str = ""
    taken: bool = False

    @property
    def can_be_taken(self) -> bool:
        return self.channel is not None and bool(self.channel.user_id) and not self.channel.watched_as


class CandidatesModel(KeyedRows[Candidate]):
    """A box to tick in the first column of those that can be taken."""

    def __init__(self) -> None:
        super().__init__((_tr("Channel"), _tr("What was found")), lambda row: row.name)

    @property
    def taken(self) -> list[FoundChannel]:
        return [row.channel for row in self.rows if row.taken and row.channel is not None]

    def begin(self, names: Sequence[str], ignored: Iterable[tuple[str, str]]) -> None:
        """Names to be looked up, and words with the reason why they are none."""
        rows = [Candidate(name) for name in names]
        rows += [Candidate(text, reason=translate(reason)) for text, reason in ignored]
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def found(self, channels: Iterable[FoundChannel]) -> None:
        """What Twitch said of some of the names. Channels that are new are ticked."""
        by_name = {channel.name: channel for channel in channels}
        for number_, row in enumerate(self.rows):
            channel = by_name.get(row.name)
            if channel is not None and row.channel is None:
                made = Candidate(row.name, channel, _reason(channel))
                self._put(number_, replace(made, taken=made.can_be_taken))

    def left(self, names: Iterable[str], reason: str) -> None:
        """These were not looked up."""
        wanted = set(names)
        for number_, row in enumerate(self.rows):
            if row.name in wanted and row.channel is None and not row.reason:
                self._put(number_, replace(row, reason=reason))

    def take_all(self, taken: bool) -> None:
        for number_, row in enumerate(self.rows):
            if row.can_be_taken and row.taken != taken:
                self._put(number_, replace(row, taken=taken))

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        if index.isValid() and index.column() == CHANNEL and self.rows[index.row()].can_be_taken:
            flags |= Qt.ItemFlag.ItemIsUserCheckable
        return flags

    def setData(  # noqa: N802 - Qt's name
        self, index: Index, value: Any, role: int = int(Qt.ItemDataRole.EditRole)
    ) -> bool:
        row = self.rows[index.row()]
        if role != Qt.ItemDataRole.CheckStateRole or not row.can_be_taken:
            return False
        self._put(index.row(), replace(row, taken=Qt.CheckState(value) is Qt.CheckState.Checked))
        return True

    def cell(self, row: Candidate, column: int, role: int) -> Any:
        if role == Qt.ItemDataRole.CheckStateRole and column == CHANNEL and row.can_be_taken:
            return Qt.CheckState.Checked if row.taken else Qt.CheckState.Unchecked
        if role == Qt.ItemDataRole.DisplayRole:
            if column == CHANNEL:
                return row.channel.display_name or row.name if row.channel is not None else row.name
            return row.reason or (_about(row.channel) if row.channel is not None else _tr("…"))
        return None

    def _put(self, number_: int, row: Candidate) -> None:
        self.rows[number_] = row
        self.dataChanged.emit(self.index(number_, 0), self.index(number_, ABOUT))


def _about(channel: FoundChannel) -> str:
    parts = [f"twitch.tv/{channel.login}"]
    if channel.followers is not None:
        parts.append(_tr("{} followers").format(number(channel.followers)))
    if channel.live:
        parts.append(_tr("live now"))
    return " · ".join(parts)


def _reason(channel: FoundChannel) -> str:
    if channel.watched_as:
        return _tr("Watched already, as {}").format(channel.watched_as)
    return translate(channel.problem) if channel.unknown or not channel.user_id else ""


def _tr(text: str) -> str:
    return QCoreApplication.translate("candidates", text)
