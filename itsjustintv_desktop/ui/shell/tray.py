"""The tray icon, which shows the overall state, and its menu with the most common actions."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QIcon
from PySide6.QtWidgets import QApplication, QMenu, QSystemTrayIcon

from itsjustintv_desktop.desktop.notifications import Notifications
from itsjustintv_desktop.engine import Snapshot
from itsjustintv_desktop.ui.plain import HINT, LINE, channel_address, for_menu, open_address, plain, readable
from itsjustintv_desktop.ui.shell.sidebar import open_page
from itsjustintv_desktop.ui.shell.trayicons import TrayState, tray_icon
from itsjustintv_desktop.ui.status import status_of
from itsjustintv_desktop.ui.store import Store

LOOK_MS = 3000
"""How often a host for tray icons is looked for while there is none: panels start after programs do."""
_MOST_LIVE = 10
_WIDEST = 90
"""Letters of an entry that says how things stand; the tray icon's hint has all of it."""


class Tray(QObject):
    """`wished` names what was chosen: open, settings, test, resume or quit; `pause_wished` until when (None = open)."""

    wished = Signal(str)
    seen = Signal(bool)
    """Whether a host shows it, each time that it was looked at."""
    pause_requested = Signal(object)

    def __init__(self, store: Store, notifications: Notifications | None = None) -> None:
        """`notifications`: the desktop's service for them, which is asked before the icon shows one."""
        super().__init__()
        self._notifications = notifications
        self._store = store
        self._state: TrayState = "stopped"
        self._said: tuple[str, ...] = ()
        """The headline, and what is wrong."""
        self._shown: tuple[object, ...] = ()
        """What the menu was made of, but for its first entries."""
        self._heads: list[QAction] = []
        self._menu = QMenu()
        self._menu.aboutToHide.connect(self._changed, Qt.ConnectionType.QueuedConnection)  # what came meanwhile
        self._icon = QSystemTrayIcon(self._picture(), self)
        self._icon.setContextMenu(self._menu)
        self._icon.activated.connect(self._activated)
        self._icon.messageClicked.connect(self._message_clicked)
        self._on_click: Callable[[], object] | None = None
        self._look = QTimer(self, interval=LOOK_MS)
        self._look.timeout.connect(self._find_host)
        store.changed.connect(self._changed)
        store.bridge.state_changed.connect(lambda _: self._changed())
        self._changed()
        self._find_host()
        self._look.start()

    @property
    def is_there(self) -> bool:
        """Whether there is a host that shows it."""
        return QSystemTrayIcon.isSystemTrayAvailable() and self._icon.isVisible()

    @property
    def state(self) -> TrayState:
        return self._state

    @property
    def menu(self) -> QMenu:
        return self._menu

    def say(self, title: str, text: str, do: Callable[[], object] | None = None) -> None:
        """A notification of the desktop; `do` when it is clicked."""
        title = self.tr("Demo: {}").format(title) if self._store.demo else title
        title, text, do = readable(title, LINE), readable(text, HINT), do or (lambda: None)
        by_icon = partial(self._show_by_icon, title, text, do)
        if self._notifications is None:
            by_icon()
        else:
            self._notifications.show(title, text, self._picture(), action=self.tr("Open"), do=do, otherwise=by_icon)

    def _show_by_icon(self, title: str, text: str, do: Callable[[], object]) -> None:
        self._on_click = do
        if self.is_there:
            self._icon.showMessage(title, text, self._picture())

    def hide(self) -> None:
        self._look.stop()
        self._icon.hide()

    @property
    def _is_over_dbus(self) -> bool:
        """Whether the desktop draws the icon and the menu, which it gets over D-Bus."""
        return sys.platform == "linux" and self._icon.isVisible() and not _shows_itself()

    def _entry(self, text: str) -> str:
        """A text of others as a line of the menu."""
        return for_menu(text, over_dbus=self._is_over_dbus)

    def _picture(self) -> QIcon:
        return tray_icon(self._state, demo=self._store.demo)

    def _find_host(self) -> None:
        if QSystemTrayIcon.isSystemTrayAvailable() and not self._icon.isVisible():
            self._icon.show()
            self._changed()
        self.seen.emit(self.is_there)

    def _changed(self) -> None:
        snapshot = self._store.snapshot
        running = self._store.bridge.state == "running"
        status = status_of(snapshot) if snapshot is not None and running else None
        state: TrayState = status.tray if status is not None else "stopped"
        if state != self._state:
            self._state = state
            self._icon.setIcon(self._picture())
        headline = status.headline if status is not None else self.tr("It is not running.")
        if self._store.demo:
            headline = self.tr("Demo: {}").format(headline)
        said = (headline, status.detail) if status is not None and status.detail else (headline,)
        if said != self._said:
            self._said = said
            self._icon.setToolTip(plain("\n".join(("itsjustintv", *said))))
        self._fill(snapshot if running else None)

    def _fill(self, snapshot: Snapshot | None) -> None:
        if self._menu.isVisible():
            return  # nothing moves under a person's pointer
        paused = snapshot is not None and snapshot.paused is not None
        update = snapshot.update if snapshot is not None else None
        shown = (self._is_over_dbus, snapshot is None, paused, update, len(self._said), *self._channels(snapshot))
        if shown == self._shown:
            for entry, line in zip(self._heads, self._said, strict=True):
                entry.setText(self._entry(_shortened(line)))
            return  # a full menu takes 5 ms to make, and a snapshot comes five times a second
        self._shown = shown
        self._menu.clear()
        self._heads = [self._add(self._entry(_shortened(line)), None) for line in self._said]
        for entry in self._heads:
            entry.setEnabled(False)
        if snapshot is not None:
            self._fill_live(snapshot)
            self._menu.addSeparator()
            self._fill_pause(snapshot)
            self._add(self.tr("Send a &test"), lambda: self.wished.emit("test"))
        self._menu.addSeparator()
        if update is not None:
            text = self.tr("&Version {} is there: download page").format(for_menu(update.version))
            self._add(text, partial(open_page, update))
        self._add(self.tr("&Open itsjustintv"), lambda: self.wished.emit("open"))
        self._add(self.tr("&Settings"), lambda: self.wished.emit("settings"))
        self._menu.addSeparator()
        end = self.tr("&End the demo") if self._store.demo else self.tr("&Quit")
        self._add(end, lambda: self.wished.emit("quit"))

    def _fill_live(self, snapshot: Snapshot) -> None:
        if snapshot.live:
            self._menu.addSeparator()
        for text, login in self._channels(snapshot):
            self._add(self._entry(text), partial(open_address, channel_address(login)))

    def _channels(self, snapshot: Snapshot | None) -> list[tuple[str, str]]:
        """What the entries of those who are live say, and their logins."""
        found = []
        for stream in snapshot.live[:_MOST_LIVE] if snapshot is not None else ():
            name = stream.name or stream.login
            found.append((f"{name}: {stream.category}" if stream.category else name, stream.login))
        return found

    def _fill_pause(self, snapshot: Snapshot) -> None:
        if snapshot.paused:
            self._add(self.tr("&Resume announcements"), lambda: self.wished.emit("resume"))
            return
        menu = self._menu.addMenu(self.tr("&Pause announcements"))
        menu.addAction(self.tr("For one hour")).triggered.connect(self._pause_an_hour)
        menu.addAction(self.tr("Until tomorrow")).triggered.connect(lambda: self.pause_requested.emit(_tomorrow()))
        menu.addAction(self.tr("Until I resume them")).triggered.connect(lambda: self.pause_requested.emit(None))

    def _pause_an_hour(self) -> None:
        self.pause_requested.emit(time.time() + 3600.0)

    def _add(self, text: str, do: Callable[[], object] | None) -> QAction:
        made = self._menu.addAction(text)
        if do is not None:
            made.triggered.connect(lambda: do())
        return made

    def _activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason in {QSystemTrayIcon.ActivationReason.Trigger, QSystemTrayIcon.ActivationReason.DoubleClick}:
            self.wished.emit("open")

    def _message_clicked(self) -> None:
        if self._on_click is not None:
            self._on_click()


def _shows_itself() -> bool:
    """Whether Qt draws the notifications, as plain text: with a tray that takes in windows (XEmbed)."""
    return any(each.inherits("QSystemTrayIconSys") for each in QApplication.topLevelWidgets())


def _shortened(line: str) -> str:
    """A menu is as wide as its longest entry."""
    return line if len(line) <= _WIDEST else f"{line[: _WIDEST - 1].rstrip()}…"


def _tomorrow() -> float:
    """The next morning at six, in local time: Unix seconds."""
    now = datetime.now().astimezone()
    morning = (now + timedelta(days=1)).replace(hour=6, minute=0, second=0, microsecond=0)
    return morning.timestamp()
