"""Way, reachability, certificate, subscriptions, catching up, last message: each in each of its colours."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from itsjustintv_desktop.engine.ingress.catch_up.catch_up import CatchUpState
from itsjustintv_desktop.engine.ingress.transports import TransportState
from itsjustintv_desktop.engine.monitoring.doctor import Check, Unsettled, checks
from itsjustintv_desktop.engine.monitoring.doctor.probe import Reached
from itsjustintv_desktop.engine.monitoring.doctor.report import report_of
from itsjustintv_desktop.engine.twitch.subscriptions import SubscriptionsState
from tests.engine.monitoring.doctor import given
from tests.engine.monitoring.doctor.given import DAY, NOW


def colour(check: Check | None) -> str:
    assert check is not None
    return check.state.value


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (TransportState.READY, "green"),
        (TransportState.STARTING, "amber"),
        (TransportState.WAITING, "amber"),
        (TransportState.FAILING, "red"),
    ],
)
def test_the_way(state: TransportState, expected: str) -> None:
    check = checks.way(given.reach(way=given.way(state, fix="Do this." if expected == "red" else "")), running=True)
    assert (check.name, colour(check)) == ("way", expected)
    assert check.message.startswith("The way's own words.")
    assert check.fix == ("Do this." if expected == "red" else "")


def test_a_way_that_fails_says_what_finds_streams_meanwhile() -> None:
    failing = given.way(TransportState.FAILING)
    check = checks.way(given.reach(way=failing), running=True)
    assert check.message == "The way's own words. Until then streams are found by asking every 5m."
    for changes in ({"poll_interval": 0.0}, {"catch_up_max_age": 0.0}, {"poll_interval": 3600.0}):
        check = checks.way(given.reach(way=failing, **changes), running=True)
        assert check.message == "The way's own words."


def test_no_way_at_all_is_bearable_while_twitch_is_asked() -> None:
    none = given.way(TransportState.FAILING, kind="none", fix="Set an address.")
    assert colour(checks.way(given.reach(way=none), running=True)) == "amber"
    waiting = given.catch_up(CatchUpState.WAITING)
    assert colour(checks.way(given.reach(way=none, catch_up=waiting), running=True)) == "red"
    assert colour(checks.way(given.reach(way=none, poll_interval=0.0), running=True)) == "red"


def test_the_way_of_a_program_that_does_not_run() -> None:
    starting = given.way(TransportState.STARTING)
    check = checks.way(given.reach(way=starting), running=False)
    assert colour(check) == "amber"
    assert "while the program runs" in check.message
    names = [one.name for one in checks.ingress(given.reach(way=starting, probe=None), NOW, running=False)]
    assert names == ["way", "last message"]


def test_reached() -> None:
    check = checks.reachable(given.probed(at=NOW - 180), NOW)
    assert (check.name, colour(check), check.fix) == ("reachable", "green", "")
    assert check.message == "We reached ourselves through me.example (3 minutes ago)."


@pytest.mark.parametrize(
    ("reached", "told", "fix"),
    [
        (Reached.NOT_FOUND, "", "A record"),
        (Reached.NO_ANSWER, "Some routers do not let a machine reach itself", "https://me.example/health"),
        (Reached.CERTIFICATE, "", "certificate"),
        (Reached.REDIRECT, "", "without a redirect"),
        (Reached.OTHER, "If only the path of the callback is handed on", "proxy or tunnel"),
    ],
)
def test_not_reached_is_never_red(reached: Reached, told: str, fix: str) -> None:
    check = checks.reachable(given.probed(reached, detail="the reason"), NOW)
    assert colour(check) == "amber"
    assert check.message.startswith("We could not reach ourselves through me.example (just now): the reason.")
    assert told in check.message
    assert fix in check.fix


@pytest.mark.parametrize(
    ("left", "expected"),
    [(60 * DAY, "green"), (14 * DAY, "green"), (14 * DAY - 1, "amber"), (1.0, "amber"), (0.0, "red"), (-DAY, "red")],
)
def test_the_certificate_that_was_shown(left: float, expected: str) -> None:
    check = checks.certificate(given.reach(probe=given.probed(certificate_until=NOW + left)), NOW)
    assert colour(check) == expected
    assert check is not None
    assert bool(check.fix) == (expected != "green")


def test_the_certificate_in_words() -> None:
    (green, amber, red) = (
        checks.certificate(given.reach(probe=given.probed(certificate_until=NOW + left * DAY)), NOW)
        for left in (30, 3, -1)
    )
    assert green is not None
    assert amber is not None
    assert red is not None
    assert green.message == "The certificate is valid until 2026-10-21."
    assert amber.message == "The certificate ends on 2026-09-24, in 3 days."
    assert red.message == "The certificate ended on 2026-09-20, so Twitch refuses to connect."


def test_a_certificate_that_was_refused() -> None:
    refused = given.probed(Reached.CERTIFICATE, detail="the server's certificate is not valid: it has expired")
    check = checks.certificate(given.reach(probe=refused), NOW)
    assert colour(check) == "red"
    assert check is not None
    assert "it has expired" in check.message
    assert "reverse proxy" in check.fix


def test_the_certificate_that_only_the_way_knows() -> None:
    own = given.way(kind="tls", facts={"certificate_until": "2026-09-25T00:00:00Z"})
    check = checks.certificate(given.reach(way=own, probe=given.probed(Reached.NO_ANSWER)), NOW)
    assert colour(check) == "amber"
    assert check is not None
    assert "ends on 2026-09-25" in check.message
    assert "renewed" in check.fix


def test_a_conduit_needs_neither() -> None:
    conduit = given.reach(way=given.way(kind="conduit"), probe=None)
    names = [one.name for one in checks.ingress(conduit, NOW, running=True)]
    assert names == ["way", "subscriptions", "catching up", "last message"]
    names = [one.name for one in checks.ingress(given.reach(), NOW, running=True)]
    assert names == ["way", "reachable", "certificate", "subscriptions", "catching up", "last message"]


@pytest.mark.parametrize(
    ("state", "code", "expected"),
    [
        (SubscriptionsState.OK, "ok", "green"),
        (SubscriptionsState.WORKING, "pending", "amber"),
        (SubscriptionsState.WAITING, "twitch", "amber"),
        (SubscriptionsState.FAILING, "unverified", "red"),
        (SubscriptionsState.FAILING, "refused", "red"),
        # The channels concerned have checks of their own; the others are fine.
        (SubscriptionsState.FAILING, "channels", "amber"),
        (SubscriptionsState.FAILING, "no_budget", "amber"),
    ],
)
def test_the_subscriptions(state: SubscriptionsState, code: str, expected: str) -> None:
    status = given.subscriptions(state, code=code, fix="" if expected == "green" else "Do this.")
    check = checks.subscriptions(given.reach(subscriptions=status))
    assert (colour(check), check.message) == (expected, "The reconciler's words.")
    assert check.fix == status.fix


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "Twitch was asked 2 minutes ago who is live; it is asked every 5m."),
        (
            {"poll_interval": 0.0},
            "Twitch was asked 2 minutes ago who is live; it is asked only after a start and after sleep "
            "(poll_interval is 0).",
        ),
        (
            {"catch_up_max_age": 0.0},
            "Twitch was asked 2 minutes ago who is live; it is asked every 5m. What is found so is only listed "
            "(catch_up_max_age is 0).",
        ),
        (
            {"catch_up": given.catch_up(missed=2)},
            "Twitch was asked 2 minutes ago who is live; it is asked every 5m. 2 streams came too late to be "
            "announced.",
        ),
    ],
)
def test_catching_up(changes: dict[str, Any], expected: str) -> None:
    check = checks.catching_up(given.reach(**changes), NOW)
    assert (colour(check), check.message) == ("green", expected)


@pytest.mark.parametrize("state", [CatchUpState.WAITING, CatchUpState.STARTING])
def test_catching_up_that_waits(state: CatchUpState) -> None:
    check = checks.catching_up(given.reach(catch_up=given.catch_up(state)), NOW)
    assert (colour(check), check.message) == ("amber", "Its own words.")
    assert isinstance(check, Unsettled) is (state is CatchUpState.STARTING)


def test_what_is_not_settled_is_amber_to_programs() -> None:
    check = checks.way(given.reach(way=given.way(TransportState.STARTING)), running=True)
    assert isinstance(check, Unsettled)
    sent = msgspec.json.decode(msgspec.json.encode(report_of([check])))["checks"][0]
    assert sent == {"name": "way", "state": "amber", "message": "The way's own words.", "fix": ""}
    for state in (TransportState.WAITING, TransportState.FAILING, TransportState.READY):
        assert not isinstance(checks.way(given.reach(way=given.way(state)), running=True), Unsettled)


def test_the_last_message_is_a_fact() -> None:
    check = checks.last_message(given.reach(), NOW)
    assert (colour(check), check.message) == ("green", "The last message of Twitch came 3 hours ago.")
    check = checks.last_message(given.reach(last_message=None), NOW)
    assert (colour(check), check.message) == ("green", "No message of Twitch is in the history yet.")
