"""The tray app with a ticker on its UI thread: `python -m benchmarks.ticking SOCKET [options of the program]`.

Prints `ready http://HOST:PORT` once the engine runs. SOCKET takes one JSON request a connection (see `Ticking.do`).
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QDialog

from itsjustintv_desktop import app

TICK_MS = 10


class Ticking(QObject):
    """Notes how late each tick is. All of it runs on the UI thread but the answering of the socket."""

    asked = Signal(dict)

    def __init__(self, desktop: app.Desktop, path: str) -> None:
        super().__init__()
        self._desktop = desktop
        self._gaps: list[float] = []
        self._last = time.perf_counter()
        self._dialog: QDialog | None = None
        self._timer = QTimer(self, interval=TICK_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start()
        self._answer: Any = None
        self._done = threading.Event()
        self.asked.connect(self._do, Qt.ConnectionType.QueuedConnection)
        desktop.bridge.state_changed.connect(self._state_changed)
        threading.Thread(target=self._serve, args=(path,), name="bench-socket", daemon=True).start()

    def do(self, request: dict[str, Any]) -> Any:
        """`begin`; `gaps` since then, ms; `hold` the thread so many seconds; `modal`; `close` that; `page` NAME."""
        match request["what"]:
            case "begin":
                self._gaps.clear()
                self._last = time.perf_counter()
            case "gaps":
                return self._gaps
            case "hold":
                until = time.perf_counter() + float(request["value"])
                while time.perf_counter() < until:
                    pass
            case "modal":
                self._dialog = QDialog(self._desktop.window, modal=True)
                QTimer.singleShot(0, self._dialog.exec)
            case "close" if self._dialog is not None:
                self._dialog.reject()
            case "page" if find_spec(f"itsjustintv_desktop.ui.pages.{request['value']}"):
                self._desktop.window.show_page(request["value"])
        return self._desktop.window.current

    def _tick(self) -> None:
        now = time.perf_counter()
        self._gaps.append(1000 * (now - self._last))
        self._last = now

    def _do(self, request: dict[str, Any]) -> None:
        self._answer = self.do(request)
        self._done.set()

    def _serve(self, path: str) -> None:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path)
            server.listen()
            while True:
                connection, _ = server.accept()
                with connection, connection.makefile("rw") as file:
                    self._done.clear()
                    self.asked.emit(json.loads(file.readline()))
                    self._done.wait()
                    file.write(json.dumps(self._answer))

    def _state_changed(self, state: str) -> None:
        if state == "running":
            self._desktop._tasks.start("bench", self._tell())

    async def _tell(self) -> None:
        print(f"ready {await self._desktop.bridge.call(_address)}", flush=True)


async def _address(engine: Any) -> str:
    assert engine.address is not None
    host, port = engine.address
    return f"http://{host}:{port}"


def ask(path: Path, what: str, value: object = None) -> Any:
    """Have it done, from another process. Raises OSError."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(60)
        connection.connect(str(path))
        with connection.makefile("rw") as file:
            file.write(json.dumps({"what": what, "value": value}) + "\n")
            file.flush()
            return json.loads(file.read())


def main() -> None:
    path = sys.argv[1]
    kept: list[Ticking] = []

    class Measured(app.Desktop):
        def __init__(self, *arguments: Any, **more: Any) -> None:
            super().__init__(*arguments, **more)
            kept.append(Ticking(self, path))

    app.Desktop = Measured  # type: ignore[misc]
    sys.argv = ["itsjustintv-desktop", *sys.argv[2:]]
    from itsjustintv_desktop.cli import main as run

    run()


if __name__ == "__main__":
    main()
