"""Where the focus goes when its control is disabled, hidden, or has done its work; and what was typed there.

Qt gives it to the next one in the order of Tab, which beside "Save" may be "Remove": whoever presses a key twice then
does what nobody asked for. Here it goes back to the last field or list before it, never to a button.
"""

from __future__ import annotations

from weakref import ReferenceType, WeakKeyDictionary, ref

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QCheckBox, QLineEdit, QRadioButton, QWidget
from shiboken6 import isValid

_last: WeakKeyDictionary[QWidget, ReferenceType[QWidget]] = WeakKeyDictionary()
"""The last focused field, by page or dialog."""


def follow() -> None:
    """Notice from now on which field a person is in; once is enough."""
    app = QApplication.instance()
    if isinstance(app, QApplication) and not app.property("focus is followed"):
        app.setProperty("focus is followed", True)
        app.focusChanged.connect(_noticed)


def _noticed(_: QWidget | None, now: QWidget | None) -> None:
    if now is not None and _is_field(now):
        _last[_place_of(now)] = ref(now)


def moved(window: QWidget) -> bool:
    """For `focusNextPrevChild` of a window: whether Qt asked because the control went away, and the focus is placed.
    False: a person pressed Tab."""
    at: QWidget | None = window.focusWidget()
    if at is None or not window.isVisible() or (at.isEnabled() and at.isVisible()):
        return False
    rest(at)
    return True


def rest(control: QWidget) -> None:
    """Put the focus where no key does anything, near that control."""
    place = _place_of(control)
    kept = _last.get(place)
    last = kept() if kept is not None else None
    if last is not None and isValid(last) and _is_field(last) and _form_of(control, place).isAncestorOf(last):
        last.setFocus(Qt.FocusReason.OtherFocusReason)
        return
    # Not by previousInFocusChain: PySide makes who is asked the owner of the answer, and collects what owns itself.
    parts = place.findChildren(QWidget)
    at = parts.index(control) if control in parts else 0
    for part in reversed((*parts[at + 1 :], *parts[:at])):
        if _holds(part):
            part.setFocus(Qt.FocusReason.OtherFocusReason)
            return
    if place.isVisible():
        place.setFocus(Qt.FocusReason.OtherFocusReason)
    else:
        control.clearFocus()


def _holds(widget: QWidget) -> bool:
    by_tab = widget.focusPolicy().value & Qt.FocusPolicy.TabFocus.value
    return bool(by_tab) and widget.isVisible() and widget.isEnabled() and not isinstance(widget, QAbstractButton)


def _is_field(widget: QWidget) -> bool:
    """A person changes something there that is saved later; it may be a box to be ticked."""
    ticked = isinstance(widget, QCheckBox | QRadioButton) or widget.property("role") == "chip-plus"
    return _holds(widget) or (ticked and widget.isVisible() and widget.isEnabled())


def _form_of(control: QWidget, place: QWidget) -> QWidget:
    """The smallest part of the place around the control that has fields."""
    at = control.parentWidget() or place
    while at is not place and not any(_holds(part) for part in at.findChildren(QWidget)):
        at = at.parentWidget() or place
    return at


def _place_of(control: QWidget) -> QWidget:
    """The page or the window it is part of."""
    at = control.parentWidget() or control
    while not at.isWindow() and at.focusPolicy() is not Qt.FocusPolicy.ClickFocus:
        parent = at.parentWidget()
        if parent is None:
            break
        at = parent
    return at


def is_typed(place: QWidget) -> bool:
    """In any field of `place`. What a program put there does not count."""
    return any(line.isModified() and line.text().strip() for line in place.findChildren(QLineEdit))


def is_saved(place: QWidget) -> None:
    """Mark the content of its fields as saved."""
    for line in place.findChildren(QLineEdit):
        line.setModified(False)
