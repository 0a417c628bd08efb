"""The overview: one honest answer, and where each link is mended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from PySide6.QtWidgets import QLabel, QScrollArea, QScrollBar, QWidget
from pytestqt.qtbot import QtBot
from qasync import QEventLoop

from itsjustintv_desktop.engine import Check, DayNumbers, Level, OverallStatus, Report, Statistics, errors, events
from itsjustintv_desktop.engine.monitoring.doctor.report import CheckState, Chosen, Mitigated, Unsettled
from itsjustintv_desktop.ui.pages.overview import View
from itsjustintv_desktop.ui.store import Store
from itsjustintv_desktop.ui.widgets.basic import Button, Dot
from tests.ui import samples
from tests.ui.fake import FakeBridge

ALL = "All 2 streams will be announced"
NONE = "No stream will be announced"


def report(**states: str) -> Report:
    checks = tuple(
        Check(name=name, state=CheckState(state), message=f"About {name}.", fix="" if state == "green" else "Mend it.")
        for name, state in states.items()
    )
    return Report(ok="red" not in states.values(), checks=checks)


def shown(qtbot: QtBot, store: Store, bridge: FakeBridge, answer: Report, **snapshot: object) -> View:
    bridge.engine._snapshot = store.snapshot = samples.snapshot(**snapshot)
    bridge.engine.api.set("diagnostics.doctor", answer)
    bridge.engine.api.set("statistics.days", Statistics(days=()))
    page = View(store, "Overview")
    qtbot.addWidget(page)
    page.resize(1000, 700)
    page.show()
    page.activate()
    qtbot.waitUntil(lambda: page.chain.links.isVisible())
    return page


def squeezed(page: QWidget) -> list[str]:
    """Visible parts that are smaller than they have to be, or stand out of what they lie in."""
    found = []
    for part in page.findChildren(QWidget):
        if not part.isVisible() or isinstance(part, QScrollArea | QScrollBar):
            continue
        least = part.minimumSizeHint()
        if part.hasHeightForWidth():
            least.setHeight(part.heightForWidth(part.width()))
        parent = part.parentWidget()
        scrolled = parent is page or (parent is not None and parent.objectName().startswith("qt_scrollarea"))
        if part.height() < least.height():
            found.append(f"too low: {part}")
        if parent is not None and not scrolled and not parent.rect().contains(part.geometry()):
            found.append(f"cut: {part}")
    return found


ONE = "1 of 2 streams will be announced"
THREE = 3 * samples.failing("About way.", "way").problems
ANSWERS = [
    (samples.status(), ALL, "ok", ""),
    (samples.affected(), ONE, "attention", "chat: It answered 404."),
    (
        samples.status(Level.FAILING, NONE, problems=THREE),
        NONE,
        "failed",
        "About way. 2 more points need attention.",
    ),
    (samples.on_pause(), "Announcements are paused", "off", samples.paused().sentence),
]
"""One that is affected does not make everything red, what needs attention is named at the top, paused is no failure."""


@pytest.mark.parametrize(("status", "headline", "tone", "more"), ANSWERS)
def test_the_answer(
    qtbot: QtBot, store: Store, bridge: FakeBridge, status: OverallStatus, headline: str, tone: str, more: str
) -> None:
    page = shown(qtbot, store, bridge, report(config="green"), status=status)
    assert (page.answer.accessibleName(), page.answer._tone) == (headline, tone)
    assert page.answer._small.text() == more


def test_what_is_broken_says_so_and_leads_to_its_page(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = shown(qtbot, store, bridge, report(config="green", way="red"), status=samples.failing())
    assert page.answer.accessibleName() == NONE
    (fix,) = [each for each in page.chain.findChildren(type(page.check_now)) if each.text() == "Fix"]
    with qtbot.waitSignal(page.go) as asked:
        fix.click()
    assert asked.args == ["connection", "way"]


def test_what_is_only_starting_is_said_calmly_and_looked_at_again(
    qtbot: QtBot, store: Store, bridge: FakeBridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("itsjustintv_desktop.ui.pages.overview.view.SETTLING_MS", (20, 40))
    starting = Unsettled(name="catching up", state=CheckState.AMBER, message="Not yet.", fix="Wait.")
    answers = [Report(ok=True, checks=(starting,)), Report(ok=True, checks=(starting,)), report(config="green")]
    page = shown(qtbot, store, bridge, answers[0])
    bridge.engine.api.set("diagnostics.doctor", lambda: answers.pop(0) if len(answers) > 1 else answers[0])
    assert [each.accessibleName() for each in page.chain.findChildren(Dot)] == ["not known yet"]
    assert not [each for each in page.chain.findChildren(type(page.check_now)) if each.text() == "Fix"]
    qtbot.waitUntil(lambda: [each._tone for each in page.chain.findChildren(Dot) if each.isVisible()] == ["ok"])
    looked = len(bridge.engine.was_asked("api.diagnostics.doctor"))
    qtbot.wait(100)
    assert len(bridge.engine.was_asked("api.diagnostics.doctor")) == looked


def test_each_state_has_a_shape_of_its_own(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    """Whoever cannot tell red from green sees a cross."""
    page = shown(qtbot, store, bridge, report(config="green", way="amber", token="red"))
    assert [each._tone for each in page.chain.findChildren(Dot)] == ["ok", "attention", "failed"]


def test_what_a_person_chose_or_what_has_no_consequence_is_not_red(
    qtbot: QtBot, store: Store, bridge: FakeBridge
) -> None:
    off = Chosen(name="destination a", state=CheckState.RED, message="It is paused.", fix="Resume it.")
    late = Mitigated(name="way", state=CheckState.RED, message="Streams are found by asking.", fix="Repair it.")
    page = shown(qtbot, store, bridge, Report(ok=False, checks=(off, late)))
    assert [each._tone for each in page.chain.findChildren(Dot)] == ["off", "attention"]


def test_the_reason_is_never_cut(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    long = samples.failing("Twitch could not be asked: " + "word " * 40)
    page = shown(qtbot, store, bridge, report(token="red"), status=long)
    page.resize(692, 600)
    small = page.answer._small
    qtbot.waitUntil(lambda: small.height() >= small.heightForWidth(small.width()) > 2 * small.fontMetrics().height())


def test_today_stands_there_in_numbers(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = shown(qtbot, store, bridge, report(config="green"))
    days = (
        DayNumbers(day="2026-11-23", start=0, announced=9, delivered=9),
        DayNumbers(day="2026-11-24", start=86400, announced=3, delivered=5, given_up=1, suppressed=2),
    )
    page.days.show_days(days)
    texts = [each.text() for each in page.days.findChildren(QLabel) if each.isVisible()]
    assert "Today: 3 announced · 5 delivered · 1 given up · 2 not announced" in texts
    assert "12 announced · 1 given up" in texts
    assert "9" in page.days._chart.accessibleName()
    page.days.show_days(days[:1])
    assert "Today: 9 announced · 9 delivered" in [each.text() for each in page.days.findChildren(QLabel)]


STARTING = Unsettled(name="streamer a", state=CheckState.AMBER, message="Not yet.", fix="See the way.")


def looks(bridge: FakeBridge) -> int:
    return len(bridge.engine.was_asked("api.diagnostics.doctor"))


def test_what_is_broken_is_not_waited_for(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    broken = report(way="red").checks
    page = shown(qtbot, store, bridge, Report(ok=False, checks=(*broken, STARTING)))
    assert not page._settling.isActive()


def test_it_is_looked_again_after_another_page_was_in_front(
    qtbot: QtBot, store: Store, bridge: FakeBridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("itsjustintv_desktop.ui.pages.overview.view.SETTLING_MS", (20, 40))
    page = shown(qtbot, store, bridge, Report(ok=True, checks=(STARTING,)))
    page.hide()
    qtbot.waitUntil(lambda: not page._settling.isActive() and not page.tasks.is_running("check"))
    looked = looks(bridge)
    bridge.engine.api.set("diagnostics.doctor", report(way="green"))
    page.show()
    page.activate()
    qtbot.waitUntil(lambda: tones(page) == ["ok"])
    assert looks(bridge) == looked + 1


CHANGES = (
    events.AnnouncementsPaused(until=None, paused=False),
    events.ConfigChanged(state="ok", text=""),
    events.DestinationChanged(destination="chat", state="open", reason="500"),
    events.HealthChanged(part="disk", status="failing", reason="full", since=samples.NOW),
    events.SubscriptionsChanged(state="ok", message="", wanted=1, enabled=1, pending=0, done=0, total=0),
    events.TransportChanged(kind="none", state="ready", code="", text=""),
    events.DeliveriesChanged(count=3),
    events.LiveChanged(began=(), ended=("1",), count=0),
)


def tones(page: View) -> list[str]:
    """Of the chain."""
    return [each._tone for each in page.chain.findChildren(Dot) if each.isVisible()]


@pytest.mark.parametrize("hidden", [False, True], ids=["in sight", "hidden"])
@pytest.mark.parametrize("event", CHANGES, ids=lambda event: type(event).__name__)
def test_whatever_changes_is_right_within_a_second(
    qtbot: QtBot, store: Store, bridge: FakeBridge, event: events.EngineEvent, hidden: bool
) -> None:
    """Or as soon as the page is seen again; nobody looks before."""
    page = shown(qtbot, store, bridge, report(config="green"))
    bridge.engine.api.set("diagnostics.doctor", report(config="red"))
    looked = looks(bridge)
    page.setHidden(hidden)
    bridge.happen(event)
    if hidden:
        assert not page._looks_soon.isActive()
        assert looks(bridge) == looked
        page.show()
        page.activate()
    qtbot.waitUntil(lambda: tones(page) == ["failed"], timeout=1000)
    assert bridge.engine.was_asked("api.diagnostics.doctor")[-1].named == {"recent": True}, (
        "Twitch is not asked each time"
    )


def test_what_happens_during_a_look_is_looked_at_again(
    qtbot: QtBot, store: Store, bridge: FakeBridge, qt_loop: QEventLoop
) -> None:
    page = shown(qtbot, store, bridge, report(config="green"))
    slow: asyncio.Future[Report] = qt_loop.create_future()
    looked = looks(bridge)
    bridge.engine.api.set("diagnostics.doctor", lambda **_: slow)
    bridge.happen(CHANGES[1])
    qtbot.waitUntil(lambda: looks(bridge) > looked)
    bridge.happen(CHANGES[1])
    qtbot.waitUntil(lambda: not page._looks_soon.isActive())
    bridge.engine.api.set("diagnostics.doctor", report(config="red"))
    slow.set_result(report(config="green"))
    qtbot.waitUntil(lambda: tones(page) == ["failed"])


def test_the_answer_waits_for_no_look(qtbot: QtBot, store: Store, bridge: FakeBridge, qt_loop: QEventLoop) -> None:
    """Twitch may take its time to answer."""
    page = shown(qtbot, store, bridge, report(config="green"))
    never: asyncio.Future[Report] = qt_loop.create_future()
    bridge.engine.api.set("diagnostics.doctor", lambda **_: never)
    for status, event in (
        (samples.on_pause(), events.AnnouncementsPaused(until=None, paused=True)),
        (samples.status(), events.AnnouncementsPaused(until=None, paused=False)),
        (samples.affected(), events.DestinationChanged(destination="chat", state="paused", reason="404")),
    ):
        bridge.engine._snapshot = samples.snapshot(status=status)
        bridge.happen(event)
        qtbot.waitUntil(lambda said=status.headline: page.answer.accessibleName() == said, timeout=1000)  # type: ignore[misc]


def test_what_no_event_tells_is_seen_in_the_snapshot(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = shown(qtbot, store, bridge, report(config="green"))
    store.changed.emit()
    bridge.engine.api.set("diagnostics.doctor", report(config="red"))
    store.snapshot = samples.snapshot(status=samples.failing())
    store.changed.emit()
    qtbot.waitUntil(lambda: tones(page) == ["failed"], timeout=1000)


def test_todays_numbers_are_right_when_the_page_is_seen(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = shown(qtbot, store, bridge, report(config="green"))
    page.hide()
    day = DayNumbers(day="2026-11-24", start=0, announced=3, delivered=5)
    bridge.engine.api.set("statistics.days", Statistics(days=(day,)))
    bridge.happen(events.DeliveriesChanged(count=2))
    page.show()
    page.activate()
    qtbot.waitUntil(lambda: "3" in page.days._chart.accessibleName(), timeout=1000)


@pytest.mark.parametrize("size", [(692, 600), (1072, 800), (692, 1400)])
def test_nothing_is_cut_or_squeezed_in_a_small_window(
    qtbot: QtBot, store: Store, bridge: FakeBridge, size: tuple[int, int]
) -> None:
    live = tuple(samples.stream(f"channel{number}") for number in range(8))
    states = {f"streamer s{number}": "amber" for number in range(10)}
    page = shown(qtbot, store, bridge, report(config="green", **states), live=live)
    page.resize(*size)
    qtbot.waitUntil(lambda: page.chain.links.height() > 400 and squeezed(page) == [])


def test_the_focus_stays_where_it_was_when_the_chain_is_walked_again(
    qtbot: QtBot, store: Store, bridge: FakeBridge
) -> None:
    page = shown(qtbot, store, bridge, report(config="red", way="red"))
    page.activateWindow()

    def fix() -> Button:
        found = [each for each in page.chain.findChildren(Button) if each.accessibleName() == "Fix way"]
        return found[-1]

    qtbot.waitUntil(lambda: bool([each for each in page.chain.findChildren(Button) if each.text() == "Fix"]))
    first = fix()
    first.setFocus()
    qtbot.waitUntil(first.hasFocus)
    page.chain.show_report(report(config="red", way="red"))
    assert fix() is first, "the same report makes nothing anew"
    page.chain.show_report(report(config="amber", way="red"))
    assert fix() is first, "rows that stay are changed in place"
    assert first.hasFocus()
    page.chain.show_report(report(config="amber", client="red", way="red"))
    assert fix() is not first
    assert fix().hasFocus()


def test_a_row_is_changed_in_place(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = shown(qtbot, store, bridge, report(config="red", way="green"))
    dots, labels = page.chain.findChildren(Dot), page.chain.findChildren(QLabel)

    def only(name: str) -> Callable[[], bool]:
        buttons = page.chain.findChildren
        return lambda: [each.accessibleName() for each in buttons(Button) if each.isVisible()] == [name]

    for states, fix in (({"way": "red"}, "Fix way"), ({"config": "amber"}, "Fix config")):
        page.chain.show_report(report(**{"config": "green", "way": "green", **states}))
        qtbot.waitUntil(only(fix))
        assert (page.chain.findChildren(Dot), page.chain.findChildren(QLabel)) == (dots, labels)
    assert [dot._tone for dot in dots] == ["attention", "ok"]


def test_a_fault_of_the_engine_is_shown(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = shown(qtbot, store, bridge, report(config="green"))
    bridge.engine.api.set("diagnostics.doctor", errors.EngineGoneError("It does not answer."))
    page.check()
    qtbot.waitUntil(page.banner.isVisible)
    assert page.check_now.isEnabled()


def test_of_a_thousand_streamers_the_worst_are_shown(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    states = {f"streamer s{number}": "green" for number in range(1000)}
    states |= {"streamer s700": "red", "streamer s900": "amber", "destination d": "green"}
    page = shown(qtbot, store, bridge, report(**{"config": "green", **states}))
    texts = [each.text() for each in page.chain.findChildren(QLabel)]
    assert {"Streamer s700", "Streamer s900", "990 more streamers are no worse.", "Destination d"} <= set(texts)
    assert "Streamer s20" not in texts
    assert len(texts) < 60
