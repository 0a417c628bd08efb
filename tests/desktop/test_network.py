"""The network that comes back."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.desktop import network
from itsjustintv_desktop.desktop.network import Network, own_addresses

CABLE, WIFI = ("198.51.100.7",), ("198.51.100.99",)


class Route:
    """The way to the internet, as the test says."""

    def __init__(self) -> None:
        self.now: tuple[str, ...] = CABLE

    def __call__(self) -> tuple[str, ...]:
        return self.now


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    monkeypatch.setattr(network, "SETTLE_MS", 20)
    return []


@pytest.fixture
def route() -> Route:
    return Route()


@pytest.fixture
def one(told: list[int], route: Route) -> Network:
    made = Network(route=route)
    made.returned.connect(lambda: told.append(1))
    made.start()
    return made


def see(one: Network, route: Route, now: tuple[str, ...]) -> None:
    route.now = now
    one.look()


def test_it_comes_back(one: Network, route: Route, told: list[int], qtbot: QtBot) -> None:
    see(one, route, ())
    with qtbot.waitSignal(one.returned):
        see(one, route, CABLE)
    see(one, route, CABLE)
    qtbot.wait(60)
    assert told == [1]


def test_it_is_looked_for_by_itself(
    told: list[int], route: Route, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "LOOK_MS", 10)
    one = Network(route=route)
    one.start()
    with qtbot.waitSignal(one.returned):
        route.now = WIFI


def test_one_that_flickers_is_told_once_and_only_when_it_is_there(
    one: Network, route: Route, told: list[int], qtbot: QtBot
) -> None:
    for _ in range(5):
        see(one, route, ())
        see(one, route, CABLE)
    see(one, route, ())
    qtbot.wait(60)
    assert told == []
    with qtbot.waitSignal(one.returned):
        see(one, route, CABLE)


def test_another_way_to_the_internet(one: Network, route: Route, told: list[int], qtbot: QtBot) -> None:
    with qtbot.waitSignal(one.returned):
        see(one, route, WIFI)
    see(one, route, ())
    qtbot.wait(60)
    assert told == [1], "without the internet there is nothing to tell"


def test_the_route_is_asked_for_without_waiting_or_sending() -> None:
    began = time.monotonic()
    for _ in range(100):
        assert own_addresses() == own_addresses()
    assert time.monotonic() - began < 10


def test_no_service_of_the_system_is_asked_that_may_never_answer(qtbot: QtBot, route: Route) -> None:
    """QNetworkInformation's backends do, on the thread of the window: under Wine one never came back."""
    Network(route=route).start()
    code = (
        "import sys, itsjustintv_desktop.app; from PySide6.QtCore import QCoreApplication as A; a = A([])\n"
        "from itsjustintv_desktop.desktop.network import Network; Network().start()\n"
        "from PySide6.QtNetwork import QNetworkInformation as Q; sys.exit(Q.instance() is not None)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
