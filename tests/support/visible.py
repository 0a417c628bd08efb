"""Everything a window, a tooltip or a screen reader could tell, of every widget there is, hidden ones too."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QAbstractItemModel, QAbstractListModel, Qt
from PySide6.QtGui import QAccessible, QAction
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)

MOST_ROWS = 300
ROLES = (
    *(
        Qt.ItemDataRole.DisplayRole,
        Qt.ItemDataRole.EditRole,
        Qt.ItemDataRole.ToolTipRole,
        Qt.ItemDataRole.StatusTipRole,
    ),
    *(Qt.ItemDataRole.WhatsThisRole, Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.AccessibleDescriptionRole),
    *(Qt.ItemDataRole.UserRole + number for number in range(32)),
)
"""Roles of a page's own hold what its delegate draws."""
_SAID = (QAccessible.Text.Name, QAccessible.Text.Description, QAccessible.Text.Value, QAccessible.Text.Help)


def texts() -> Iterator[tuple[str, str]]:
    """Where it stands, and what stands there."""
    for widget in QApplication.allWidgets():
        where = f"{type(widget).__name__} {widget.objectName() or widget.accessibleName()}"
        for text in _of(widget):
            if text:
                yield where, text


def _of(widget: QWidget) -> Iterator[str]:
    yield from (widget.accessibleName(), widget.accessibleDescription(), widget.windowTitle())
    yield from (widget.toolTip(), widget.statusTip(), widget.whatsThis())
    interface = QAccessible.queryAccessibleInterface(widget)
    yield from (interface.text(kind) for kind in _SAID)
    for action in widget.actions():
        yield from _of_action(action)
    if isinstance(widget, (QLabel, QAbstractButton)):
        yield widget.text()
    elif isinstance(widget, QLineEdit):
        yield from (widget.displayText(), widget.placeholderText())  # dots where it hides what it holds
    elif isinstance(widget, (QPlainTextEdit, QTextEdit)):
        yield from (widget.toPlainText(), widget.placeholderText())
    elif isinstance(widget, QComboBox) or (isinstance(widget, QAbstractItemView) and widget.model() is not None):
        yield from _of_model(widget.model())


def _of_action(action: QAction) -> Iterator[str]:
    yield from (action.text(), action.toolTip(), action.statusTip(), action.whatsThis())


def _of_model(model: QAbstractItemModel) -> Iterator[str]:
    columns = 1 if isinstance(model, QAbstractListModel) else model.columnCount()
    for row in range(min(model.rowCount(), MOST_ROWS)):
        for column in range(columns):
            index = model.index(row, column)
            yield from (str(found) for role in ROLES if (found := model.data(index, role)) is not None)
