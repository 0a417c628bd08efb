"""Which controls the keyboard reaches, and what a screen reader calls them."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QHeaderView,
    QLineEdit,
    QScrollArea,
    QTabBar,
    QWidget,
)

from itsjustintv_desktop.ui.widgets.secret import Eye

_MOST = 400
_COMPOUND = (QLineEdit, QAbstractSpinBox, QComboBox, QTabBar, QHeaderView)
"""What Qt puts inside these is part of them."""


def controls(window: QWidget) -> list[QWidget]:
    """What can be used now: visible, enabled, and made to be used."""
    return [
        each
        for each in window.findChildren(QWidget)
        if each.isVisible()
        and each.isEnabled()
        and (not isinstance(each.parentWidget(), _COMPOUND) or isinstance(each, Eye))
        and not isinstance(each, QScrollArea)
        and (_by_tab(each) or isinstance(each, QAbstractButton))
    ]


def _by_tab(widget: QWidget) -> bool:
    return widget.focusPolicy().value & Qt.FocusPolicy.TabFocus.value != 0


def name(widget: QWidget) -> str:
    """As a screen reader says it."""
    return QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name)


def reached(window: QWidget) -> list[QWidget]:
    """Press Tab until the focus is where it was: each control on the way, in order."""
    window.activateWindow()
    window.setFocus()
    seen: list[QWidget] = []
    for _ in range(_MOST):
        QTest.keyClick(QApplication.focusWidget() or window, Qt.Key.Key_Tab)
        now = QApplication.focusWidget()
        if now is None or now in seen:
            break
        seen.append(now)
    return seen


def leaps(window: QWidget) -> list[str]:
    """Where Tab goes back up without going to the right, as no reader would; once around is no leap."""
    way = reached(window)
    places = [QRect(each.mapTo(window, QPoint(0, 0)), each.size()) for each in way]
    first = min(range(len(way)), key=lambda at: (places[at].left() // 8, places[at].top()), default=0)
    way, places = way[first:] + way[:first], places[first:] + places[:first]
    return [
        f"from {type(way[at]).__name__} {name(way[at])!r} back to {type(way[at + 1]).__name__} {name(way[at + 1])!r}"
        for at in range(len(way) - 1)
        if places[at + 1].bottom() < places[at].top() and places[at + 1].left() <= places[at].left()
    ]


def faults(window: QWidget) -> list[str]:
    """Controls without a name, and those that Tab never comes to."""
    tabbed = set(reached(window))
    found = []
    for each in controls(window):
        said = name(each)
        if not said.strip():
            found.append(f"no name: {type(each).__name__} in {type(each.parentWidget()).__name__}")
        group = each.group() if isinstance(each, QAbstractButton) else None
        by_arrows = isinstance(each, QAbstractButton) and (
            each.autoExclusive() or (group is not None and group.exclusive())
        )
        inside = any(each.isAncestorOf(one) for one in tabbed) or (each.focusProxy() in tabbed)
        if each not in tabbed and not by_arrows and not inside:
            found.append(f"not reached by Tab: {type(each).__name__} {said!r}")
    for eye in window.findChildren(Eye):
        field = eye.parentWidget()
        if isinstance(field, QLineEdit) and field.accessibleName() not in name(eye):
            found.append(f"does not say what it shows: {name(eye)!r}")
    return found
