"""Notifications: what is told, and when it is better silent."""

from __future__ import annotations

from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.engine import errors, events
from itsjustintv_desktop.engine.core.models import DeliveryState
from itsjustintv_desktop.ui import arrivals
from itsjustintv_desktop.ui import notifications as module
from itsjustintv_desktop.ui.notifications import TOGETHER, Notifier
from itsjustintv_desktop.ui.preferences import NotificationKind, Preferences
from itsjustintv_desktop.ui.store import Store
from tests.ui import samples
from tests.ui.fake import FakeBridge


class Shown:
    """What was put up."""

    def __init__(self) -> None:
        self.all: list[tuple[str, str]] = []
        self.clicks: list[Any] = []
        self.opened: list[str] = []

    def show(self, title: str, text: str, do: Any = None) -> None:
        self.all.append((title, text))
        self.clicks.append(do)

    @property
    def titles(self) -> list[str]:
        return [title for title, _ in self.all]


@pytest.fixture
def shown() -> Shown:
    return Shown()


@pytest.fixture
def notifier(store: Store, preferences: Preferences, shown: Shown, monkeypatch: pytest.MonkeyPatch) -> Notifier:
    monkeypatch.setattr(module, "SETTLE_MS", 0)
    return Notifier(store, preferences, shown.show, shown.opened.append)


def went_live(login: str, **details: Any) -> events.EventSettled:
    given: dict[str, Any] = {
        "event_id": 1, "kind": "stream.online", "state": "announced", "login": login, "streamer": login,
        "reason": None, "explanation": None, "destinations": (),
    }  # fmt: skip
    return events.EventSettled(**{**given, **details})


def given_up(destination: str = "chat") -> events.DeliveryChanged:
    return events.DeliveryChanged(
        id=1, event_id=1, streamer="pixelforge", destination=destination, state=DeliveryState.DEAD, attempts=9,
        status=404, error="The address is gone (404).", next_at=None,
    )  # fmt: skip


def health(part: str, status: str, reason: str = "") -> events.HealthChanged:
    return events.HealthChanged(part=part, status=status, reason=reason, since=samples.NOW)


def delivery(destination: str, state: DeliveryState, event_id: int = 1) -> events.DeliveryChanged:
    return events.DeliveryChanged(
        id=1, event_id=event_id, streamer="pixelforge", destination=destination, state=state, attempts=1,
        status=204, error=None, next_at=None,
    )  # fmt: skip


def test_who_went_live(notifier: Notifier, bridge: FakeBridge, shown: Shown) -> None:
    bridge.happen(went_live("nobody", event_id=2))
    bridge.happen(went_live("pixelforge", destinations=("community",)))
    assert shown.all == [("nobody went live", "Written to output.json")]
    bridge.happen(delivery("community", DeliveryState.DELIVERED))
    assert shown.all[1:] == [("pixelforge went live", "Announced to community")]
    shown.clicks[0]()
    assert shown.opened == ["feed"]


@pytest.mark.parametrize(
    ("states", "text"),
    [
        ({"a": DeliveryState.DELIVERED, "b": DeliveryState.DELIVERED}, "Announced to a, b"),
        ({"a": DeliveryState.DELIVERED, "b": DeliveryState.PENDING}, "Announced to a\nStill on its way to b"),
        ({"a": DeliveryState.PENDING, "b": DeliveryState.PENDING}, "Still on its way to a, b"),
        ({"a": DeliveryState.DEAD, "b": DeliveryState.EXPIRED}, "Not delivered to a, b"),
        ({"a": DeliveryState.DEAD, "b": DeliveryState.DELIVERED}, "Announced to b\nNot delivered to a"),
    ],
)
@pytest.mark.parametrize("first", ["event", "deliveries"])
def test_only_what_arrived_was_announced(
    notifier: Notifier, bridge: FakeBridge, shown: Shown, states: dict[str, DeliveryState], text: str, first: str
) -> None:
    event = went_live("pixelforge", destinations=("a", "b"))
    outcomes = [delivery(name, state) for name, state in states.items()]
    bridge.happen(*([event, outcomes[0]] if first == "event" else [outcomes[0], event]))
    assert "pixelforge went live" not in shown.titles
    bridge.happen(outcomes[1])
    found = [each for each in shown.all if each[0] == "pixelforge went live"]
    assert found == [("pixelforge went live", text)]


def test_a_destination_that_does_not_answer_is_not_waited_for(
    notifier: Notifier, bridge: FakeBridge, shown: Shown, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "WAIT_SECONDS", 0.05)
    notifier._arrivals._look.setInterval(10)
    bridge.happen(went_live("pixelforge", destinations=("a", "b")), delivery("a", DeliveryState.DELIVERED))
    qtbot.waitUntil(lambda: bool(shown.all))
    assert shown.all == [("pixelforge went live", "Announced to a\nStill on its way to b")]
    assert not notifier._arrivals._look.isActive()


def test_what_is_no_news(notifier: Notifier, bridge: FakeBridge, shown: Shown) -> None:
    bridge.happen(went_live("a", state="suppressed", reason="filtered"), went_live("b", test=True, event_id=2))
    bridge.happen(health("way", "waiting", "Connecting"), health("way", "ok"))
    assert shown.all == []


def test_many_at_once_are_one(notifier: Notifier, bridge: FakeBridge, shown: Shown) -> None:
    many = TOGETHER + 1
    bridge.happen(
        *(went_live(f"channel{n}", event_id=n) for n in range(many)), *(given_up(f"to{n}") for n in range(many))
    )
    assert len(shown.all) == 2
    assert all(str(many) in title for title in shown.titles)


def test_a_flood_is_told_now_and_then(notifier: Notifier, bridge: FakeBridge, shown: Shown, qtbot: QtBot) -> None:
    """A thousand channels in twenty batches: not twenty notifications."""
    notifier._live._window.setInterval(50)
    for batch in range(20):
        bridge.happen(*(went_live(f"channel{batch}_{n}", event_id=batch * 50 + n) for n in range(50)))
    assert shown.titles == ["50 channels went live"]
    qtbot.waitUntil(lambda: len(shown.all) == 2)
    assert shown.titles == ["50 channels went live", "950 channels went live"]
    qtbot.waitUntil(lambda: not notifier._live._window.isActive())
    bridge.happen(went_live("late"))
    assert shown.titles[2:] == ["late went live"]


def test_the_few_that_come_one_by_one_are_told_at_once(
    notifier: Notifier, bridge: FakeBridge, shown: Shown, qtbot: QtBot
) -> None:
    for number in range(TOGETHER + 3):
        bridge.happen(went_live(f"c{number}", event_id=number))
    assert shown.titles == [f"c{number} went live" for number in range(TOGETHER)]
    notifier._live._window.setInterval(0)
    qtbot.waitUntil(lambda: len(shown.all) == TOGETHER + 3)
    assert shown.titles[-1] == f"c{TOGETHER + 2} went live"


def test_a_delivery_given_up(notifier: Notifier, bridge: FakeBridge, shown: Shown) -> None:
    bridge.happen(given_up())
    assert shown.all == [("chat was not told of pixelforge", "The address is gone (404).")]
    shown.clicks[0]()
    assert shown.opened == ["deliveries"]


def test_trouble_and_its_end_once_a_reason(notifier: Notifier, bridge: FakeBridge, shown: Shown, qtbot: QtBot) -> None:
    full = "The disk is full."
    bridge.happen(health("ledger", "failing", full), health("deliveries", "failing", full))
    assert shown.all == [("Needs attention", full)]
    bridge.happen(health("ledger", "waiting", "Trying again"), health("ledger", "failing", full))
    bridge.happen(health("ledger", "ok"))
    assert len(shown.all) == 1, "the other part still fails for it"
    bridge.happen(health("deliveries", "ok"))
    bridge.happen(health("ledger", "failing", full))
    qtbot.wait(50)
    assert len(shown.all) == 1, "it was never over"
    bridge.happen(health("ledger", "ok"))
    qtbot.waitUntil(lambda: len(shown.all) == 2)
    assert shown.all[1:] == [("Working again", f"This is over: {full}")]
    bridge.happen(health("ledger", "failing", full))
    assert shown.titles == ["Needs attention", "Working again", "Needs attention"]


def test_all_works_again_only_once_nothing_else_fails(
    notifier: Notifier, store: Store, bridge: FakeBridge, shown: Shown, qtbot: QtBot
) -> None:
    bridge.happen(health("ledger", "failing", "The disk is full."), health("secrets", "failing", "It is locked."))
    bridge.happen(health("ledger", "ok"))
    qtbot.waitUntil(lambda: len(shown.all) == 3)
    assert shown.all[2:] == [
        ("One problem is fixed", "This is over: The disk is full.\nStill a problem: It is locked."),
    ]
    store.snapshot = samples.snapshot(status=samples.affected())
    bridge.happen(health("secrets", "ok"))
    qtbot.waitUntil(lambda: len(shown.all) == 4)
    assert shown.all[3:] == [
        ("One problem is fixed", "This is over: It is locked.\nStill a problem: chat: It answered 404."),
    ]
    bridge.happen(health("ledger", "failing", "The disk is full."))
    store.snapshot = samples.snapshot()
    bridge.happen(health("ledger", "ok"))
    qtbot.waitUntil(lambda: len(shown.all) == 6)
    assert shown.all[5:] == [("Working again", "This is over: The disk is full.")]


def test_an_end_is_not_told_where_the_beginning_was_not(
    notifier: Notifier, bridge: FakeBridge, shown: Shown, preferences: Preferences, qtbot: QtBot
) -> None:
    preferences.set_notify("trouble", False)
    bridge.happen(health("ledger", "failing", "The disk is full."))
    preferences.set_notify("trouble", True)
    bridge.happen(health("ledger", "ok"))
    qtbot.wait(50)
    assert shown.all == []


def test_notices_and_an_engine_that_failed(notifier: Notifier, bridge: FakeBridge, shown: Shown) -> None:
    bridge.happen(events.Notice(text="The machine slept for 2 h."))
    bridge.error, bridge.state = errors.ConfigError(["config.toml, line 3: no such key"]), "failed"
    bridge.state_changed.emit("failed")
    assert shown.all == [
        ("Needs attention", "The machine slept for 2 h."),
        ("The configuration cannot be used", "config.toml, line 3: no such key"),
    ]


ALL = {"live": went_live("a"), "given_up": given_up(), "trouble": health("ledger", "failing", "x")}


@pytest.mark.parametrize("kind", ["live", "given_up", "trouble"])
def test_each_kind_can_be_turned_off(
    kind: NotificationKind, notifier: Notifier, bridge: FakeBridge, shown: Shown, preferences: Preferences
) -> None:
    preferences.set_notify(kind, False)
    bridge.happen(ALL[kind])
    assert shown.all == []
    bridge.happen(*(event for name, event in ALL.items() if name != kind))
    assert len(shown.all) == 2


def test_silent_while_on_air(
    notifier: Notifier, bridge: FakeBridge, shown: Shown, preferences: Preferences, store: Store
) -> None:
    store.snapshot = samples.snapshot(live=(samples.stream("pixelforge"),))
    preferences.own_login = "PixelForge"
    bridge.happen(*ALL.values())
    assert shown.all == []
    preferences.quiet_while_live = False
    bridge.happen(went_live("b"))
    preferences.quiet_while_live = True
    preferences.own_login = "somebody_else"
    bridge.happen(went_live("c"))
    # The trouble that began meanwhile is still there, so it is told then.
    assert shown.titles == ["Needs attention", "b went live", "c went live"]
