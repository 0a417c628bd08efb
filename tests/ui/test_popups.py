"""What Qt opens as a window of its own is opaque: on an X server without a compositor "transparent" is black."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtWidgets import QApplication, QComboBox, QMenu, QToolTip, QWidget
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.ui.pages.deliveries.details import Due
from itsjustintv_desktop.ui.theme import theme
from itsjustintv_desktop.ui.widgets.chips import ChipField
from itsjustintv_desktop.ui.widgets.dialog import message


def popups() -> list[QWidget]:
    return [each for each in QApplication.topLevelWidgets() if each.isVisible() and each.isWindow()]


def completer(parent: QWidget) -> QWidget:
    field = ChipField("Tags", "")
    field.setParent(parent)
    field.suggest(("Cozy", "Chess"))
    field.show()
    field._show_all()
    return field


def combo(parent: QWidget) -> QWidget:
    made = QComboBox(parent)
    made.addItems(["a", "b"])
    made.show()
    made.showPopup()
    return made


def menu(parent: QWidget) -> QWidget:
    made = QMenu(parent)
    made.addAction("Open")
    made.popup(parent.mapToGlobal(parent.rect().center()))
    return made


def due(parent: QWidget) -> QWidget:
    made = Due(parent, lambda _: None)
    made.open_below(parent)
    return made


def hint(parent: QWidget) -> QWidget:
    QToolTip.showText(parent.mapToGlobal(parent.rect().center()), "a hint", parent)
    return parent


def question(parent: QWidget) -> QWidget:
    return message(parent, "It is so.")


@pytest.mark.parametrize("choice", ["dark", "light"])
@pytest.mark.parametrize("make", [completer, combo, menu, due, hint, question])
def test_it_is_opaque(qtbot: QtBot, choice: str, make: Callable[[QWidget], QWidget]) -> None:
    theme().choose(choice)  # type: ignore[arg-type]
    parent = QWidget()
    qtbot.addWidget(parent)
    parent.show()
    kept = make(parent)
    found = [each for each in popups() if each is not parent]
    assert found, kept
    for each in found:
        shown = each.grab().toImage()
        edge = 8
        spots = [(edge, shown.height() // 2), (shown.width() // 2, shown.height() - edge)]
        alpha = [shown.pixelColor(*spot).alpha() for spot in spots]
        assert min(alpha) == 255, type(each).__name__
        right, middle, bottom = shown.width() - 1, shown.height() // 2, shown.height() - 1
        for x, y in ((0, 0), (right, 0), (0, bottom), (right, bottom)):  # round ones would show what is behind it
            assert shown.pixelColor(x, y) == shown.pixelColor(x, middle), type(each).__name__
    for each in found:
        each.close()
    QToolTip.hideText()
