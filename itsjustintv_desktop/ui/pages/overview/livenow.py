"""Who is live now."""

from __future__ import annotations

import time
from collections.abc import Mapping

from PySide6.QtCore import QTimer
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from itsjustintv_desktop.engine.core.models import LiveStream
from itsjustintv_desktop.ui.formatting import number, span
from itsjustintv_desktop.ui.images import Pictures
from itsjustintv_desktop.ui.plain import channel_address, open_address, plain, readable
from itsjustintv_desktop.ui.widgets.avatar import Avatar
from itsjustintv_desktop.ui.widgets.basic import Card, Dot, Elided, column, icon_button, label

MOST = 8
AT_ONCE = 2
"""Rows made in one turn of the screen: each takes some milliseconds to make and to lay out."""


class LiveNow(Card):
    """At most MOST channels, the rest as a number. Rows are made once and then say something else."""

    def __init__(self, pictures: Pictures) -> None:
        super().__init__()
        self._pictures = pictures
        self._hashes: Mapping[str, str] = {}
        pictures.arrived.connect(lambda _: self._fill())
        self._dot = Dot("off", self.tr("nobody"))
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self._dot)
        head.addWidget(label(self.tr("Live now"), "heading"))
        head.addStretch(1)
        self.body.addLayout(head)
        self._nobody = label(self.tr("Nobody you watch is live at the moment."), "muted", wrap=True)
        self._more = label("", "muted")
        self._list = QVBoxLayout()
        self._list.setSpacing(12)
        self._list.addWidget(self._nobody)
        self._list.addWidget(self._more)
        self.body.addLayout(self._list)
        self.body.addStretch(1)
        self._rows: list[_Row] = []
        self._streams: tuple[LiveStream, ...] = ()
        self._nobody.hide()
        self._more.hide()
        self._next = QTimer(self, singleShot=True, interval=0)
        self._next.timeout.connect(self._fill)

    def show_streams(self, streams: tuple[LiveStream, ...], pictures: Mapping[str, str] | None = None) -> None:
        """`pictures`: hashes of those that are known, by the id of the channel."""
        self._streams, self._hashes = streams, pictures or {}
        self._dot.show_state("live" if streams else "off", self.tr("live") if streams else self.tr("nobody"))
        self._nobody.setVisible(not streams)
        more = len(streams) - MOST
        if more > 0:
            self._more.setText(self.tr("and %n more", "", more))
        self._more.setVisible(more > 0)
        self._fill()

    def _fill(self) -> None:
        """Say it in the rows there are, and make some of those that lack."""
        wanted = self._streams[:MOST]
        for _ in range(min(AT_ONCE, len(wanted) - len(self._rows))):
            made = _Row()
            self._list.insertWidget(len(self._rows), made)
            self._rows.append(made)
        for place, each in enumerate(self._rows):
            if place < len(wanted):
                stream = wanted[place]
                each.show_stream(stream, self._pictures.get(self._hashes.get(stream.broadcaster_id)))
            each.setVisible(place < len(wanted))
        if len(self._rows) < len(wanted):
            self._next.start()


class _Row(QWidget):
    """One channel: picture, name and since when, what it shows, viewers, a way there."""

    def __init__(self) -> None:
        super().__init__()
        self._name, self._what = Elided("", "strong"), Elided("", "muted")
        self._avatar, self._viewers = Avatar(), label("", "chip")
        self._open = icon_button("open", "", self._go)
        self._address = ""
        self._stream: LiveStream | None = None
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        layout.addWidget(self._avatar)
        layout.addLayout(column(self._name, self._what, spacing=0), 1)
        layout.addWidget(self._viewers)
        layout.addWidget(self._open)

    def show_stream(self, stream: LiveStream, picture: QPixmap | None) -> None:
        name = stream.name or stream.login
        self._avatar.show_channel(name, picture)
        since = f" · {span(time.time() - stream.started_at)}" if stream.started_at else ""
        self._name.say(f"{name}{since}")
        if stream == self._stream:
            return
        self._stream = stream
        about = stream.category or stream.title
        self._what.say(about)
        self._what.setVisible(bool(about))
        self._viewers.setText("" if stream.viewer_count is None else number(stream.viewer_count))
        self._viewers.setVisible(stream.viewer_count is not None)
        words = self.tr("Open the channel of {}").format(name)
        self._open.setAccessibleName(readable(words))
        self._open.setToolTip(plain(words))
        self._address = channel_address(stream.login)

    def _go(self) -> None:
        open_address(self._address)
