"""Fields of a form: a control with its label, hint and problem, and one for secrets."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QComboBox, QLineEdit, QPlainTextEdit, QToolButton, QWidget

from itsjustintv_desktop.ui.plain import readable
from itsjustintv_desktop.ui.theme import icon, theme
from itsjustintv_desktop.ui.widgets.basic import column, label, later, row


class Field(QWidget):
    """`say` a hint, `complain` about what was typed; both replace `help`. `aside` is shown beside the name."""

    def __init__(self, name: str, control: QWidget, help_text: str = "", aside: str = "") -> None:
        super().__init__()
        self.control = control
        self._help = help_text
        self._name = label(name, "label")
        self._name.setBuddy(control)
        if not control.accessibleName():
            control.setAccessibleName(readable(name.replace("&", "")))
        if help_text:
            control.setAccessibleDescription(readable(help_text))
        self.note = label(help_text, "muted", wrap=True)
        column(
            row(self._name, None, label(aside, "aside")) if aside else row(self._name),
            control,
            self.note,
            spacing=4,
            inside=self,
        )
        self.note.setVisible(bool(help_text))  # once it has a parent: before, it would open as a window

    @property
    def problem(self) -> str:
        """What was complained about, "" for nothing."""
        return self.note.text() if self.note.property("role") == "live" else ""

    def say(self, text: str = "") -> None:
        self._show(text or self._help, "muted")

    def complain(self, problem: str | None) -> None:
        """None or "" clears the problem."""
        if problem:
            self._show(problem, "live")
        else:
            self.say()

    def _show(self, text: str, role: str) -> None:
        self.note.setText(text)
        self.note.setVisible(bool(text))
        self.control.setAccessibleDescription(readable(text))
        if self.note.property("role") != role:
            self.note.setProperty("role", role)
            repolish(self.note)
        invalid = role == "live"
        if bool(self.control.property("invalid")) != invalid:
            self.control.setProperty("invalid", invalid)
            repolish(self.control)


class SearchField(QLineEdit):
    """`settled` once a person has stopped typing for a moment."""

    settled = Signal()

    def __init__(self, placeholder: str, name: str, *, least: int = 0, widest: int, wait: int = 250) -> None:
        super().__init__()
        self.setPlaceholderText(readable(placeholder))
        self.setAccessibleName(readable(name))
        self.setClearButtonEnabled(True)
        self.setMinimumWidth(least)
        self.setMaximumWidth(widest)
        self._typing = later(self, wait, self.settled.emit)
        self.textChanged.connect(self._typing.start)


def choice(*items: tuple[Any, str], name: str = "") -> QComboBox:
    """A box to choose from: each value with the words for it. `name` is for screen readers."""
    made = QComboBox()
    made.setAccessibleName(readable(name))
    for value, words in items:
        made.addItem(words, value)
    return made


def text_box(name: str, *, read_only: bool = True, wraps: bool = False) -> QPlainTextEdit:
    """Several lines in a fixed-width font; Tab leaves it. `name` is for screen readers."""
    made = QPlainTextEdit()
    made.setProperty("role", "mono")
    made.setReadOnly(read_only)
    made.setTabChangesFocus(True)
    made.setAccessibleName(readable(name))
    if not wraps:
        made.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
    return made


def repolish(widget: QWidget) -> None:
    """Have the style sheet look at a property that changed."""
    widget.style().unpolish(widget)
    widget.style().polish(widget)


HIDE_AGAIN_MS = 15_000
_EYE = 24
_EDGE = 5
_PASSED_ON = frozenset({Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab, Qt.Key.Key_Backtab})


class Eye(QToolButton):
    """Inside the field, at its end, and reached by Tab: the button that Qt makes of an action cannot be."""

    def __init__(self, field: SecretField, name: str) -> None:
        super().__init__(field)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setIconSize(QSize(17, 17))
        self.setFixedSize(_EYE, _EYE)
        self.setProperty("role", "eye")
        self.setAccessibleName(readable(self.tr("Show {}").format(name)))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        super().keyPressEvent(event)
        if not event.isAccepted() and event.key() not in _PASSED_ON:
            event.accept()  # else it would be typed into the field, unseen


class SecretField(QLineEdit):
    """`reveal_asked` when a person wants to see what is stored and nothing was typed; `show_stored` answers it.

    What was shown so is gone again with the dots, and is no text that a person typed (`typed`).
    """

    reveal_asked = Signal()

    def __init__(self, name: str, placeholder: str = "") -> None:
        super().__init__()
        self._stored = ""
        self.setAccessibleName(readable(name))
        self.setPlaceholderText(readable(placeholder))
        self.setEchoMode(QLineEdit.EchoMode.Password)
        self.show_button = Eye(self, name)
        self.show_button.toggled.connect(self._toggled)
        self.setTextMargins(0, 0, _EYE, 0)
        self._timer = later(self, HIDE_AGAIN_MS, lambda: self.show_button.setChecked(False))
        theme().changed.connect(self._tint)
        self._tint()

    def is_revealed(self) -> bool:
        return self.echoMode() is QLineEdit.EchoMode.Normal

    def conceal(self) -> None:
        self.show_button.setChecked(False)

    @property
    def typed(self) -> str:
        """What a person typed, "" for nothing or for what is stored."""
        return "" if self._stored and self.text() == self._stored else self.text()

    def show_stored(self, value: str) -> None:
        """For as long as it is revealed."""
        if self.is_revealed() and not self.text():
            self._stored = value
            self.setText(value)
            self._timer.start()

    def _toggled(self, shown: bool) -> None:
        self.setEchoMode(QLineEdit.EchoMode.Normal if shown else QLineEdit.EchoMode.Password)
        self._tint()
        if shown:
            self._timer.start()
            if not self.text():
                self.reveal_asked.emit()
        elif self._stored:
            if self.text() == self._stored:
                self.clear()
            self._stored = ""

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        super().resizeEvent(event)
        self.show_button.move(self.width() - _EYE - _EDGE, (self.height() - _EYE) // 2)

    def _tint(self) -> None:
        shown = self.show_button.isChecked()
        self.show_button.setIcon(icon("eye-off" if shown else "eye", theme().palette.text2))
        self.show_button.setToolTip(self.tr("Hide") if shown else self.tr("Show"))
