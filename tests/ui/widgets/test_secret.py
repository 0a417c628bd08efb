"""A field for a secret: shown on purpose only, by keyboard as well as by mouse."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.ui.widgets.field import SecretField
from tests.ui import keyboard


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    """Two secrets, and a plain field below them."""
    made = QWidget()
    layout = QVBoxLayout(made)
    plain = QLineEdit()
    plain.setAccessibleName("Name")
    for part in (SecretField("Client secret"), SecretField("Address"), plain):
        layout.addWidget(part)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitExposed(made)
    made.activateWindow()
    return made


def focused() -> QWidget:
    found = QApplication.focusWidget()
    assert found is not None
    return found


def press(key: Qt.Key) -> None:
    QTest.keyClick(focused(), key)


def test_tab_and_space_show_and_hide(window: QWidget) -> None:
    field = window.findChildren(SecretField)[0]
    field.setFocus()
    QTest.keyClicks(field, "hush")
    press(Qt.Key.Key_Tab)
    assert keyboard.name(focused()) == "Show Client secret"
    assert not field.is_revealed()
    press(Qt.Key.Key_Space)
    assert field.is_revealed()
    press(Qt.Key.Key_Space)
    assert not field.is_revealed()
    assert field.text() == "hush"
    press(Qt.Key.Key_Tab)
    assert focused() is window.findChildren(SecretField)[1]


def test_nothing_is_typed_while_the_button_has_the_focus(window: QWidget) -> None:
    field = window.findChildren(SecretField)[0]
    field.show_button.setFocus()
    QTest.keyClicks(field.show_button, "abc")
    press(Qt.Key.Key_Backspace)
    assert field.text() == ""


def test_the_walker_sees_a_button_that_tab_does_not_reach(window: QWidget) -> None:
    assert keyboard.faults(window) == []
    eye = window.findChildren(SecretField)[1].show_button
    eye.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    eye.setAccessibleName("Show")
    assert keyboard.faults(window) == [
        "not reached by Tab: Eye 'Show'",
        "does not say what it shows: 'Show'",
    ]
