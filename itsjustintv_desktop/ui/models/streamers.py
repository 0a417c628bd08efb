"""The streamers of the config as rows of a table, with who is live."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from PySide6.QtCore import QCoreApplication, QSortFilterProxyModel, Qt

from itsjustintv_desktop.engine import Level, Snapshot, StreamerView
from itsjustintv_desktop.engine.core.models import LiveStream
from itsjustintv_desktop.ui.formatting import number, translate
from itsjustintv_desktop.ui.models.rows import ROW_ROLE, Index, KeyedRows, removed
from itsjustintv_desktop.ui.status import TONES
from itsjustintv_desktop.ui.widgets.basic import Tone

NAME, STATE, FILTER, DESTINATIONS = range(4)
_WORSE = frozenset({Level.ATTENTION, Level.FAILING})


@dataclass(frozen=True, slots=True)
class StreamerRow:
    view: StreamerView
    stream: LiveStream | None

    @property
    def name(self) -> str:
        return self.view.display_name or self.view.login or self.view.key


class StreamersModel(KeyedRows[StreamerRow]):
    """`show` a snapshot."""

    def __init__(self) -> None:
        titles = (_tr("Streamer"), _tr("State"), _tr("Filter"), _tr("Destinations"))
        super().__init__(titles, lambda row: row.view.key)

    def show(self, snapshot: Snapshot) -> None:
        live = {stream.broadcaster_id: stream for stream in snapshot.live}
        by_login = {stream.login: stream for stream in snapshot.live}
        self.show_rows(
            [
                StreamerRow(view, (live.get(view.user_id) or by_login.get(view.login)) if view.live else None)
                for view in snapshot.streamers
            ]
        )

    def gone(self, row: StreamerRow) -> StreamerRow:
        return StreamerRow(msgspec.structs.replace(row.view, status=removed(), live=False), None)

    def cell(self, row: StreamerRow, column: int, role: int) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            return _text(row, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return _hint(row, column) or None
        if role == Qt.ItemDataRole.AccessibleTextRole and column == NAME:
            return f"{row.name}, {_text(row, STATE)}"
        return None


class StreamersFilter(QSortFilterProxyModel):
    """What a person looks for: in names, tags, destinations and states. Sorting puts who is live first."""

    def __init__(self) -> None:
        super().__init__()
        self._words: tuple[str, ...] = ()

    def look_for(self, text: str) -> None:
        self._words = tuple(text.casefold().split())
        self.invalidate()

    def filterAcceptsRow(self, source_row: int, source_parent: Index) -> bool:  # noqa: N802 - Qt's name
        if not self._words:
            return True
        row: StreamerRow = self.sourceModel().index(source_row, 0, source_parent).data(ROW_ROLE)
        view = row.view
        parts = (view.key, view.login, view.display_name, *view.tag_filter, *view.destinations, _text(row, STATE))
        text = "\n".join(parts).casefold()
        return all(word in text for word in self._words)

    def lessThan(self, left: Index, right: Index) -> bool:  # noqa: N802 - Qt's name
        column = left.column()
        return bool(_order(left.data(ROW_ROLE), column) < _order(right.data(ROW_ROLE), column))


def live_of(row: StreamerRow) -> str:
    """That it is live, with its viewers where they are known; "" where it is not."""
    viewers = row.stream.viewer_count if row.stream is not None else None
    if not row.view.live:
        return ""
    return _tr("Live") if viewers is None else _tr("Live · {}").format(number(viewers))


def state_of(row: StreamerRow) -> tuple[Tone, str]:
    """How it is with its announcements, as a shape and a word or two; where all is well, whether it is live."""
    status = row.view.status
    tone, live = TONES[status.level], live_of(row)
    if tone == "ok":
        return ("live", live) if live else ("off", translate(status.word) or _tr("Offline"))
    return tone, translate(status.word) or _tr("Offline")


def facts_of(row: StreamerRow) -> list[tuple[Tone, str]]:
    """That it is live, and what is wrong, are two facts."""
    live, state = live_of(row), state_of(row)
    return [("live", live), state] if live and state[0] != "live" else [state]


def problem_of(view: StreamerView) -> str:
    """What stands in the way of its announcements or needs a look, as sentences; "" for nothing."""
    status = view.status
    return f"{translate(status.reason)} {translate(status.fix)}".strip() if status.level in _WORSE else ""


def _text(row: StreamerRow, column: int) -> str:
    if column == NAME:
        return row.name
    if column == STATE:
        return ", ".join(word for _, word in facts_of(row))
    if column == FILTER:
        return ", ".join(row.view.tag_filter) or _tr("all")
    return ", ".join(row.view.destinations) or _tr("none")


def _hint(row: StreamerRow, column: int) -> str:
    if column == STATE:
        title = row.stream.title if row.stream is not None else ""
        return "\n".join(part for part in (_text(row, column), problem_of(row.view) or title) if part)
    return _text(row, column) if column in {FILTER, DESTINATIONS} else f"{row.name}\ntwitch.tv/{row.view.login}"


def _order(row: StreamerRow, column: int) -> tuple[int, str]:
    if column == STATE:
        rank: dict[str, int] = {"live": 0, "failed": 1, "attention": 1}
        viewers = row.stream.viewer_count or 0 if row.stream is not None else 0
        first = rank.get(facts_of(row)[0][0], 2 if row.view.enabled else 3)
        return first, f"{10**9 - viewers:010}{row.name.casefold()}"
    return 0, _text(row, column).casefold()


def _tr(text: str) -> str:
    return QCoreApplication.translate("streamers", text)
