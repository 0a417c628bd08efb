"""Letters that, with Alt, lead to a control: two alike in one window, and neither works at the first press."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QAbstractButton, QLabel, QMenu, QStackedWidget, QTabBar, QWidget


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
