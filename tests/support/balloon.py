"""A tray icon with a message, in the program's own style: `python -m tests.support.balloon THEME` says how it looks.

Prints JSON: whether Qt draws the message by itself, the colour behind the text, and the text's best contrast with it.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from PySide6.QtCore import QEventLoop, QRect, QTimer
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication, QLabel, QSystemTrayIcon, QWidget

from itsjustintv_desktop.ui.shell.tray import _shows_itself
from itsjustintv_desktop.ui.shell.trayicons import tray_icon
from itsjustintv_desktop.ui.theme import theme
from tests.ui.colours import contrast

TITLE, TEXT = "Pixelforge went live", "Announced to <b>chat</b> & more"
TRIES = 300


def wait(condition: Any) -> Any:
    """Until it gives something true, for some seconds."""
    for _ in range(TRIES):
        found = condition()
        if found:
            return found
        loop = QEventLoop()
        QTimer.singleShot(30, loop.quit)
        loop.exec()
    raise SystemExit("it did not come")


def balloon() -> QWidget | None:
    found = [each for each in QApplication.topLevelWidgets() if each.inherits("QBalloonTip") and each.isVisible()]
    return found[0] if found else None


def picture(tip: QWidget) -> QImage:
    """As it is on the screen."""
    at = tip.geometry()
    shot: QImage = QApplication.primaryScreen().grabWindow(0, at.x(), at.y(), at.width(), at.height()).toImage()
    return shot


def look(tip: QWidget) -> dict[str, object] | None:
    shown = picture(tip)
    (text,) = [each for each in tip.findChildren(QLabel) if each.text() == TEXT]
    (title,) = [each for each in tip.findChildren(QLabel) if each.text() == TITLE]
    inside = QRect(text.geometry())
    behind = shown.pixelColor(inside.left() + 1, inside.bottom() - 1)
    best = min(_best(shown, behind, QRect(each.geometry())) for each in (title, text))
    return {"itself": _shows_itself(), "behind": behind.name(), "contrast": best} if best > 1.5 else None


def _best(shown: QImage, behind: QColor, box: QRect) -> float:
    pixels = {
        shown.pixelColor(x, y).name() for x in range(box.left(), box.right()) for y in range(box.top(), box.bottom())
    }
    return max(contrast(each, behind.name()) for each in pixels)


def main(choice: Any) -> None:
    app = QApplication([])
    app.setQuitOnLastWindowClosed(False)
    theme().choose(choice)
    icon = QSystemTrayIcon(tray_icon("live"))
    icon.show()
    wait(lambda: icon.isVisible() and icon.geometry().width() > 0)
    icon.showMessage(TITLE, TEXT, tray_icon("live"))
    tip = wait(balloon)
    try:
        found = wait(lambda: look(tip))
    except SystemExit:
        found = {"itself": _shows_itself(), "behind": "", "contrast": 1.0}
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
