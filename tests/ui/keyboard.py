"""Which controls the keyboard reaches, what a screen reader calls them, and letters with Alt shared by two."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, pairwise

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QAccessible, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QMenu,
    QScrollArea,
    QStackedWidget,
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


def letter(text: str) -> str:
    """ "S" of "&Save", "" where there is none."""
    return QKeySequence.mnemonic(text).toString().removeprefix("Alt+")


def clashes(window: QWidget, *, shown: bool = False) -> list[str]:
    """Pairs of controls of this window with one letter, also of those hidden at the moment.

    Parts that stand in each other's place (QStackedWidget) are never there together. `shown`: only those in front
    count, for a window whose own controls change with them.
    """
    found: list[tuple[str, str, QWidget]] = []
    for each in window.findChildren(QWidget):
        if each.window() is not window or (shown and any(at.currentWidget() is not page for at, page in _stacks(each))):
            continue
        if isinstance(each, QAbstractButton) or (isinstance(each, QLabel) and each.buddy() is not None):
            found.append((letter(each.text()), each.text(), each))
        elif isinstance(each, QTabBar):
            found += [(letter(each.tabText(at)), each.tabText(at), each) for at in range(each.count())]
    pairs = combinations([one for one in found if one[0]], 2)
    return [
        f"Alt+{one[0]}: {one[1]!r} and {other[1]!r}"
        for one, other in pairs
        if one[0] == other[0] and not _apart(one[2], other[2])
    ]


def menu_clashes(menu: QMenu) -> list[str]:
    """Of one menu; letters in menus are pressed alone."""
    texts = [action.text() for action in menu.actions() if letter(action.text())]
    return [f"{one!r} and {other!r}" for one, other in combinations(texts, 2) if letter(one) == letter(other)]


def _apart(one: QWidget, other: QWidget) -> bool:
    places = dict(_stacks(one))
    return any(places.get(stack, page) is not page for stack, page in _stacks(other))


def _stacks(widget: QWidget) -> Sequence[tuple[QStackedWidget, QWidget]]:
    """Every stack that it lies in, and in which of its pages."""
    found, child, parent = [], widget, widget.parentWidget()
    while parent is not None:
        if isinstance(parent, QStackedWidget):
            found.append((parent, child))
        child, parent = parent, parent.parentWidget()
    return found
