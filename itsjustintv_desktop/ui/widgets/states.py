"""What replaces content or lies above it: loading, empty, a banner, a list of checks, a conflict."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from itsjustintv_desktop.engine import Check, errors
from itsjustintv_desktop.ui.formatting import translate, trouble
from itsjustintv_desktop.ui.plain import HINT, readable
from itsjustintv_desktop.ui.theme import pixmap, theme
from itsjustintv_desktop.ui.theme.tokens import PAGE_MARGIN
from itsjustintv_desktop.ui.widgets.basic import (
    Card,
    Dot,
    Tone,
    button,
    clear,
    column,
    fill,
    icon_button,
    label,
    later,
    row,
)

ABOVE = 72
"""Pixels between it and the window's edge, so that the foot of a page stays visible."""
BANNER_EDGE = 6
"""Pixels by which it extends above the title."""
WIDEST = 560
"""Pixels of a line of it; a longer text is broken into several."""
TOAST_MS = 8000
"""Long enough to reach "Undo"."""


class EmptyState(QWidget):
    """An icon, a sentence on what would be here, and what to do about it."""

    def __init__(
        self, icon_name: str, title: str, text: str, action: str = "", do: Callable[[], object] | None = None
    ) -> None:
        super().__init__()
        self.body = layout = QVBoxLayout(self)
        layout.setSpacing(8)
        self._icon_name = icon_name
        self._picture = QLabel()
        self._title, self._text = label(title, "heading"), label(text, "muted", wrap=True)
        for part in (self._picture, self._title, self._text):
            part.setAlignment(Qt.AlignmentFlag.AlignCenter)
        fill(layout, None, self._picture, self._title, self._text)
        self.action = button(action, do, role="primary")
        self._actions = row(None, self.action, None)
        layout.addLayout(self._actions)
        self.action.setVisible(bool(action))  # once it has a parent: before, it would open as a window
        layout.addStretch(2)
        theme().changed.connect(self._tint)
        self._tint()

    def say(self, title: str, text: str) -> None:
        self._title.setText(title)
        self._text.setText(text)

    def also(self, other: QWidget) -> None:
        """Another thing to do about it, after those that are there."""
        self._actions.insertWidget(self._actions.count() - 1, other)

    def _tint(self) -> None:
        self._picture.setPixmap(pixmap(self._icon_name, theme().palette.text2, 36))


def progress_bar(name: str = "", *, busy: bool = False, height: int = 0) -> QProgressBar:
    """`busy`: it moves without saying how far it is. `height` in pixels, 0 for the usual one."""
    made = QProgressBar()
    made.setTextVisible(False)
    made.setAccessibleName(readable(name))
    if busy:
        made.setRange(0, 0)
    if height:
        made.setFixedHeight(height)
    return made


class Loading(QWidget):
    """A bar that moves, with a sentence on what is waited for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        layout = QVBoxLayout(self)
        bar = progress_bar(text, busy=True)
        bar.setFixedWidth(200)
        layout.addStretch(1)
        layout.addWidget(bar, alignment=Qt.AlignmentFlag.AlignCenter)
        layout.addWidget(label(text, "muted"), alignment=Qt.AlignmentFlag.AlignCenter)
        layout.addStretch(2)


class Banner(QFrame):
    """A sentence across the top, with what to do about it; hidden while there is none. Over a page (`lie_over`) it
    covers the title for as long: nothing below moves, which a person may be pointing at."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "card")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 10, 10, 10)
        self._picture, self._text = QLabel(), label("", wrap=True, selectable=True)
        self._close = icon_button("cross", self.tr("Close this message"), self.hide)
        fill(layout, self._picture, (self._text, 1), self._close)
        self._page: QWidget | None = None
        self.hide()

    def lie_over(self, page: QWidget) -> None:
        self._page = page
        self.setParent(page)
        page.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        if event.type() is QEvent.Type.Resize and self.isVisible():
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        if self._page is not None:
            across, above = PAGE_MARGIN
            width = self._page.width() - 2 * across
            height = max(self.heightForWidth(width), self.minimumSizeHint().height())
            self.setGeometry(across, above - BANNER_EDGE, width, height)
            self.raise_()

    def show_error(self, error: errors.AppError) -> None:
        self.say(trouble(error), "alert")

    def say(self, text: str, icon_name: str = "info") -> None:
        palette = theme().palette
        self._picture.setPixmap(pixmap(icon_name, palette.attention if icon_name == "alert" else palette.accent))
        text = readable(text, HINT)
        self._text.setText(text)
        self.setAccessibleName(readable(text))
        self._place()
        self.show()


class Toast(QFrame):
    """A short message at the lower edge of the window, with an undo button if there is an undo."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 8, 8, 8)
        self._text = label()
        self._undo = button("", self._undone, role="link")
        self._do: Callable[[], object] | None = None
        self._page: QWidget | None = None
        fill(layout, self._text, self._undo)
        self._timer = later(self, TOAST_MS, self.hide)
        parent.installEventFilter(self)
        self.hide()

    def say(
        self, text: str, action: str = "", do: Callable[[], object] | None = None, page: QWidget | None = None
    ) -> None:
        """`page` is the one that it speaks about, None for the program as a whole."""
        text = readable(text, HINT)
        is_long = self._text.fontMetrics().horizontalAdvance(text) > WIDEST
        self._text.setWordWrap(is_long)
        self._text.setMinimumWidth(WIDEST if is_long else 0)
        self._text.setText(text)
        self.setAccessibleName(readable(text))
        self._do, self._page = do, page
        self._undo.setText(action)
        self._undo.setVisible(bool(action))
        self._place()
        self.show()
        self.raise_()
        self._timer.start()

    def turn_to(self, page: QWidget | None) -> None:
        """Another page is in front: hide a message about the previous one, which still offers the undo."""
        if self._page not in (None, page):
            self.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        if event.type() is QEvent.Type.Resize and self.isVisible():
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        self.adjustSize()
        parent = self.parentWidget()
        if parent is not None:
            self.move((parent.width() - self.width()) // 2, parent.height() - self.height() - ABOVE)

    def _undone(self) -> None:
        self.hide()
        if self._do is not None:
            self._do()


TONES: dict[str, Tone] = {"green": "ok", "amber": "attention", "red": "failed"}


class CheckList(QWidget):
    """Green, amber and red rows. Empty until `show_checks`."""

    def __init__(self) -> None:
        super().__init__()
        self._rows = QGridLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setHorizontalSpacing(10)
        self._rows.setVerticalSpacing(8)
        self._rows.setColumnStretch(1, 1)

    def show_checks(self, checks: Sequence[Check]) -> None:
        clear(self._rows)
        words = {"green": self.tr("well"), "amber": self.tr("may work"), "red": self.tr("cannot work")}
        for number, check in enumerate(checks):
            dot = Dot(TONES[check.state], words[check.state])
            name = _name(check)
            called = label(f"{name}: {words[check.state]}", "strong")
            parts = [called, label(translate(check.message), "muted", wrap=True, selectable=True)]
            if check.state != "green" and check.fix:
                parts.append(label(translate(check.fix), wrap=True, selectable=True))
            self._rows.addWidget(dot, number, 0, Qt.AlignmentFlag.AlignTop)
            self._rows.addLayout(column(*parts, spacing=2), number, 1)
        self.setAccessibleName(
            readable(". ".join(f"{_name(each)} {words[each.state]}: {translate(each.message)}" for each in checks))
        )


def _name(check: Check) -> str:
    called = translate(check.name)
    return called[:1].upper() + called[1:]


class Theirs(Card):
    """A choice between two versions of what was changed here and in the file; hidden without a conflict."""

    mine_requested = Signal()
    theirs_requested = Signal()

    def __init__(self) -> None:
        super().__init__(quiet=True, margin=12)
        self.sentence = label("", wrap=True)
        self.mine = button(self.tr("Keep mine"), self.mine_requested.emit, role="small", destructive=True)
        self.other = button(self.tr("Take theirs"), self.theirs_requested.emit, role="small", destructive=True)
        fill(self.body, label(self.tr("config.toml was changed by somebody else"), "heading", wrap=True))
        fill(self.body, self.sentence, row(self.mine, self.other, None))
        self.hide()

    def show_for(self, name: str, differences: str = "", *, removed: bool = False) -> None:
        """Of that name, "" for none; `differences`: what both say of what."""
        words = (
            self.tr("{} was removed in config.toml while you were changing it here. Keep yours to save it again.")
            if removed
            else self.tr("{} was changed in the file where you changed it here. Choose which of the two stays.")
        )
        self.sentence.setText(f"{words.format(name)}\n{differences}".strip())
        self.setVisible(bool(name))
