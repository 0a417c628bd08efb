"""Qt's binding counts references right: a version of it that drops one to None with each call ends the process."""

from __future__ import annotations

import os
import subprocess
import sys

SCRIPT = """
import sys
from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

class Told(QObject):
    signal = Signal(str, object)

app = QApplication([])
label, button, timer, told, heard = QLabel(), QPushButton(), QTimer(), Told(), []
told.signal.connect(lambda text, thing: heard.append(thing))
timer.timeout.connect(lambda: None)
before = sys.getrefcount(None)
for number in range(20_000):
    label.setText(str(number))
    label.update()
    button.setProperty("role", None)
    button.setEnabled(bool(number % 2))
    timer.start(1000)
    timer.stop()
    told.signal.emit("x", None)
    if number % 1000 == 0:
        app.processEvents()
heard.clear()
# Python 3.12 on never counts them.
assert abs(sys.getrefcount(None) - before) < 5_000, (before, sys.getrefcount(None))
print("well", label.text())
"""


def test_twenty_thousand_calls() -> None:
    environ = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run([sys.executable, "-c", SCRIPT], env=environ, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.split()) == (0, ["well", "19999"]), done.stderr
