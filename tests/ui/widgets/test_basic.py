"""The small widgets that everything is made of."""

from __future__ import annotations

import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QVBoxLayout
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.ui.widgets.basic import button
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
