"""Words as chips, by mouse and by keyboard."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.ui.widgets.chips import ChipField, PickChips
from tests.ui import keyboard


def field(qtbot: QtBot) -> ChipField:
    made = ChipField("Tags", "add a tag")
    qtbot.addWidget(made)
    made.show()
    return made


def test_words_are_typed(qtbot: QtBot) -> None:
    made = field(qtbot)
    with qtbot.waitSignal(made.changed):
        QTest.keyClicks(made.edit, "Deutsch")
        QTest.keyClick(made.edit, Qt.Key.Key_Return)
    QTest.keyClicks(made.edit, "just  chatting,chess,")
    assert made.values == ("Deutsch", "just chatting", "chess")
    QTest.keyClicks(made.edit, "deutsch,")
    assert made.values == ("Deutsch", "just chatting", "chess")  # the same word in other letters


def test_words_are_taken_away(qtbot: QtBot) -> None:
    made = field(qtbot)
    made.set_values(("one", "two", "three"))
    QTest.keyClick(made.edit, Qt.Key.Key_Backspace)
    assert made.values == ("one", "two")
    remove = made._chips[0].remove
    assert remove.accessibleName() == "Remove one"
    remove.click()
    assert list(made.values) == ["two"]


def test_suggestions_leave_out_what_is_there(qtbot: QtBot) -> None:
    made = field(qtbot)
    made.suggest(("Chess", "Cozy"))
    made.add("chess")
    assert made._suggested.stringList() == ["Cozy"]


def test_setting_values_is_no_change_of_a_person(qtbot: QtBot) -> None:
    made = field(qtbot)
    with qtbot.assertNotEmitted(made.changed):
        made.set_values(("one", "one", "two"))
    assert made.values == ("one", "two")


def test_choosing_from_what_there_is(qtbot: QtBot) -> None:
    made = PickChips("Destinations", "Add a destination")
    qtbot.addWidget(made)
    made.set_choices(("chat", "site"))
    made.show()
    made.set_values(("chat",))
    assert made.offered == ("site",)
    made.plus.click()
    assert made._menu is not None
    made._menu.actions()[0].trigger()
    made._menu.hide()
    assert made.values == ("chat", "site")
    made.plus.click()
    (only,) = made._menu.actions()
    assert (only.text(), only.isEnabled()) == ("There are no others", False)
    made._menu.hide()


def test_tab_comes_to_chips_where_they_stand(qtbot: QtBot) -> None:
    window = QWidget()
    layout = QVBoxLayout(window)
    first, field, picks, last = QLineEdit(), ChipField("Tags", ""), PickChips("Places", "Add a place"), QLineEdit()
    for part in (first, field, picks, last):
        layout.addWidget(part)
    for edit, called in ((first, "first"), (last, "last")):
        edit.setAccessibleName(called)
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    picks.set_choices(["a", "b", "c"])
    picks.set_values(["a", "b"])
    field.set_values(["x"])
    field.add("y")
    expected = ["first", "Remove x", "Remove y", "Tags", "Remove a", "Remove b", "Add a place", "last"]
    qtbot.waitUntil(lambda: [keyboard.name(each) for each in keyboard.reached(window)] == expected)
    field.remove("x")
    picks.add("c")
    expected = ["first", "Remove y", "Tags", "Remove a", "Remove b", "Remove c", "Add a place", "last"]
    qtbot.waitUntil(lambda: [keyboard.name(each) for each in keyboard.reached(window)] == expected)
    assert keyboard.leaps(window) == []
