"""The decision about a stream that was found, for whatever is known of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from itsjustintv_desktop.engine.config.active import ActiveConfig
from itsjustintv_desktop.engine.config.schema import Streamer, Twitch
from itsjustintv_desktop.engine.ingress.catch_up.decide import GRACE, TRIES, Circumstances, decide
from itsjustintv_desktop.engine.storage.ledger.catching import Action, Decision, Known
from tests.support.builders import make_config, make_destination, make_event
from tests.support.clock import START

AGAIN = ("filtered", "tags_unknown", "streamer_disabled", "destinations_disabled")
NEVER = ("missed", "restarted", "already_announced", "not_live", "fault")

events = st.one_of(
    st.tuples(st.just("suppressed"), st.sampled_from(AGAIN + NEVER)),
    st.tuples(st.sampled_from(["announced", "accepted"]), st.just("")),
)
knowns = st.builds(
    Known,
    announced=st.booleans(),
    events=st.lists(events, max_size=TRIES).map(lambda found: tuple(found)),
    begun_anew=st.none(),
)
streamers = st.builds(
    Streamer,
    key=st.just("alice"),
    user_id=st.just("100"),
    login=st.just("alice"),
    destinations=st.just(("main",)),
    enabled=st.booleans(),
    tag_filter=st.sampled_from([(), ("English",)]),
)


@given(
    known=knowns,
    streamer=streamers,
    tags=st.sampled_from([(), ("english",), ("Deutsch",)]),
    switched_on=st.booleans(),
    tried=st.booleans(),
    age=st.one_of(st.none(), st.floats(-1e6, 1e6)),
    longest=st.sampled_from([0.0, 60.0, 1800.0]),
)
def test_whatever_is_known(
    known: Known,
    streamer: Streamer,
    tags: tuple[str, ...],
    switched_on: bool,
    tried: bool,
    age: float | None,
    longest: float,
) -> None:
    live = ActiveConfig(
        make_config(
            streamer,
            destinations=(make_destination(enabled=switched_on),),
            twitch=Twitch(catch_up_max_age=longest),
        ),
        {},
    )
    around = Circumstances(streamer, tags, live.destinations_of(streamer))
    event = make_event(started_at=None if age is None else START - age)
    verdict = decide(event, known, around, live=live, tried=tried, now=START)
    states = {state for state, _ in known.events}
    fresh = age is not None and START - (START - age) <= longest and longest > 0
    passes = not streamer.tag_filter or "english" in tags
    if known.announced or not streamer.enabled or states & {"announced", "accepted"}:
        assert verdict == Decision(Action.NOTHING), "nothing doubled, and nothing for who is switched off"
    elif known.events:
        no_luck = known.events[-1][1] == "tags_unknown" and len(known.events) < TRIES
        again = known.events[-1][1] in AGAIN and passes and switched_on and (no_luck or not tried)
        assert verdict.action is (Action.SUBMIT if again and fresh else Action.NOTHING)
    elif fresh:
        assert verdict.action is Action.SUBMIT
    elif age is not None and START - (START - age) <= GRACE:
        assert verdict.action is Action.LATER, "its message may be on the way"
    else:
        assert (verdict.action, verdict.reason) == (Action.LIST, "missed" if passes else "filtered")
        assert verdict.explanation.endswith(".")
    assert verdict.action in {Action.NOTHING, Action.LATER} or verdict.streamer == "alice"


def test_a_start_that_is_not_known_is_no_reason_to_ping_anybody() -> None:
    streamer = Streamer(key="alice", user_id="100", login="alice", destinations=("main",))
    live = ActiveConfig(make_config(streamer, twitch=Twitch()), {})
    verdict = decide(
        make_event(started_at=None), Known(False, ()), Circumstances(streamer, (), ("main",)), live=live, tried=False,
        now=START,
    )  # fmt: skip
    assert (verdict.action, verdict.reason) == (Action.LIST, "missed")
    assert "does not say when it began" in verdict.explanation


def test_what_began_before_the_ledger_was_begun_anew_is_listed() -> None:
    streamer = Streamer(key="alice", user_id="100", login="alice", destinations=("main",))
    live = ActiveConfig(make_config(streamer, twitch=Twitch(catch_up_max_age=1800.0)), {})
    around = Circumstances(streamer, (), ("main",))

    def verdict(known: Known) -> Decision:
        event = make_event(started_at=START - 60)
        return decide(event, known, around, live=live, tried=False, now=START)

    assert verdict(Known(announced=False, events=())).action is Action.SUBMIT
    assert verdict(Known(announced=False, events=(), begun_anew=START - 120)).action is Action.SUBMIT
    found = verdict(Known(announced=False, events=(), begun_anew=START - 30))
    assert (found.action, found.reason) == (Action.LIST, "missed")
    assert "not known whether it was announced" in found.explanation
    known = Known(announced=True, events=(("announced", ""),), begun_anew=START - 30)
    assert verdict(known).action is Action.NOTHING
