"""Labels: plain text only, and what can be selected."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QEnterEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.ui.widgets.basic import label

SELECTABLE = Qt.TextInteractionFlag.TextSelectableByMouse


def test_text_can_be_selected_once_the_mouse_is_over_it(qtbot: QtBot) -> None:
    made = label("Something to copy.", selectable=True)
    qtbot.addWidget(made)
    made.show()
    before = made.sizeHint()
    QApplication.sendEvent(made, QEnterEvent(QPointF(1, 1), QPointF(1, 1), QPointF(1, 1)))
    assert made.textInteractionFlags() == SELECTABLE
    assert made.sizeHint() == before
    QTest.mouseDClick(made, Qt.MouseButton.LeftButton, pos=made.rect().center())
    assert made.hasSelectedText()


def test_other_text_cannot(qtbot: QtBot) -> None:
    made = label("<b>Nothing</b> to copy.")
    qtbot.addWidget(made)
    QApplication.sendEvent(made, QEnterEvent(QPointF(1, 1), QPointF(1, 1), QPointF(1, 1)))
    assert made.textInteractionFlags() != SELECTABLE
    assert made.textFormat() is Qt.TextFormat.PlainText
