"""Which controls the keyboard reaches, and what a screen reader calls them."""

from __future__ import annotations

from itertools import pairwise

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

from itsjustintv_desktop.ui.widgets.field import Eye

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
    corners = [each.mapTo(window, QPoint(0, 0)) for each in way]
    first = min(range(len(way)), key=lambda at: (corners[at].x() // 8, corners[at].y()), default=0)
    way = way[first:] + way[:first]
    return [
        f"from {type(one).__name__} {name(one)!r} back to {type(other).__name__} {name(other)!r}"
        for one, other in pairwise(way)
        if _is_back(_place(window, one, other), _place(window, other, one))
    ]


def _is_back(one: QRect, other: QRect) -> bool:
    return other.bottom() < one.top() and other.left() <= one.left()


def _place(window: QWidget, widget: QWidget, other: QWidget) -> QRect:
    """Where it stands; that of what it scrolls in, where the other is outside of that."""
    found, parent = widget, widget.parentWidget()
    while parent is not None and parent is not window:
        if isinstance(parent, QScrollArea) and not parent.isAncestorOf(other):
            found = parent
        parent = parent.parentWidget()
    return QRect(found.mapTo(window, QPoint(0, 0)), found.size())


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
