"""The small widgets that everything is made of."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.ui.widgets.basic import button


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
