"""Xfce's panel and its notifications on a desktop session: a StatusNotifier host, which draws the icon by itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from jeepney import DBusAddress, MatchRule, MessageType, new_method_call
from jeepney.io.blocking import DBusConnection, open_dbus_connection
from jeepney.wrappers import unwrap_msg

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
_BUS = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")
_MONITORING = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus.Monitoring")
_WATCHER = DBusAddress("/StatusNotifierWatcher", "org.kde.StatusNotifierWatcher", "org.freedesktop.DBus.Properties")
_NOTIFICATIONS = DBusAddress(
    "/org/freedesktop/Notifications", "org.freedesktop.Notifications", "org.freedesktop.Notifications"
)
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
    """Questions to the session's bus."""

    def __init__(self, address: str) -> None:
        self._address = address

    def ask(self, where: DBusAddress, method: str, signature: str = "", *arguments: Any) -> tuple[Any, ...]:
        with open_dbus_connection(self._address, auth_timeout=_ANSWER) as connection:
            message = new_method_call(where, method, signature or None, arguments)
            body: tuple[Any, ...] = unwrap_msg(connection.send_and_get_reply(message, timeout=_ANSWER))
            return body

    @property
    def is_ready(self) -> bool:
        """The panel takes icons in, and notifications are shown."""
        names = ("org.kde.StatusNotifierWatcher", "org.freedesktop.Notifications")
        if not all(self.ask(_BUS, "NameHasOwner", "s", name)[0] for name in names):
            return False
        return bool(self._watcher("IsStatusNotifierHostRegistered"))

    @property
    def icons(self) -> list[str]:
        """The programs whose icons the panel shows."""
        found: list[str] = self._watcher("RegisteredStatusNotifierItems")
        return found

    @property
    def reads_markup(self) -> bool:
        return "body-markup" in self.ask(_NOTIFICATIONS, "GetCapabilities")[0]

    def _watcher(self, name: str) -> Any:
        return self.ask(_WATCHER, "Get", "ss", "org.kde.StatusNotifierWatcher", name)[0][1]

    @contextmanager
    def watched(self) -> Iterator[Callable[[], Notification]]:
        """The function waits for the next notification that any program asks for."""
        with open_dbus_connection(self._address, auth_timeout=_ANSWER) as connection:
            rule = MatchRule(type="method_call", interface="org.freedesktop.Notifications", member="Notify")
            begin = new_method_call(_MONITORING, "BecomeMonitor", "asu", ([rule.serialise()], 0))
            unwrap_msg(connection.send_and_get_reply(begin, timeout=_ANSWER))
            yield lambda: _next(connection)


def _next(connection: DBusConnection, timeout: float = 40.0) -> Notification:
    end = time.monotonic() + timeout
    while (left := end - time.monotonic()) > 0:
        with suppress(TimeoutError):
            message = connection.receive(timeout=left)
            if message.header.message_type is MessageType.method_call:
                program, _, icon, title, text, _, hints, _ = message.body
                return Notification(program, icon, title, text, hints)
    raise AssertionError("no program asked for a notification")
