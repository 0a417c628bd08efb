"""Buttons, labels and lists, of which every page is made."""

from __future__ import annotations

import pytest
import shiboken6
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QEnterEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QVBoxLayout
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.ui.widgets.basic import button, label
from itsjustintv_desktop.ui.widgets.scroll import Scroll


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space])
def test_a_button_is_pressed_by_keyboard(qtbot: QtBot, key: Qt.Key) -> None:
    pressed: list[int] = []
    made = button("Do it", lambda: pressed.append(1))
    qtbot.addWidget(made)
    made.show()
    QTest.keyClick(made, key)
    assert pressed == [1]
    made.setEnabled(False)
    QTest.keyClick(made, key)
    assert pressed == [1]


def test_a_list_that_is_taken_apart_makes_no_room(qtbot: QtBot) -> None:
    """Its bar is gone before the last word that its range is another."""
    inner = QVBoxLayout()
    area = Scroll(inner)
    qtbot.addWidget(area)
    bar = area.verticalScrollBar()
    heard = bar.rangeChanged
    shiboken6.delete(inner)
    heard.emit(0, 10)


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
