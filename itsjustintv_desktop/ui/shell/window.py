"""The window: sidebar at the left, one page at the right. Closing it leaves the program in the tray."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from itsjustintv_desktop.ui.pages import ENTRIES, Entry
from itsjustintv_desktop.ui.pages.base import Page
from itsjustintv_desktop.ui.preferences import Preferences
from itsjustintv_desktop.ui.shell.failed import Failed
from itsjustintv_desktop.ui.shell.sidebar import DemoBar, NavButton, Sidebar, UpdateLine
from itsjustintv_desktop.ui.status import status_of
from itsjustintv_desktop.ui.store import Store
from itsjustintv_desktop.ui.widgets import focus
from itsjustintv_desktop.ui.widgets.dialog import Dialog
from itsjustintv_desktop.ui.widgets.states import Loading, Toast

SMALLEST = QSize(900, 600)
FIRST = QSize(1280, 800)
DEMO = QSize(1120, 740)
"""Another size than the program's own window, which it may lie on."""


class Window(QMainWindow):
    """`closing` is asked what to do when a person closes it: True = hide, False = stay as it is."""

    quit_requested = Signal()
    pause_requested = Signal()
    assistant_requested = Signal()

    def __init__(self, store: Store, preferences: Preferences, entries: tuple[Entry, ...] = ENTRIES) -> None:
        super().__init__()
        self.setWindowTitle("itsjustintv – Demo" if store.demo else "itsjustintv")
        self.setMinimumSize(SMALLEST)
        self.closing: Callable[[], bool] = lambda: True
        self._store, self._preferences = store, preferences
        self._entries = {entry.name: entry for entry in entries}
        self._pages: dict[str, Page] = {}
        self._current = ""
        self.sidebar = Sidebar()
        for entry in entries:
            self.sidebar.add(entry.name, entry.shown_title, entry.icon_name)
        self.update_line = UpdateLine(store)
        self.sidebar.put_above_status(self.update_line, self.update_line.page, self.update_line.skip)
        self._stack = QStackedWidget()
        self._loading = Loading(self.tr("Starting the engine"))
        self.failed = Failed(store.bridge.again, None if store.demo else self.quit_requested.emit)
        self._offers_quit = False
        self._stack.addWidget(self._loading)
        self._stack.addWidget(self.failed)
        middle = QWidget()
        middle.setObjectName("window")
        layout = QHBoxLayout(middle)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.sidebar)
        right = QVBoxLayout()
        if store.demo:
            right.setContentsMargins(0, 0, 0, 0)
            right.addWidget(DemoBar(self.quit_requested.emit))
        right.addWidget(self._stack, 1)
        layout.addLayout(right, 1)
        self.setCentralWidget(middle)
        self.toast = Toast(middle)
        self._stack.currentChanged.connect(self._turned)
        self.failed.told.connect(self.toast.say)
        self.sidebar.chosen.connect(self.show_page)
        self.sidebar.pause_requested.connect(self.pause_requested)
        self.sidebar.quit_requested.connect(self.quit_requested)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Quit), self).activated.connect(self.quit_requested)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Close), self).activated.connect(self.close)
        store.changed.connect(self._changed)
        store.bridge.state_changed.connect(self._state_changed)
        self._place()

    @property
    def current(self) -> str:
        """The name of the page in front, "" before the engine runs."""
        return self._current

    def page(self, name: str) -> Page:
        """The page of that name, made now if it was never shown."""
        if name not in self._pages:
            made = self._entries[name].make(self._store)
            made.go.connect(self.show_page)
            made.said.connect(lambda text, action, do: self.toast.say(text, action, do, made))
            self._stack.addWidget(made)
            self._pages[name] = made
        return self._pages[name]

    @property
    def unsaved(self) -> tuple[str, ...]:
        """What was typed on any page or in an open dialog and is not saved yet."""
        dialogs = [dialog for dialog in self.findChildren(Dialog) if not dialog.isHidden()]
        places: list[Page | Dialog] = [*self._pages.values(), *dialogs]
        return tuple(name for place in places for name in place.unsaved)

    def offer_quit(self, wanted: bool) -> None:
        """At the foot, where nothing else leads to the end of the program, such as the menu of a tray icon."""
        self._offers_quit = wanted
        self._turned()

    def show_page(self, name: str, what: object = None) -> None:
        """Bring a page to the front; "assistant" is none, and opens over whatever is there."""
        if name == "assistant":
            self.assistant_requested.emit()
            return
        if self._store.snapshot is None or name not in self._entries:
            return
        page = self.page(name)
        self._current = name
        self.sidebar.select(name)
        focused = self.focusWidget()
        self._stack.setCurrentWidget(page)
        self._preferences.page = name
        self._begin_focus(page, focused)
        page.activate(what)

    def _turned(self) -> None:
        shown = self._stack.currentWidget()
        self.toast.turn_to(shown)
        self.sidebar.quit.setHidden(not self._offers_quit or shown is self.failed)  # which has one of its own

    def _begin_focus(self, page: Page, focused: QWidget | None) -> None:
        """On the page itself, where no key does anything: Tab goes on to its first control. Who came through the
        sidebar stays there."""
        if not isinstance(focused, NavButton) and (focused is None or not page.isAncestorOf(focused)):
            page.setFocus(Qt.FocusReason.OtherFocusReason)

    def to_front(self) -> None:
        """Show it, wherever it was."""
        if self.isMinimized():
            self.showNormal()
        self.show()
        self.raise_()
        self.activateWindow()

    def remember(self) -> None:
        """Keep where it is for the next start."""
        self._preferences.geometry = self.saveGeometry()

    def focusNextPrevChild(self, next: bool) -> bool:  # noqa: A002, N802 - Qt's names
        return focus.moved(self) or super().focusNextPrevChild(next)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Back from the tray: the page in front was not kept up to date meanwhile."""
        super().showEvent(event)
        if self._current and not event.spontaneous():
            self._pages[self._current].activate()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        self.remember()
        event.ignore()
        if self.closing():
            self.hide()

    def _place(self) -> None:
        kept = self._preferences.geometry
        if kept is None or not self.restoreGeometry(kept):
            self.resize(DEMO if self._store.demo else FIRST)

    def _changed(self) -> None:
        snapshot = self._store.snapshot
        if snapshot is None:
            return
        if self._store.bridge.state != "running":
            return
        if self._stack.currentWidget() is self.failed or self._stack.currentWidget() is self._loading:
            last = self._preferences.page
            self.show_page(last if last in self._entries else next(iter(self._entries)))
        status = status_of(snapshot)
        self.sidebar.show_status(status.tone, status.word, status.action, status.headline)
        self.sidebar.count("streamers", len(snapshot.streamers))
        self.sidebar.count("destinations", len(snapshot.destinations))
        self.sidebar.count("deliveries", snapshot.deliveries.of("pending"))

    def _state_changed(self, state: str) -> None:
        if state == "failed" and self._store.bridge.error is not None:
            self.failed.show_error(self._store.bridge.error)
            self._stack.setCurrentWidget(self.failed)
            self.sidebar.show_status("failed", self.tr("Stopped"), "")
            self.failed.action.setFocus()
        elif state == "starting":
            self._stack.setCurrentWidget(self._loading)
            self.sidebar.show_status("off", self.tr("Starting"), "")
        elif state == "stopped":
            self.sidebar.show_status("off", self.tr("Stopped"), "")
