"""Streamers and destinations, each in each of their colours."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from itsjustintv_desktop.engine.monitoring.doctor import Check
from itsjustintv_desktop.engine.monitoring.doctor.rows import destination, streamer
from itsjustintv_desktop.engine.twitch.subscriptions import ChannelState, ChannelStatus
from tests.engine.monitoring.doctor import given
from tests.engine.monitoring.doctor.given import ALICE, MAIN, NOW, answer


def judged(
    *, running: bool = True, has_file: bool = True, asked: bool = False, wanted: Any = ALICE, **changes: Any
) -> Check:
    return streamer(given.streamer(wanted, **changes), running=running, has_file=has_file, asked=asked)


def colour(check: Check) -> str:
    return check.state.value


def filtered(*tags: str) -> Any:
    return msgspec.structs.replace(ALICE, tag_filter=tags)


def test_a_streamer_that_is_well() -> None:
    check = judged()
    assert (check.name, colour(check), check.fix) == ("streamer alice", "green", "")
    assert check.message == "It is subscribed to; what is announced goes to main."
    check = judged(destinations=())
    assert (colour(check), "output.json alone" in check.message) == ("green", True)


def test_a_streamer_that_is_switched_off() -> None:
    off = msgspec.structs.replace(ALICE, enabled=False)
    assert colour(judged(wanted=off)) == "amber"
    check = judged(wanted=off, asked=True)
    assert colour(check) == "red"
    assert "enabled = false" in check.message


def test_a_channel_that_twitch_does_not_know() -> None:
    check = judged(user_id="", unknown="Twitch knows no channel with that login.", subscription=None)
    assert (colour(check), check.message) == ("red", "Twitch knows no channel with that login.")
    assert "login or user_id" in check.fix


def test_a_channel_that_could_not_be_looked_up_yet() -> None:
    check = judged(user_id="", subscription=None)
    assert colour(check) == "amber"
    assert "could not be asked of Twitch yet" in check.message


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (ChannelState(status=ChannelStatus.FAILING, message="It failed.", fix="Do this."), "red"),
        (ChannelState(status=ChannelStatus.PENDING, message="It is asking."), "amber"),
    ],
)
def test_subscriptions_that_are_not_there(state: ChannelState, expected: str) -> None:
    check = judged(subscription=state)
    assert (colour(check), check.message, check.fix) == (expected, state.message, state.fix)


@pytest.mark.parametrize(
    ("changes", "expected"), [({}, "amber"), ({"subscription": None}, "amber"), ({"all_off": True}, "red")]
)
def test_another_streamer_that_is_the_same_channel_is_never_hidden(changes: Any, expected: str) -> None:
    check = judged(same=("two",), **changes)
    assert (check.name, colour(check)) == ("streamer alice", expected)
    assert "It is the same channel as two: " in check.message
    assert "Keep one of them, and list all destinations there." in check.fix


def test_not_subscribed_to_yet() -> None:
    check = judged(subscription=None)
    assert (colour(check), check.message) == ("amber", "It was not subscribed to yet.")


def test_twitch_holds_less_than_we_thought() -> None:
    check = judged(held=False)
    assert colour(check) == "amber"
    assert "asked just now" in check.message
    assert "subscriptions sync" in check.fix
    assert colour(judged(held=None)) == "green"  # it could not be asked: what is known counts


def test_a_streamer_while_the_program_does_not_run() -> None:
    assert colour(judged(running=False, subscription=None)) == "green"
    assert colour(judged(running=False, subscription=None, held=None)) == "green"
    check = judged(running=False, subscription=None, held=False)
    assert (colour(check), check.fix) == ("amber", "The program makes them.")


def test_nobody_would_be_told() -> None:
    check = judged(destinations=(), all_off=True)
    assert colour(check) == "red"
    assert "switched off" in check.message
    check = judged(destinations=(), has_file=False)
    assert colour(check) == "red"
    assert "[output] is off" in check.message
    assert colour(judged(has_file=False)) == "green"


def test_a_filter_that_lets_the_present_tags_pass() -> None:
    assert colour(judged(wanted=filtered("English"), tags=("english", "Chill"))) == "green"


def test_a_filter_that_matches_nothing_the_channel_has() -> None:
    check = judged(wanted=filtered("Speedrun", "Chess"), tags=("English", "Chill"))
    assert colour(check) == "amber"
    assert check.message == (
        "Its tags now are English, Chill; none is in its tag_filter (Speedrun, Chess), so a stream with these tags "
        "would not be announced."
    )
    assert "tag_filter" in check.fix
    assert judged(wanted=filtered("Chess"), tags=()).message.startswith("Its channel has no tags now;")


def test_tags_that_could_not_be_had_say_nothing_of_the_filter() -> None:
    assert colour(judged(wanted=filtered("Chess"), tags=None)) == "green"


def test_the_worst_comes_first() -> None:
    check = judged(wanted=filtered("Chess"), tags=(), destinations=(), all_off=True, held=False)
    assert colour(check) == "red"
    assert "switched off" in check.message


def at(**changes: Any) -> Check:
    return destination(given.destination(**changes), NOW)


def test_a_destination_that_took_the_last_announcement() -> None:
    check = at()
    assert (check.name, colour(check), check.fix) == ("destination main", "green", "")
    assert check.message == "It took the last announcement, 2 hours ago (the answer was 204)."


def test_a_destination_that_nothing_was_sent_to() -> None:
    check = at(last=None)
    assert (colour(check), check.message) == ("green", "Nothing was sent there yet; `test-event LOGIN` tries it.")


def test_a_destination_that_no_streamer_uses_is_amber() -> None:
    for last in ({"last": None}, {}):
        check = at(**last, used=False)
        assert (colour(check), bool(check.fix)) == ("amber", True)
        assert "No streamer of the config uses it" in check.message
    assert "No streamer" not in at(used=False, state="paused", reason="410").message, "what is worse is said"


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (answer(503, "answered 503 Service Unavailable"), "amber"),
        (answer(None, "no answer in time"), "amber"),
        (answer(429, "answered 429 Too Many Requests"), "amber"),
        (answer(None, "given up after 24 hours. Last: no answer in time", given_up=True), "red"),
        (answer(500, "answered 500", given_up=True), "red"),
        (answer(404, "refused with 404 Not Found; trying again would not help", given_up=True), "red"),
        (answer(301, "answered with a redirect (301) to another address", given_up=True), "red"),
    ],
)
def test_the_last_answer(last: Any, expected: str) -> None:
    check = at(last=last)
    assert colour(check) == expected
    assert last.error in check.message
    assert "2 hours ago" in check.message
    assert check.fix


@pytest.mark.parametrize(
    ("state", "expected"), [("closed", "green"), ("open", "amber"), ("half-open", "amber"), ("paused", "red")]
)
def test_the_breaker(state: str, expected: str) -> None:
    check = at(state=state, reason="it answered 410 Gone.")
    assert colour(check) == expected
    assert ("it answered 410 Gone" in check.message) == (expected != "green")
    assert bool(check.fix) == (expected != "green")


def test_a_destination_that_is_switched_off() -> None:
    off = msgspec.structs.replace(MAIN, enabled=False)
    assert colour(at(destination=off)) == "amber"
    assert colour(at(destination=off, used=False)) == "green"


def test_an_address_that_the_vault_does_not_give() -> None:
    check = at(address_problem="The keyring is locked.")
    assert colour(check) == "red"
    assert check.message == "Its address or secret cannot be had: The keyring is locked."
