"""Texts that have less room than they need: cut at their end, or squeezed so that lines lie over each other."""

from __future__ import annotations

from PySide6.QtWidgets import QAbstractButton, QComboBox, QLabel, QWidget

from itsjustintv_desktop.ui.widgets.basic import Elided


def faults(window: QWidget) -> list[str]:
    """What is seen of `window` now. What ends in dots by itself has its whole text as a hint, and is no fault."""
    return [fault for each in window.findChildren(QWidget) if each.isVisible() for fault in _of(each)]


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
    return []
