"""Notifications through the desktop's own service, on Linux.

Qt sends them as well, but it then marks the tray icon as needing attention: StatusNotifier hosts show another icon for
about ten seconds, whatever the state of the program is. Where no service answers, Qt shows them (balloons of an XEmbed
tray, Windows, macOS).

Source: freedesktop.org, Desktop Notifications Specification 1.2.
"""

from __future__ import annotations

import asyncio
import html
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import structlog
from PySide6.QtGui import QIcon, QImage

from itsjustintv_desktop.desktop import APP_ID, bus
from itsjustintv_desktop.engine.core.tasks import Tasks

if TYPE_CHECKING:
    from jeepney import Message
    from jeepney.io.asyncio import DBusConnection

SERVICE = "org.freedesktop.Notifications"
PATH = "/org/freedesktop/Notifications"
MARKUP = "body-markup"
DEADLINE = 3.0
"""Seconds for everything up to the service's confirmation; a service that is not running yet is started by the bus."""
_PICTURE = 64
"""Pixels, width and height."""
_REMEMBERED = 50
"""Notifications whose click still counts."""

Do = Callable[[], object]

_log = structlog.get_logger(__name__)


class Notifications:
    """Everything happens on the window's loop; nothing waits for the service longer than DEADLINE."""

    def __init__(self, *, used: bool = sys.platform == "linux") -> None:
        self._used = used
        self._tasks = Tasks()
        self._in_turn = asyncio.Lock()
        self._failed_at = float("-inf")
        self._connection: DBusConnection | None = None
        self._reading: asyncio.Task[None] | None = None
        self._asked = 0
        """The serial number of the request that `_reply` belongs to."""
        self._reply: asyncio.Future[Message | None]
        self._clicks: dict[int, Do] = {}

    def show(self, title: str, text: str, icon: QIcon, *, action: str, do: Do, otherwise: Do) -> None:
        """Show a notification of plain text. `do` is called when it is clicked (`action` names that), `otherwise` if
        the service does not take it."""
        if self._used:
            self._tasks.start("desktop.notification", self._show(title, text, icon, action, do, otherwise))
        else:
            otherwise()

    async def close(self) -> None:
        """Close the connection; clicks are no longer received."""
        await self._tasks.stop()
        await self._disconnect()

    async def _show(self, title: str, text: str, icon: QIcon, action: str, do: Do, otherwise: Do) -> None:
        number, asked_at = None, asyncio.get_running_loop().time()
        async with self._in_turn:
            if asked_at > self._failed_at:  # else it waited behind one that failed
                number = await self._within_deadline(title, text, icon, action)
        if number is None:
            otherwise()
            return
        self._clicks[number] = do
        if len(self._clicks) > _REMEMBERED:
            del self._clicks[next(iter(self._clicks))]

    async def _within_deadline(self, title: str, text: str, icon: QIcon, action: str) -> int | None:
        """The number that the service gave it; None: it does not take notifications now."""
        try:
            async with asyncio.timeout(DEADLINE):
                return await self._notify(title, text, icon, action)
        except Exception as error:  # noqa: BLE001 - a service may answer anything; the notification is shown anyway
            _log.info("the desktop's service does not show notifications", reason=f"{type(error).__name__}: {error}")
            self._failed_at = asyncio.get_running_loop().time()
            await self._disconnect()
            return None

    async def _notify(self, title: str, text: str, icon: QIcon, action: str) -> int:
        if self._connection is None or self._reading is None or self._reading.done():
            await self._connect()
        # Asked each time: another service may have taken over.
        (capabilities,) = await self._call("GetCapabilities")
        if MARKUP in capabilities:
            text = html.escape(text, quote=False)
        actions = ["default", action] if "actions" in capabilities else []
        hints = {"image-data": ("(iiibiiay)", _pixels(icon)), "desktop-entry": ("s", APP_ID)}
        arguments = ("itsjustintv", 0, "", title, text, actions, hints, -1)
        (number,) = await self._call("Notify", "susssasa{sv}i", *arguments)
        return int(number)

    async def _connect(self) -> None:
        from jeepney import MatchRule, message_bus
        from jeepney.io.asyncio import open_dbus_connection

        connection = self._connection = await open_dbus_connection(bus.session_bus() or "SESSION")
        self._reading = self._tasks.start("desktop.notifications", self._read(connection))
        await self._ask(message_bus.AddMatch(MatchRule(type="signal", interface=SERVICE, path=PATH)))

    async def _read(self, connection: DBusConnection) -> None:
        """Take in replies and clicks, until the connection ends."""
        from jeepney import HeaderFields, MessageType

        loop = asyncio.get_running_loop()
        try:
            while True:
                message = await connection.receive()
                fields = message.header.fields
                if message.header.message_type is MessageType.signal:
                    if fields.get(HeaderFields.member) == "ActionInvoked":
                        # In the next turn: who waits for the reply before it is woken first.
                        loop.call_soon(self._clicked, message.body[0])
                elif fields.get(HeaderFields.reply_serial) == self._asked and not self._reply.done():
                    self._reply.set_result(message)
        except (EOFError, OSError):
            if not self._reply.done():
                self._reply.set_result(None)

    def _clicked(self, number: int) -> None:
        if (do := self._clicks.pop(number, None)) is not None:
            do()

    async def _call(self, method: str, signature: str | None = None, *arguments: Any) -> tuple[Any, ...]:
        from jeepney import DBusAddress, new_method_call

        return await self._ask(new_method_call(DBusAddress(PATH, SERVICE, SERVICE), method, signature, arguments))

    async def _ask(self, message: Message) -> tuple[Any, ...]:
        """One at a time. Raises what jeepney, the bus or the service finds wrong."""
        from jeepney.wrappers import unwrap_msg

        assert self._connection is not None
        self._asked = next(self._connection.outgoing_serial)
        self._reply = asyncio.get_running_loop().create_future()
        await self._connection.send(message, serial=self._asked)
        reply = await self._reply
        if reply is None:
            raise ConnectionResetError("the session's bus closed the connection")
        found: tuple[Any, ...] = unwrap_msg(reply)
        return found

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if self._reading is not None:
            self._reading.cancel()
        if connection is not None:
            connection.writer.close()
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(DEADLINE):
                    await connection.writer.wait_closed()


def _pixels(icon: QIcon) -> tuple[int, int, int, bool, int, int, bytes]:
    """Width, height, bytes a row, whether there is alpha, bits a sample, channels, and the pixels themselves."""
    image = icon.pixmap(_PICTURE, _PICTURE).toImage().convertToFormat(QImage.Format.Format_RGBA8888)
    return image.width(), image.height(), image.bytesPerLine(), True, 8, 4, bytes(image.constBits())
