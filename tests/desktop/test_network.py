"""The network that comes back."""

from __future__ import annotations

import pytest
from PySide6.QtNetwork import QNetworkInformation
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.desktop import network
from itsjustintv_desktop.desktop.network import Network

Reach = QNetworkInformation.Reachability
Medium = QNetworkInformation.TransportMedium


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    monkeypatch.setattr(network, "SETTLE_MS", 20)
    return []


@pytest.fixture
def one(told: list[int]) -> Network:
    made = Network()
    made.returned.connect(lambda: told.append(1))
    return made


def test_it_comes_back(one: Network, told: list[int], qtbot: QtBot) -> None:
    one.reach_changed(Reach.Disconnected)
    one.reach_changed(Reach.Local)
    with qtbot.waitSignal(one.returned):
        one.reach_changed(Reach.Online)
    one.reach_changed(Reach.Online)
    qtbot.wait(60)
    assert told == [1]


def test_one_that_flickers_is_told_once_and_only_when_it_is_there(one: Network, told: list[int], qtbot: QtBot) -> None:
    for _ in range(5):
        one.reach_changed(Reach.Disconnected)
        one.reach_changed(Reach.Online)
    one.reach_changed(Reach.Site)
    qtbot.wait(60)
    assert told == []
    with qtbot.waitSignal(one.returned):
        one.reach_changed(Reach.Online)


def test_another_way_to_the_internet(one: Network, told: list[int], qtbot: QtBot) -> None:
    one.medium_changed(Medium.Ethernet)
    with qtbot.waitSignal(one.returned):
        one.medium_changed(Medium.WiFi)
    one.reach_changed(Reach.Disconnected)
    one.medium_changed(Medium.Ethernet)
    qtbot.wait(60)
    assert told == [1], "without the internet there is nothing to tell"


def test_the_real_backend_loads(qtbot: QtBot) -> None:
    one = Network()
    assert one.start() is bool(QNetworkInformation.availableBackends())
    assert one.start() is bool(QNetworkInformation.availableBackends()), "a second time changes nothing"
