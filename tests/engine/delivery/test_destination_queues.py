from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsjustintv_desktop.engine.config.schema import Destination
from itsjustintv_desktop.engine.core.models import AttemptResult, Outcome, RateLimit
from itsjustintv_desktop.engine.delivery import formats
from itsjustintv_desktop.engine.delivery.breaker import BreakerState
from itsjustintv_desktop.engine.delivery.destination_queues import (
    FAILING_TOTAL,
    MOST_LOOKS,
    TOTAL,
    WIDEST,
    DestinationQueues,
)
from itsjustintv_desktop.engine.delivery.formats.base import Picture
from itsjustintv_desktop.engine.delivery.rate_limits import FIRST_WIDTH

PICTURES: tuple[Picture, ...] = ("data", "link", "none")
T = 1_790_000_000.0
AT_ONCE = 45
"""POSTs a second to Discord in all."""
SENT = AttemptResult(outcome=Outcome.DELIVERED, status=204)
BUSY = AttemptResult(outcome=Outcome.RETRY, status=503, error="answered 503")
GONE = AttemptResult(outcome=Outcome.GONE, status=410, error="answered 410")


def some(*names: str, enabled: bool = True) -> dict[str, Destination]:
    return {name: Destination(name=name, url="https://x.example/", enabled=enabled) for name in names}


def attempt(queues: DestinationQueues, name: str, result: AttemptResult | None, now: float = T) -> None:
    queues.begin(name, now)
    queues.end(name, result, now)


def width(queues: DestinationQueues, name: str, now: float = T) -> int:
    return queues.free(some(name), now)[1].get(name, FIRST_WIDTH)


@pytest.fixture
def queues() -> DestinationQueues:
    return DestinationQueues()


def test_a_lane_widens_with_success_and_narrows_with_failure(queues: DestinationQueues) -> None:
    assert width(queues, "a") == FIRST_WIDTH
    for wider in range(1, 4):
        attempt(queues, "a", SENT)
        assert width(queues, "a") == FIRST_WIDTH + wider
    for _ in range(20):
        attempt(queues, "a", SENT)
    assert width(queues, "a") == WIDEST
    attempt(queues, "a", BUSY)
    assert width(queues, "a") == 1
    attempt(queues, "a", SENT)
    assert width(queues, "a") == 2


def test_attempts_under_way_take_their_slots(queues: DestinationQueues) -> None:
    for number in range(FIRST_WIDTH):
        queues.begin("a", T)
        assert width(queues, "a") == FIRST_WIDTH - 1 - number
    assert queues.free(some("a"), T)[0] == TOTAL - FIRST_WIDTH
    queues.end("a", None, T)
    assert (width(queues, "a"), queues.in_flight) == (1, FIRST_WIDTH - 1)


def test_a_disabled_destination_has_no_slot_and_a_removed_one_is_not_blocked(queues: DestinationQueues) -> None:
    attempt(queues, "gone", GONE)
    _, slots, opens = queues.free(some("off", enabled=False), T)
    assert (slots, opens) == ({"off": 0}, None)


def test_an_open_breaker_says_when_to_come_back_and_a_pause_does_not(queues: DestinationQueues) -> None:
    for _ in range(10):
        attempt(queues, "a", BUSY)
    attempt(queues, "b", GONE)
    _, slots, opens = queues.free(some("a", "b"), T)
    assert (slots, opens) == ({"a": 0, "b": 0}, T + 30)
    _, slots, opens = queues.free(some("a", "b"), T + 30)
    assert (slots, opens) == ({"a": 1, "b": 0}, None)
    assert sorted(queues.shut(T)) == ["a", "b"]
    assert {name: state for name, (state, _) in queues.states(T + 30).items()} == {"a": "half-open", "b": "paused"}


def test_a_held_lane_comes_back_by_itself(queues: DestinationQueues) -> None:
    queues.queue("a").held_until = T + 30
    assert queues.free(some("a"), T)[1:] == ({"a": 0}, T + 30)
    assert queues.free(some("a"), T + 30)[1:] == ({"a": FIRST_WIDTH}, None)


def test_failing_lanes_share_a_part_of_the_places(queues: DestinationQueues) -> None:
    attempt(queues, "good", SENT)
    for number in range(5):
        attempt(queues, f"bad{number}", BUSY)
    queues.begin("bad0", T)
    assert queues.failing() == (frozenset(f"bad{number}" for number in range(5)), FAILING_TOTAL - 1)
    queues.end("bad0", SENT, T)
    assert queues.failing()[1] == FAILING_TOTAL
    assert "bad0" not in queues.failing()[0]


def _over(queues: DestinationQueues, name: str, times: int) -> None:
    """So many deliveries of streams that were over: looked at, ended, never sent."""
    for number in range(times):
        queues.begin(name, T)
        queues.end(name, None, T, delivery_id=number, settled=True)


def test_the_more_were_over_the_more_are_looked_at_together(queues: DestinationQueues) -> None:
    attempt(queues, "a", BUSY)
    assert width(queues, "a") == 1
    _over(queues, "a", 5)
    assert width(queues, "a") == 5
    _over(queues, "a", 1000)
    assert width(queues, "a") == MOST_LOOKS
    attempt(queues, "a", SENT)
    assert width(queues, "a") == 2, "what is sent widens it as ever"


def test_more_are_looked_at_than_are_sent(queues: DestinationQueues) -> None:
    for _ in range(10):
        attempt(queues, "a", BUSY)
    later = T + 31
    queues.begin("a", later)
    queues.end("a", None, later, delivery_id=1, settled=True)
    _over(queues, "a", 9)
    assert queues.states(later)["a"][0] == "half-open"
    for _ in range(3):
        queues.begin("a", later)
    assert [queues.may_post("a", number, later) for number in range(10, 13)] == [True, False, False], "one probe"
    queues.end("a", None, later, delivery_id=11)
    queues.end("a", None, later, delivery_id=12)
    assert width(queues, "a", later) == 0, "the probe is still under way"
    queues.end("a", SENT, later, delivery_id=10)
    assert queues.states(later)["a"][0] == "closed"
    assert width(queues, "a", later) >= 1


def test_a_probe_that_is_not_sent_leaves_its_turn_to_the_next_at_once(queues: DestinationQueues) -> None:
    for _ in range(10):
        attempt(queues, "a", BUSY)
    later = T + 31
    attempt(queues, "a", None, later)
    assert queues.free(some("a"), later)[1:] == ({"a": 1}, None)
    for number in (1, 2):
        queues.begin("a", later)
        assert queues.may_post("a", number, later) is (number == 1)
    queues.end("a", None, later, delivery_id=2)
    assert queues.free(some("a"), later)[1:] == ({"a": 0}, later + 120), "the probe is under way"


@pytest.mark.parametrize(("status", "failing"), [(428, True), (429, False), (430, True), (503, True)])
def test_one_that_only_asks_for_patience_does_not_fail(status: int, failing: bool, queues: DestinationQueues) -> None:
    for _ in range(10):
        attempt(queues, "a", AttemptResult(outcome=Outcome.RETRY, status=status, limits=RateLimit(wait=1.0)))
    assert queues.failing()[0] == (frozenset({"a"}) if failing else frozenset())
    assert queues.states(T)["a"][0] == ("open" if failing else "closed")
    attempt(queues, "b", AttemptResult(outcome=Outcome.RETRY, status=429))
    assert "b" in queues.failing()[0], "it does not say for how long"


def test_a_limit_of_a_whole_service_holds_all_its_lanes_for_half_a_minute_at_most(queues: DestinationQueues) -> None:
    hosts = {"a": "proxy.example", "b": "proxy.example", "c": "other.example"}
    for name, host in hosts.items():
        queues.limits(name, f"https://{host}/{name}", formats.named("json"))
    for wait, held in ((3.0, 3.0), (99.0, 30.0)):
        attempt(
            queues, "a", AttemptResult(outcome=Outcome.RETRY, status=429, limits=RateLimit(wait=wait, everywhere=True))
        )
        assert queues.free(some("b", "c"), T)[1:] == ({"b": 0, "c": FIRST_WIDTH}, T + held)
    assert queues.free(some("b", "c"), T + 30)[1:] == ({"b": FIRST_WIDTH, "c": FIRST_WIDTH}, None)


@pytest.mark.parametrize(
    ("status", "limit"),
    [
        (429, RateLimit(wait=3.0)),
        (429, RateLimit(everywhere=True)),
        (503, RateLimit(wait=3.0, everywhere=True)),
        (429, None),
    ],
)
def test_a_limit_of_one_webhook_holds_no_other(status: int, limit: RateLimit | None, queues: DestinationQueues) -> None:
    for name in ("a", "b"):
        queues.limits(name, f"https://proxy.example/{name}", formats.named("json"))
    attempt(queues, "a", AttemptResult(outcome=Outcome.RETRY, status=status, limits=limit))
    assert queues.free(some("b"), T)[1:] == ({"b": FIRST_WIDTH}, None)


def test_a_receiver_gets_no_more_at_a_time_than_it_has_left(queues: DestinationQueues) -> None:
    queues.begin("a", T)
    assert queues.may_post("a", 1, T)
    said = RateLimit(limit=5, remaining=2, reset_after=9.0)
    queues.end("a", AttemptResult(outcome=Outcome.DELIVERED, status=204, limits=said), T, delivery_id=1)
    assert width(queues, "a") == 2


def test_slack_gets_one_message_a_second_for_each_webhook(queues: DestinationQueues) -> None:
    for name, path in {"a": "x", "same": "x", "other": "y"}.items():
        queues.limits(name, f"https://hooks.slack.com/{path}", formats.named("slack"))
        queues.begin(name, T)
    assert [queues.may_post(name, 1, T) for name in ("a", "same", "other")] == [True, False, True]
    queues.end("a", SENT, T + 0.1, delivery_id=1)
    assert queues.free(some("same"), T + 0.9)[1:] == ({"same": 0}, T + 1.0)
    assert not queues.may_post("same", 1, T + 0.9)
    assert queues.may_post("same", 1, T + 1.0)


def test_a_picture_that_was_refused_is_kept_in_mind_while_it_is_wanted() -> None:
    wants = {picture: Destination(name="a", url="https://x.example/", picture=picture) for picture in PICTURES}
    for picture in PICTURES:
        queues = DestinationQueues()
        assert (queues.only_link("a"), queues.note(wants["data"])) == (None, "")
        queues.picture(wants["data"])
        assert [queues.note(each) for each in wants.values()] == [""] * len(wants)
        attempt(queues, "a", AttemptResult(outcome=Outcome.DELIVERED, status=204, only_link=True))
        attempt(queues, "a", AttemptResult(outcome=Outcome.DELIVERED, status=204, only_link=True), T + 5)
        assert queues.only_link("a") == T
        assert {each: bool(queues.note(wants[each])) for each in PICTURES} == {
            "data": True,
            "link": False,
            "none": False,
        }
        queues.take_over("a", "b")
        again = DestinationQueues()
        again.restore({"a": queues.encoded("b")})
        again.picture(wants[picture])
        assert again.only_link("a") == (T if picture == "data" else None)


def test_another_address_may_take_the_picture(queues: DestinationQueues) -> None:
    queues.address("a", "https://x.example/1", T)
    attempt(queues, "a", AttemptResult(outcome=Outcome.DELIVERED, status=204, only_link=True))
    queues.address("a", "https://x.example/1", T)
    assert queues.only_link("a") == T
    queues.address("a", "https://x.example/2", T)
    assert queues.only_link("a") is None


def test_what_a_person_paused_is_no_address_that_is_down(queues: DestinationQueues) -> None:
    attempt(queues, "gone", GONE)
    queues.queue("own").breaker.pause("wanted", "", T, by_hand=True)
    attempt(queues, "fine", SENT)
    assert queues.shut(T) == ["gone"]
    names = ("gone", "own", "fine", "unknown")
    assert [queues.paused_by_hand(name) for name in names] == [False, True, False, False]


def test_breakers_come_back_after_a_restart(queues: DestinationQueues) -> None:
    attempt(queues, "paused", GONE)
    attempt(queues, "fine", SENT)
    again = DestinationQueues()
    again.restore({name: queues.encoded(name) for name in ("paused", "fine")})
    assert again.free(some("paused", "fine"), T)[1] == {"paused": 0, "fine": FIRST_WIDTH}
    assert "410" in again.states(T)["paused"][1]


@pytest.mark.parametrize("stored", [b"", b"not json", b'{"name": "purple"}', b'{"since": "x"}'])
def test_a_breaker_that_cannot_be_read_starts_closed(stored: bytes, queues: DestinationQueues) -> None:
    queues.restore({"a": stored, "b": msgspec.json.encode(BreakerState(name="paused"))})
    assert "a" in queues.idle, "known like any other, so that its row is forgotten with its destination"
    assert width(queues, "a") == FIRST_WIDTH
    assert width(queues, "b") == 0


def test_another_address_starts_the_lane_afresh(queues: DestinationQueues) -> None:
    assert not queues.address("a", "https://x.example/1", T)
    attempt(queues, "a", GONE)
    assert not queues.address("a", "https://x.example/1", T)
    assert width(queues, "a") == 0
    assert queues.address("a", "https://x.example/2", T)
    assert width(queues, "a") > 0


steps = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from([None, SENT, BUSY, GONE]), st.floats(0, 60)), max_size=120
)


@given(steps)
def test_slots_and_places_always_add_up(given_steps: list[tuple[str, AttemptResult | None, float]]) -> None:
    queues, now = DestinationQueues(), T
    destinations = some("a", "b", "c", "d")
    for name, result, wait in given_steps:
        now += wait
        places, slots, opens = queues.free(destinations, now)
        assert places == TOTAL - queues.in_flight
        assert all(0 <= free <= WIDEST for free in slots.values())
        assert opens is None or opens > now
        if slots.get(name, FIRST_WIDTH) > 0:
            attempt(queues, name, result, now)
    assert queues.in_flight == 0


def test_all_of_discord_together_gets_no_more_than_it_takes_in_a_second(queues: DestinationQueues) -> None:
    names = [f"to{number}" for number in range(AT_ONCE + 5)]
    for number, name in enumerate(names):
        host = ("discord.com", "ptb.discord.com", "discordapp.com")[number % 3]
        queues.limits(name, f"https://{host}/api/webhooks/{number}/token", formats.named("discord"))
        queues.begin(name, T)
    queues.limits("other", "https://example.com/hook", formats.named("json"))
    assert sum(queues.may_post(name, 1, T + 0.5) for name in names) == AT_ONCE
    assert queues.may_post("other", 1, T + 0.5)
    _, slots, opens = queues.free(some(*names, "other"), T + 0.6)
    assert {slots[name] for name in names} == {0}
    assert slots["other"] > 0
    assert opens == T + 1.5
    queues.end(names[-1], None, T + 1.5)
    assert queues.may_post(names[-1], 2, T + 1.5)
