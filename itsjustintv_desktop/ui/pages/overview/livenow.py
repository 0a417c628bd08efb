"""Who is live now."""

from __future__ import annotations

import time

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout

from itsjustintv_desktop.engine.models import LiveStream
from itsjustintv_desktop.ui.widgets.avatar import Avatar
from itsjustintv_desktop.ui.widgets.basic import Card, Dot, Elided, clear, column, icon_button, label
from itsjustintv_desktop.ui.words import number, span

MOST = 8


class LiveNow(Card):
    """At most MOST channels, the rest as a number."""

    def __init__(self) -> None:
        super().__init__()
        self._dot = Dot("off")
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self._dot)
        head.addWidget(label(self.tr("Live now"), "heading"))
        head.addStretch(1)
        self.body.addLayout(head)
        self._list = QVBoxLayout()
        self._list.setSpacing(12)
        self.body.addLayout(self._list)
        self._shown: tuple[tuple[LiveStream, ...], int] | None = None
        """The streams with a row, and how many there are."""
        self._more: QLabel | None = None

    def show_streams(self, streams: tuple[LiveStream, ...]) -> None:
        shown = (streams[:MOST], len(streams))
        if shown == self._shown:
            return
        before, self._shown = self._shown, shown
        if self._more is not None and before is not None and before[0] == shown[0] and len(streams) > MOST:
            self._more.setText(self.tr("and %n more", "", len(streams) - MOST))
            return
        clear(self._list)
        self._more = None
        self._dot.show_state("live" if streams else "off", self.tr("live") if streams else self.tr("nobody"))
        if not streams:
            self._list.addWidget(label(self.tr("Nobody you watch is live at the moment."), "muted", wrap=True))
        for stream in streams[:MOST]:
            self._list.addLayout(self._row(stream))
        if len(streams) > MOST:
            self._more = label(self.tr("and %n more", "", len(streams) - MOST), "muted")
            self._list.addWidget(self._more)

    def _row(self, stream: LiveStream) -> QHBoxLayout:
        name = stream.name or stream.login
        since = f" · {span(time.time() - stream.started_at)}" if stream.started_at else ""
        words = column(Elided(f"{name}{since}", "strong"), Elided(stream.category or stream.title, "muted"), spacing=0)
        made = QHBoxLayout()
        made.setSpacing(12)
        made.addWidget(Avatar(name))
        made.addLayout(words, 1)
        if stream.viewer_count is not None:
            made.addWidget(label(number(stream.viewer_count), "chip"))
        address = QUrl(f"https://twitch.tv/{stream.login}")
        made.addWidget(
            icon_button(
                "open", self.tr("Open the channel of {}").format(name), lambda: QDesktopServices.openUrl(address)
            )
        )
        return made
