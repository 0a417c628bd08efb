"""The program as it is, with an eye for tests in it: `python -m tests.support.probed SOCKET [options of the program]`.

The product has no such door: it is added here, from outside. It only tells what is to be seen and where; all that is
done is done with mouse and keyboard. Each connection to SOCKET gets one JSON list: the visible widgets and entries of
open menus, with what a screen reader would say.
"""

from __future__ import annotations

import json
import queue
import socket
import sys
import threading
import time
from typing import Any

from PySide6.QtCore import QObject, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QApplication, QMenu, QWidget


def seen() -> list[dict[str, Any]]:
    """What is to be seen now; coordinates are the screen's, in pixels, of the middle."""
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    focused = QApplication.focusWidget()
    found = []
    for widget in QApplication.allWidgets():
        if not widget.isVisible() or widget.visibleRegion().isEmpty():
            continue
        name = _name(widget)
        if name or widget is focused or widget.isWindow():
            box = widget.visibleRegion().boundingRect()
            entry = _entry(type(widget).__name__, name, widget.mapToGlobal(box.center()), box)
            found.append(entry | {"focused": widget is focused, "enabled": widget.isEnabled()})
        if isinstance(widget, QMenu):
            for action in widget.actions():
                box = widget.actionGeometry(action)
                entry = _entry("QAction", _plain(action.text()), widget.mapToGlobal(box.center()), box)
                found.append(entry | {"focused": False, "enabled": action.isEnabled()})
    return found


def _name(widget: QWidget) -> str:
    said = QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name)
    text = getattr(widget, "text", None)
    return _plain(said or (str(text()) if callable(text) else ""))


def _plain(text: str) -> str:
    return text.replace("&&", "\0").replace("&", "").replace("\0", "&")


def _entry(kind: str, name: str, middle: QPoint, box: QRect) -> dict[str, Any]:
    return {"kind": kind, "name": name, "x": middle.x(), "y": middle.y(), "width": box.width(), "height": box.height()}


class _Eye(QObject):
    """Looks on the UI thread, for whoever asks in another."""

    asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.answers: queue.Queue[list[dict[str, Any]]] = queue.Queue()
        self.asked.connect(self._look, Qt.ConnectionType.QueuedConnection)

    def _look(self) -> None:
        self.answers.put(seen())


def _serve(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        while (app := QApplication.instance()) is None:
            time.sleep(0.01)
        eye = _Eye()
        eye.moveToThread(app.thread())
        while True:
            connection, _ = server.accept()
            with connection:
                eye.asked.emit()
                connection.sendall(json.dumps(eye.answers.get(timeout=30)).encode())


if __name__ == "__main__":
    threading.Thread(target=_serve, args=(sys.argv[1],), name="probe", daemon=True).start()
    sys.argv = ["itsjustintv-desktop", *sys.argv[2:]]
    from itsjustintv_desktop.cli import main

    main()
