"""What the desktop says of its notifications, on a bus of the test's own."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import ClassInfo, QObject, Slot
from PySide6.QtDBus import QDBusConnection
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.desktop.notifications import PATH, SERVICE, Notifications
from tests.desktop.test_power import bus

__all__ = ["bus"]

_INFO: Any = ClassInfo  # called like a decorator, whatever its types say

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="notifications over D-Bus are Linux's")


@_INFO({"D-Bus Interface": SERVICE})
class Desktop(QObject):
    """Answers what a desktop answers."""

    def __init__(self, address: str, *capabilities: str) -> None:
        super().__init__()
        self._capabilities = list(capabilities)
        self._name = f"desktop-{uuid.uuid4()}"
        self._bus = QDBusConnection.connectToBus(address, self._name)
        assert self._bus.registerObject(PATH, self, QDBusConnection.RegisterOption.ExportAllSlots)
        assert self._bus.registerService(SERVICE)

    @Slot(result="QStringList")
    def GetCapabilities(self) -> list[str]:  # noqa: N802 - as D-Bus has it
        return self._capabilities

    def leave(self) -> None:
        self._bus.unregisterService(SERVICE)
        QDBusConnection.disconnectFromBus(self._name)


@pytest.fixture
def asking(bus: str) -> Iterator[Notifications]:
    name = f"asking-{uuid.uuid4()}"
    yield Notifications(lambda: QDBusConnection.connectToBus(bus, name))
    QDBusConnection.disconnectFromBus(name)


@pytest.mark.parametrize(("capabilities", "markup"), [(("body", "body-markup"), True), (("actions", "body"), False)])
def test_it_says_whether_it_reads_markup(
    bus: str,
    asking: Notifications,
    qtbot: QtBot,
    capabilities: tuple[str, ...],
    markup: bool,
) -> None:
    desktop = Desktop(bus, *capabilities)
    assert asking.reads_markup, "escaped until it is known"
    with qtbot.waitSignal(asking.answered):
        asking.start()
    assert asking.reads_markup is markup
    desktop.leave()


def test_nobody_answers(asking: Notifications, qtbot: QtBot) -> None:
    with qtbot.waitSignal(asking.answered):
        asking.start()
    assert asking.reads_markup
