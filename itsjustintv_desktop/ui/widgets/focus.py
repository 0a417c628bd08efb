"""Where the focus goes when its control is disabled, hidden, or has done its work.

Qt gives it to the next one in the order of Tab, which beside "Save" may be "Remove": whoever presses a key twice then
does what nobody asked for. Here it goes back to the last field or list before it, never to a button.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QWidget


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


def _place_of(control: QWidget) -> QWidget:
    """The page or the window it is part of."""
    at = control.parentWidget() or control
    while not at.isWindow() and at.focusPolicy() is not Qt.FocusPolicy.ClickFocus:
        parent = at.parentWidget()
        if parent is None:
            break
        at = parent
    return at
