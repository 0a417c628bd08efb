"""What has less room than it needs: texts cut at their end or squeezed over each other, parts that stand out of the
window or would have to be scrolled to from the side."""

from __future__ import annotations

from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractScrollArea,
    QAbstractSpinBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QScrollArea,
    QTabBar,
    QWidget,
)

from itsjustintv_desktop.ui.widgets.basic import Elided

NARROWEST = 88
"""A line narrower than that shows too little of what is typed."""


def faults(window: QWidget) -> list[str]:
    """What is seen of `window` now. What ends in dots by itself has its whole text as a hint, and is no fault."""
    return [fault for each in window.findChildren(QWidget) if each.isVisible() for fault in _of(each) + _beside(each)]


def _of(part: QWidget) -> list[str]:
    if isinstance(part, QLabel) and not isinstance(part, Elided) and part.text():
        least = part.heightForWidth(part.width())
        if part.wordWrap():
            return [f"too low: {part.text()!r}"] if part.height() < least - 1 else []
        return [f"cut: {part.text()!r}"] if part.width() < part.sizeHint().width() - 1 else []
    if isinstance(part, QAbstractButton) and part.text() and part.width() < part.minimumSizeHint().width() - 1:
        return [f"cut: {part.text()!r}"]
    if isinstance(part, QComboBox) and part.width() < part.minimumSizeHint().width() - 1:
        return [f"cut: {part.currentText()!r}"]
    if isinstance(part, QLineEdit) and part.width() < NARROWEST and not isinstance(part.parent(), QAbstractSpinBox):
        return [f"too narrow: {part.accessibleName()!r}"]
    if isinstance(part, QLineEdit | QAbstractSpinBox) and part.width() < part.minimumSizeHint().width() - 1:
        return [f"cut: {part.accessibleName()!r}"]
    if isinstance(part, QTabBar) and part.width() < part.sizeHint().width() - 1:
        return [f"cut: {[part.tabText(number) for number in range(part.count())]}"]
    return []


def _beside(part: QWidget) -> list[str]:
    """What of it lies to the left or right of where it can be seen."""
    found = []
    parent = part.parentWidget()
    if parent is not None and not part.isWindow() and not _is_scrolled(parent):
        box = part.geometry()
        if box.left() < 0 or box.right() >= parent.width():
            found.append(f"stands out: {_name(part)} by {max(-box.left(), box.right() + 1 - parent.width())}")
    if isinstance(part, QScrollArea | QAbstractItemView) and part.horizontalScrollBar().maximum() > 0:
        found.append(f"wider than its place: {_name(part)} by {part.horizontalScrollBar().maximum()}")
    return found


def _is_scrolled(place: QWidget) -> bool:
    """What stands in it may stand out of it: whether all can be seen is up to what scrolls it."""
    area = place.parentWidget()
    return isinstance(area, QAbstractScrollArea) and area.viewport() is place


def _name(part: QWidget) -> str:
    return f"{type(part).__name__} {part.accessibleName() or part.objectName()}".strip()
