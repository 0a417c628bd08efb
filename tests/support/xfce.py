"""Xfce's panel and its notifications on a desktop session: a StatusNotifier host, which draws the icon by itself."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tests.keyring_session import require_program

HEIGHT = 32
"""Of the panel, at the lower edge of the screen."""
PANEL = """<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array">
    <value type="int" value="1"/>
    <property name="dark-mode" type="bool" value="DARK"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=10;x=0;y=0"/>
      <property name="length" type="uint" value="100"/>
      <property name="position-locked" type="bool" value="true"/>
      <property name="size" type="uint" value="HEIGHT"/>
      <property name="plugin-ids" type="array"><value type="int" value="1"/></property>
    </property>
  </property>
  <property name="plugins" type="empty"><property name="plugin-1" type="string" value="systray"/></property>
</channel>
"""
Place = tuple[str, str, str]
"""Path, name on the bus, interface."""
_BUS: Place = ("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")
_MONITORING: Place = ("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus.Monitoring")
_WATCHER: Place = ("/StatusNotifierWatcher", "org.kde.StatusNotifierWatcher", "org.freedesktop.DBus.Properties")
_NOTIFICATIONS: Place = (
    "/org/freedesktop/Notifications", "org.freedesktop.Notifications", "org.freedesktop.Notifications",
)  # fmt: skip
_ANSWER = 10.0


@dataclass(frozen=True, slots=True)
class Notification:
    """What a program asked the desktop to show."""

    program: str
    icon: str
    title: str
    text: str
    hints: dict[str, Any]


def commands(theme: Literal["dark", "light"], home: Path) -> tuple[list[list[str]], dict[str, str]]:
    """What to start, and its environment. The test is skipped where it is not installed."""
    panel = require_program("xfce4-panel", "xfce4-panel")
    found = {each.name: str(each) for each in Path("/usr/lib").glob("*/xfce4/*/xf*") if each.is_file()}
    for name, package in (("xfconfd", "xfconf"), ("xfce4-notifyd", "xfce4-notifyd")):
        if name not in found:
            require_program(name, package)
    channels = home / "xfce4" / "xfconf" / "xfce-perchannel-xml"
    channels.mkdir(parents=True)
    dark = str(theme == "dark").lower()
    (channels / "xfce4-panel.xml").write_text(PANEL.replace("DARK", dark).replace("HEIGHT", str(HEIGHT)))
    environ = {
        "GTK_THEME": "Adwaita:dark" if theme == "dark" else "Adwaita",
        "NO_AT_BRIDGE": "1",
        "XDG_CURRENT_DESKTOP": "XFCE",
    }
    return [[found["xfconfd"]], [panel, "--disable-wm-check"], [found["xfce4-notifyd"]]], environ


class Bus:
    """Questions to the session's bus, over jeepney, which is there on Linux alone."""

    def __init__(self, address: str) -> None:
        self._address = address

    @property
    def is_ready(self) -> bool:
        """The panel takes icons in, and notifications are shown."""
        names = ("org.kde.StatusNotifierWatcher", "org.freedesktop.Notifications")
        if not all(self._ask(_BUS, "NameHasOwner", "s", name)[0] for name in names):
            return False
        return bool(self._watcher("IsStatusNotifierHostRegistered"))

    @property
    def icons(self) -> list[str]:
        """The programs whose icons the panel shows."""
        found: list[str] = self._watcher("RegisteredStatusNotifierItems")
        return found

    @property
    def reads_markup(self) -> bool:
        return "body-markup" in self._ask(_NOTIFICATIONS, "GetCapabilities", None)[0]

    @contextmanager
    def watched(self) -> Iterator[Callable[[], Notification]]:
        """The function waits for the next notification that any program asks for."""
        rule = "type='method_call',interface='org.freedesktop.Notifications',member='Notify'"
        with self._connection() as connection:
            _ask(connection, _MONITORING, "BecomeMonitor", "asu", [rule], 0)
            yield lambda: _next(connection)

    def _watcher(self, name: str) -> Any:
        return self._ask(_WATCHER, "Get", "ss", "org.kde.StatusNotifierWatcher", name)[0][1]

    def _ask(self, place: Place, method: str, signature: str | None, *arguments: Any) -> Any:
        with self._connection() as connection:
            return _ask(connection, place, method, signature, *arguments)

    def _connection(self) -> Any:
        blocking: Any = importlib.import_module("jeepney.io.blocking")
        return blocking.open_dbus_connection(self._address, auth_timeout=_ANSWER)


def _ask(connection: Any, place: Place, method: str, signature: str | None, *arguments: Any) -> Any:
    jeepney: Any = importlib.import_module("jeepney")
    wrappers: Any = importlib.import_module("jeepney.wrappers")
    message = jeepney.new_method_call(jeepney.DBusAddress(*place), method, signature, arguments)
    return wrappers.unwrap_msg(connection.send_and_get_reply(message, timeout=_ANSWER))


def _next(connection: Any, timeout: float = 40.0) -> Notification:
    end = time.monotonic() + timeout
    while (left := end - time.monotonic()) > 0:
        with suppress(TimeoutError):
            message = connection.receive(timeout=left)
            if message.header.message_type.name == "method_call":
                program, _, icon, title, text, _, hints, _ = message.body
                return Notification(program, icon, title, text, hints)
    raise AssertionError("no program asked for a notification")
