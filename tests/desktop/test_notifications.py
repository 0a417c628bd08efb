"""Notifications through the desktop's service, on a bus of the test's own."""

from __future__ import annotations

import asyncio
import importlib
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QColor, QIcon, QPixmap
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.desktop import notifications as module
from itsjustintv_desktop.desktop.notifications import PATH, SERVICE, Notifications
from tests.desktop.test_power import bus
from tests.support.waiting import until

__all__ = ["bus"]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="notifications over D-Bus are Linux's")

EVERYTHING = ("actions", "body", "body-markup")


class Service:
    """Takes notifications as a desktop does."""

    def __init__(self, address: str) -> None:
        self._jeepney: Any = importlib.import_module("jeepney")
        self._io: Any = importlib.import_module("jeepney.io.asyncio")
        self._address = address
        self.capabilities: tuple[str, ...] = EVERYTHING
        self.silent = False
        self.shown: list[tuple[Any, ...]] = []
        self.asked = 0
        self.ready = asyncio.Event()

    async def run(self) -> None:
        async with await self._io.open_dbus_connection(self._address) as self._bus:
            await self._bus.send(self._jeepney.message_bus.RequestName(SERVICE))
            while True:
                message = await self._bus.receive()
                is_call = message.header.message_type.name == "method_call"
                self.asked += is_call
                if message.header.message_type.name == "method_return":
                    self.ready.set()  # the name is ours
                if is_call and not self.silent:
                    await self._bus.send(self._answer(message))

    def _answer(self, message: Any) -> Any:
        method = message.header.fields[self._jeepney.HeaderFields.member]
        if method == "GetCapabilities":
            return self._jeepney.new_method_return(message, "as", (list(self.capabilities),))
        assert method == "Notify"
        self.shown.append(message.body)
        return self._jeepney.new_method_return(message, "u", (len(self.shown),))

    async def click(self, number: int) -> None:
        emitter = self._jeepney.DBusAddress(PATH, SERVICE, SERVICE)
        await self._bus.send(self._jeepney.new_signal(emitter, "ActionInvoked", "us", (number, "default")))


@asynccontextmanager
async def service(address: str) -> AsyncIterator[Service]:
    made = Service(address)
    running = asyncio.create_task(made.run())
    try:
        await until(made.ready.is_set, what="the service is there")
        yield made
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
async def ours(bus: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Notifications]:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus)
    made = Notifications(used=True)
    yield made
    await made.close()


@pytest.fixture
def done() -> list[str]:
    return []


def icon() -> QIcon:
    picture = QPixmap(64, 64)
    picture.fill(QColor("#ff0000"))
    return QIcon(picture)


def show(
    ours: Notifications, done: list[str], text: str = "to R&D <b>team</b>", title: str = "alice went live"
) -> None:
    ours.show(title, text, icon(), action="Open", do=lambda: done.append(title), otherwise=lambda: done.append("icon"))


async def shown(bus: str, ours: Notifications, done: list[str], *capabilities: str) -> tuple[Any, ...]:
    async with service(bus) as desktop:
        desktop.capabilities = capabilities
        show(ours, done)
        await until(lambda: desktop.shown or done, what="it is shown")
    (found,) = desktop.shown
    return found


async def test_what_is_sent(bus: str, ours: Notifications, done: list[str]) -> None:
    program, replaces, picture, title, text, actions, hints, expires = await shown(bus, ours, done, *EVERYTHING)
    assert (program, replaces, picture, title, expires) == ("itsjustintv", 0, "", "alice went live", -1)
    assert text == "to R&amp;D &lt;b&gt;team&lt;/b&gt;"
    assert actions == ["default", "Open"]
    assert set(hints) == {"image-data", "desktop-entry"}
    kind, (width, height, row, alpha, bits, channels, pixels) = hints["image-data"]
    assert (kind, width, height, row, alpha, bits, channels) == ("(iiibiiay)", 64, 64, 256, True, 8, 4)
    assert bytes(pixels[:4]) == b"\xff\0\0\xff"


async def test_a_desktop_without_markup_and_actions(bus: str, ours: Notifications, done: list[str]) -> None:
    _, _, _, _, text, actions, _, _ = await shown(bus, ours, done, "body")
    assert text == "to R&D <b>team</b>"
    assert actions == []


async def test_a_click_does_what_belongs_to_it(bus: str, ours: Notifications, done: list[str]) -> None:
    async with service(bus) as desktop:
        for title in ("one", "two"):
            show(ours, done, title=title)
        await until(lambda: len(desktop.shown) == 2, what="both are shown")
        for number in (7, 2, 2, 1):  # one that is not ours; the second one, clicked twice; the first one
            await desktop.click(number)
        await until(lambda: len(done) == 2, what="both clicks are heard")
    assert done == ["two", "one"]


async def test_without_a_service_the_icon_shows_it(ours: Notifications, done: list[str]) -> None:
    show(ours, done)
    await until(lambda: done, what="it is shown")
    assert done == ["icon"]


@pytest.mark.parametrize("address", ["unix:path=/dev/null", "unix:path=/nowhere/bus", "nonsense", "tcp:host=127.0.0.1"])
async def test_without_a_bus(address: str, qtbot: QtBot, done: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
    ours = Notifications(used=True)
    show(ours, done)
    await until(lambda: done, what="it is shown")
    assert done == ["icon"]
    await ours.close()


# jeepney leaves a connection that it is no longer asked for to the garbage collector.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_bus_that_takes_connections_and_never_answers(
    qtbot: QtBot, done: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "DEADLINE", 0.3)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(tmp_path / "silent"))
        made.listen()
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path / 'silent'}")
        ours = Notifications(used=True)
        show(ours, done)
        await until(lambda: done, what="it is shown")
        assert done == ["icon"]
        await ours.close()


async def test_where_it_is_not_used_the_icon_shows_it_at_once(qtbot: QtBot, done: list[str]) -> None:
    show(Notifications(used=False), done)
    assert done == ["icon"]


async def test_a_service_that_hangs_ends_and_comes_back(
    bus: str, ours: Notifications, done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DEADLINE", 0.3)
    async with service(bus) as desktop:
        desktop.silent = True
        show(ours, done)
        await until(lambda: done == ["icon"], what="the icon shows it")
    show(ours, done)
    await until(lambda: done == ["icon", "icon"], what="the icon shows it without a service, too")
    monkeypatch.setattr(module, "DEADLINE", 3.0)
    async with service(bus) as desktop:
        show(ours, done, title="three")
        await until(lambda: desktop.shown, what="the new service shows it")
        await until(lambda: len(ours._clicks) == 1, what="its click would be heard")
        await desktop.click(1)
        await until(lambda: done[2:] == ["three"], what="the click is heard")


async def test_those_behind_one_that_the_service_does_not_take_wait_no_longer(
    bus: str, ours: Notifications, done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DEADLINE", 0.5)
    async with service(bus) as desktop:
        desktop.silent = True
        for _ in range(10):
            show(ours, done)
        await until(lambda: done == ["icon"] * 10, what="the icon shows all")
        assert (desktop.asked, desktop.shown) == (1, [])


async def test_the_bus_ends_while_the_program_runs(
    bus: str, ours: Notifications, done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with service(bus) as desktop:
        show(ours, done)
        await until(lambda: len(ours._clicks) == 1, what="it is shown")
        assert ours._connection is not None
        ours._connection.writer.transport.abort()
        show(ours, done)
        await until(lambda: len(desktop.shown) + len(done) == 2, what="it is shown, by the service or the icon")
        show(ours, done, title="the last one")
        await until(lambda: desktop.shown[-1][3] == "the last one", what="the service is asked again")
