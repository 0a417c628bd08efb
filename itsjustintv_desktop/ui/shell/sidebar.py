"""The pages at the left, and below them the demo's and the update's lines."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from itsjustintv_desktop.engine import UpdateView, errors
from itsjustintv_desktop.ui.bridge import PageTasks
from itsjustintv_desktop.ui.plain import open_address, readable
from itsjustintv_desktop.ui.store import Store
from itsjustintv_desktop.ui.theme import icon, pixmap, theme
from itsjustintv_desktop.ui.theme.tokens import SIDEBAR
from itsjustintv_desktop.ui.widgets.basic import Dot, Elided, Tone, button, icon_button, label, row


class DemoBar(QFrame):
    """In the demo's window only."""

    def __init__(self, end: Callable[[], object]) -> None:
        super().__init__()
        self.setProperty("role", "demo")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(32, 8, 32, 8)
        layout.addWidget(label(self.tr("Demo"), "strong"))
        text = self.tr("Twitch is simulated on this computer. Nothing is really announced, and nothing you do is kept.")
        layout.addWidget(label(text, wrap=True), 1)
        self.end = button(self.tr("End the demo"), end, role="small")
        layout.addWidget(self.end)


def open_page(update: UpdateView) -> None:
    """The page of the download in the person's browser; the address was signed together with the version."""
    open_address(update.download_url)


class UpdateLine(QWidget):
    """Hidden while there is none. It queries the engine."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store
        self._update: UpdateView | None = None
        self._tasks = PageTasks(self, self._failed)
        self.sentence = Elided("", "muted")
        self.page = button(self.tr("Download page"), self._open, role="small")
        self.skip = icon_button("cross", self.tr("Skip this version"), self._skip)
        line = row(self.page, None, self.skip)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 0, 0, 14)
        layout.setSpacing(6)
        layout.addWidget(self.sentence)
        layout.addLayout(line)
        store.changed.connect(self._changed)
        store.bridge.state_changed.connect(lambda _: self._changed())
        self.hide()

    def _changed(self) -> None:
        snapshot = self._store.snapshot
        update = snapshot.update if snapshot is not None and self._store.bridge.state == "running" else None
        if update == self._update:
            return
        self._update = update
        if update is not None:
            self.sentence.say(self.tr("Version {} is there").format(update.version))
            self.page.setAccessibleName(readable(self.tr("Download page of version {}").format(update.version)))
        self.setVisible(update is not None)

    def _open(self) -> None:
        if self._update is not None:
            open_page(self._update)

    def _skip(self) -> None:
        if self._update is not None:
            version = self._update.version
            self._tasks.start("skip", self._store.bridge.call(lambda engine: engine.api.updates.skip(version)))

    def _failed(self, _: errors.AppError) -> None:
        """It stays, to be tried again; the log has why."""


MOST_SHOWN = 999
"""A longer number would lie over the page's name; it is said in whole to those who hear it."""


class NavButton(QPushButton):
    """One page: its icon, its name, and a number behind it."""

    def __init__(self, name: str, icon_name: str) -> None:
        super().__init__(f"  {name}")  # the style has no setting for the room between icon and text
        self.setAccessibleName(readable(name))
        self.setProperty("role", "nav")
        self.setCheckable(True)
        self.setIconSize(QSize(17, 17))
        self._icon_name, self._name = icon_name, name
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 8, 0)
        layout.addStretch(1)
        self._count = label("", "chip")
        self._count.hide()
        layout.addWidget(self._count)
        self.toggled.connect(self._tint)
        theme().changed.connect(self._tint)
        self._tint()

    def count(self, number: int) -> None:
        """0 shows none."""
        self._count.setText(str(number) if number <= MOST_SHOWN else f"{MOST_SHOWN}+")
        self._count.setVisible(number > 0)
        self.setAccessibleName(readable(f"{self._name}, {number}" if number else self._name))

    def _tint(self) -> None:
        palette = theme().palette
        self.setIcon(icon(self._icon_name, palette.text1 if self.isChecked() else palette.text2))


class Sidebar(QWidget):
    """`chosen` names the page a person wants to see."""

    chosen = Signal(str)
    pause_requested = Signal()
    quit_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("sidebar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)  # else the style sheet's background is not painted
        self.setFixedWidth(SIDEBAR)
        self._buttons: dict[str, NavButton] = {}
        self._group = QButtonGroup(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 20, 12, 20)
        layout.setSpacing(2)
        self._picture = QLabel()
        layout.addLayout(self._brand())
        layout.addSpacing(16)
        self._list = QVBoxLayout()
        self._list.setSpacing(2)
        layout.addLayout(self._list)
        layout.addStretch(1)
        self._dot, self._status = Dot(), Elided("", "muted")
        self._pause = button("", self.pause_requested.emit, role="small")
        self.quit = button(self.tr("Quit"), self.quit_requested.emit, role="link")
        foot = row(self._dot, self._status, spacing=10)
        foot.setContentsMargins(10, 0, 0, 6)
        foot.setStretch(1, 1)
        self._foot = layout
        layout.addLayout(foot)
        layout.addLayout(row(self._pause, None, self.quit))
        self.quit.hide()

    def add(self, key: str, name: str, icon_name: str) -> None:
        """One more page, reachable by Ctrl and its place in the list."""
        made = NavButton(name, icon_name)
        self._group.addButton(made)
        self._list.addWidget(made)
        self._buttons[key] = made
        self.setTabOrder(made, self._pause)  # it is below them
        made.clicked.connect(lambda: self.chosen.emit(key))
        shortcut = QShortcut(QKeySequence(f"Ctrl+{len(self._buttons)}"), self)
        shortcut.activated.connect(lambda: self.chosen.emit(key))

    def put_above_status(self, part: QWidget, *controls: QWidget) -> None:
        """One more part at the foot. Tab reaches its controls after the pages added so far."""
        self._foot.insertWidget(self._foot.count() - 2, part)
        order = [*self._buttons.values(), *controls, self._pause, self.quit]
        for before, after in pairwise(order):
            self.setTabOrder(before, after)

    def select(self, key: str) -> None:
        self._buttons[key].setChecked(True)

    def count(self, key: str, number: int) -> None:
        self._buttons[key].count(number)

    def show_status(self, tone: Tone, word: str, action: str, sentence: str = "") -> None:
        """`action`: what the button below is called; "" hides it. `sentence`: more than the word, as a hint."""
        self._dot.show_state(tone, sentence or word)
        self._status.say(word)
        self._pause.setText(action)
        self._pause.setVisible(bool(action))

    def _brand(self) -> QHBoxLayout:
        name = label("itsjustintv", "heading")
        self._picture.setAccessibleName("itsjustintv")
        theme().changed.connect(self._tint)
        self._tint()
        made = QHBoxLayout()
        made.setContentsMargins(8, 0, 0, 0)
        made.setSpacing(10)
        made.addWidget(self._picture)
        made.addWidget(name)
        made.addStretch(1)
        return made

    def _tint(self) -> None:
        self._picture.setPixmap(pixmap("brand", theme().palette.accent, 22))
