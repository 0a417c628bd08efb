"""Whether a person typed something that is not saved yet: Qt's own fields know."""

from __future__ import annotations

from PySide6.QtWidgets import QLineEdit, QWidget


def is_typed(place: QWidget) -> bool:
    """In any field of `place`. What a program put there does not count."""
    return any(line.isModified() and line.text().strip() for line in place.findChildren(QLineEdit))


def is_saved(place: QWidget) -> None:
    """What stands in its fields is kept now."""
    for line in place.findChildren(QLineEdit):
        line.setModified(False)
