"""The base of every page: a title with actions, a banner, a body, and feedback on changes."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from itsjustintv_desktop.engine import Snapshot, events
from itsjustintv_desktop.ui.bridge import Bridge, PageTasks
from itsjustintv_desktop.ui.formatting import tr, translate
from itsjustintv_desktop.ui.plain import plain, readable
from itsjustintv_desktop.ui.store import Store
from itsjustintv_desktop.ui.theme.tokens import BAR_MARGIN, GAP, PAGE_MARGIN
from itsjustintv_desktop.ui.widgets.basic import fill, icon_button, label
from itsjustintv_desktop.ui.widgets.focus import follow
from itsjustintv_desktop.ui.widgets.states import Banner

if TYPE_CHECKING:
    from itsjustintv_desktop.engine import Saved


class Page(QWidget):
    """Created when first shown. `go` asks for another page by name, `said` for a short message (Toast)."""

    name = ""
    """For programs; the sidebar's key."""
    icon_name = ""
    go = Signal(str, object)
    """Name of a page, and what to show there (may be None)."""
    said = Signal(str, str, object)
    """A sentence, the words of an action ("" = none), and what that does."""

    def __init__(self, store: Store, title: str) -> None:
        super().__init__()
        self.store = store
        self.bridge: Bridge = store.bridge
        self.tasks = PageTasks(self, self.show_error)
        self.setAccessibleName(readable(title))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(PAGE_MARGIN[0], PAGE_MARGIN[1], PAGE_MARGIN[0] - BAR_MARGIN, PAGE_MARGIN[1])
        layout.setSpacing(GAP)
        self.head = QHBoxLayout()
        self.head.setSpacing(GAP)
        self.head.setContentsMargins(0, 0, BAR_MARGIN, 0)
        self.heading = label(title, "title")
        fill(self.head, self.heading, None)
        self._changes: list[tuple[str, Callable[[], object]]] = []
        """What was done here and can be undone: a sentence, and the undo."""
        self.undo_button = icon_button("undo", self.tr("Undo"), self.undo)
        self.head.addWidget(self.undo_button)
        self.undo_button.hide()
        self._undone: list[tuple[str, Callable[[], object]]] = []
        """What was undone and can be done again: the sentence of the change, and how."""
        QShortcut(QKeySequence(QKeySequence.StandardKey.Undo), self).activated.connect(self.undo)
        for keys in ("Ctrl+Shift+Z", "Ctrl+Y"):  # a platform's own is one of them
            QShortcut(QKeySequence(keys), self).activated.connect(self.redo)
        self.banner = Banner()
        self.banner.lie_over(self)
        self.body = QVBoxLayout()
        self.body.setSpacing(GAP)
        self.body.setContentsMargins(0, 0, BAR_MARGIN, 0)
        fill(layout, self.head, (self.body, 1))
        store.changed.connect(self._changed)
        self.bridge.events.connect(self.happened)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        follow()
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)  # initial focus: no key has an effect there

    @property
    def unsaved(self) -> tuple[str, ...]:
        """Names of unsaved input on this page."""
        return ()

    def scrolls(self) -> None:
        """The body scrolls as a whole (ui/widgets/scroll.py), with the scroll bar in the page's margin."""
        self.body.setContentsMargins(0, 0, 0, 0)

    def activate(self, what: object = None) -> None:
        """It comes to the front; `what` is what to show there."""
        if self.store.snapshot is not None:
            self.refresh(self.store.snapshot)

    def refresh(self, snapshot: Snapshot) -> None:
        """Show what the snapshot says. Called only while it is visible."""

    def happened(self, batch: list[events.EngineEvent]) -> None:
        """Something happened in the engine. Called whether visible or not."""

    def show_error(self, error: Any) -> None:
        """A sentence across the top of the page."""
        self.banner.show_error(error)

    def do(self, name: str, work: Coroutine[Any, Any, Any], *, replace: bool = False) -> bool:
        """Run `work` in the background; errors are shown on this page."""
        return self.tasks.start(name, work, replace=replace)

    def tell(self, text: str, action: str = "", do: Callable[[], object] | None = None) -> None:
        """Show a message. `action` names and `do` performs the undo, offered with the message and by the page later."""
        if do is not None:
            self._undone.clear()
            do = self._add_change(text, do)
        self.said.emit(text, action, do)

    def undo(self) -> None:
        """Undo the last change."""
        if self._changes:
            self._take_back(self._changes[-1])

    def tell_undone(self, text: str, redo: Callable[[], object] | None) -> None:
        """Say which change was undone; `redo` makes it again, None if that cannot be."""
        do = None
        if redo is not None:
            entry = (text, redo)
            self._undone.append(entry)
            do = partial(self._do_again, entry)
        self.said.emit(self.tr("Undone: {}").format(text), self.tr("Redo") if do is not None else "", do)

    def tell_redone(self, text: str, undo: Callable[[], object]) -> None:
        """Say that an undone change was made again."""
        self.said.emit(text, self.tr("Undo"), self._add_change(text, undo))

    def redo(self) -> None:
        """Make the change again that was undone last."""
        if self._undone:
            self._do_again(self._undone[-1])

    def _do_again(self, entry: tuple[str, Callable[[], object]]) -> None:
        if entry in self._undone:
            self._undone.remove(entry)
            entry[1]()

    def _add_change(self, text: str, undo: Callable[[], object]) -> Callable[[], object]:
        entry = (text, undo)
        self._changes.append(entry)
        self._show_undo()
        return partial(self._take_back, entry)

    def _take_back(self, entry: tuple[str, Callable[[], object]]) -> None:
        if entry in self._changes:
            self._changes.remove(entry)
            self._show_undo()
            entry[1]()

    def _show_undo(self) -> None:
        self.undo_button.setVisible(bool(self._changes))
        if self._changes:
            words = self.tr("Undo: {}").format(self._changes[-1][0])
            self.undo_button.setToolTip(plain(words))
            self.undo_button.setAccessibleName(readable(words))

    def _changed(self) -> None:
        if self.isVisible() and self.store.snapshot is not None:
            self.refresh(self.store.snapshot)


def save_feedback(page: Page, saved: Saved, done: str, show: Callable[[], object] | None = None) -> None:
    """`done` is a sentence such as "Removed alice."; `show` selects what was changed after an undo."""
    word = " ".join(part for part in (done, translate(saved.note)) if part)
    if saved.state in {"refused", "waiting"}:
        text = tr("It is saved, but the program goes on with the settings it had.")
        page.banner.say(f"{text} {translate(saved.sentence)}", "alert")
    elif saved.sentence:
        word = f"{word} {translate(saved.sentence)}"
    if saved.undo:
        page.tell(word, tr("Undo"), lambda: page.do("undo", _undo(page, saved.undo, word, show)))
    else:
        page.tell(word)


async def _undo(page: Page, token: str, done: str, show: Callable[[], object] | None) -> None:
    saved = await page.bridge.call(lambda engine: engine.api.settings.documents.undo(token))
    if show is not None:
        show()
    again = saved.undo
    page.tell_undone(done, (lambda: page.do("redo", _redo(page, again, done, show))) if again else None)
    page.store.refresh()


async def _redo(page: Page, token: str, done: str, show: Callable[[], object] | None) -> None:
    """What an undo replaced is put back in the same way."""
    saved = await page.bridge.call(lambda engine: engine.api.settings.documents.undo(token))
    if show is not None:
        show()
    page.tell_redone(done, lambda: page.do("undo", _undo(page, saved.undo, done, show)))
    page.store.refresh()
