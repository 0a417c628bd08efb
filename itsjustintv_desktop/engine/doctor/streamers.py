"""Will this streamer's next stream be announced, as far as the streamer goes?"""

from __future__ import annotations

from itsjustintv_desktop.engine.announce.same_channel import WHAT_TO_DO, sentence
from itsjustintv_desktop.engine.announce.tag_filter import passes
from itsjustintv_desktop.engine.doctor.check import Check, CheckState, amber, green, red, unsettled, worst
from itsjustintv_desktop.engine.doctor.facts import StreamerFacts
from itsjustintv_desktop.engine.doctor.words import some
from itsjustintv_desktop.engine.twitch.subscriptions import ChannelStatus

_SYNC = "It is repaired by itself; `subscriptions sync` does it at once."


def streamer(facts: StreamerFacts, *, running: bool, has_file: bool, asked: bool) -> Check:
    """One check for all of it: the worst that was found.

    `has_file`: output.json is written, which is the output of a streamer without destination. `asked`: the question
    is about this streamer alone.
    """
    name = f"streamer {facts.streamer.key}"
    if not facts.streamer.enabled:
        say = red if asked else amber
        return say(
            name,
            "It is switched off in the config (enabled = false), so its streams are not announced.",
            "Set enabled = true, or leave it so.",
        )
    found = [
        _channel(name, facts),
        _subscription(name, facts, running=running),
        _outlets(name, facts, has_file=has_file),
        _filter(name, facts),
    ]
    bad = worst([each for each in found if each is not None] or [green(name, "")])
    check = bad if bad.message else green(name, _well(facts, running=running))
    return _with_same_channel(check, facts.same) if facts.same else check


def _with_same_channel(check: Check, others: tuple[str, ...]) -> Check:
    """Never hidden behind something else."""
    say = red if check.state is CheckState.RED else amber
    return say(check.name, f"{check.message} {sentence(others)}", f"{check.fix} {WHAT_TO_DO}".strip())


def _channel(name: str, facts: StreamerFacts) -> Check | None:
    if facts.unknown is not None:
        return red(name, facts.unknown, "Correct its login or user_id in the config.")
    if not facts.user_id:
        text = "Which channel it is could not be asked of Twitch yet; without that there are no subscriptions."
        return amber(name, text, "It is tried again by itself; see the checks above.")
    return None


def _subscription(name: str, facts: StreamerFacts, *, running: bool) -> Check | None:
    if not facts.user_id:
        return None
    if not running:
        if facts.held is False:
            return amber(name, "Twitch holds no subscription for it that points here.", "The program makes them.")
        return None
    state = facts.subscription
    if state is None:
        return unsettled(name, "It was not subscribed to yet.", "See the checks of the way and the subscriptions.")
    if state.status is ChannelStatus.FAILING:
        return red(name, state.message, state.fix)
    if state.status is ChannelStatus.PENDING:
        return unsettled(name, state.message, state.fix)
    if facts.held is False:
        return amber(name, "Twitch, asked just now, does not hold its subscriptions as it should.", _SYNC)
    return None


def _outlets(name: str, facts: StreamerFacts, *, has_file: bool) -> Check | None:
    if facts.all_off:
        return red(name, "All its destinations are switched off (enabled = false).", "Switch one on in the config.")
    if not facts.destinations and not has_file:
        return red(
            name,
            "It has no destination, and [output] is off, so nobody is told.",
            "Give it destinations, or set [output] enabled = true.",
        )
    return None


def _filter(name: str, facts: StreamerFacts) -> Check | None:
    wanted = facts.streamer.tag_filter
    if not wanted or facts.tags is None or passes(wanted, facts.tags):
        return None
    now = f"Its tags now are {some(facts.tags)}" if facts.tags else "Its channel has no tags now"
    return amber(
        name,
        f"{now}; none is in its tag_filter ({some(wanted)}), so a stream with these tags would not be announced.",
        "Change tag_filter, or set such a tag before going live.",
    )


def _well(facts: StreamerFacts, *, running: bool) -> str:
    where = f"goes to {some(facts.destinations)}" if facts.destinations else "goes to output.json alone"
    if not running:
        return f"{facts.login}: what is announced {where}."
    return f"It is subscribed to; what is announced {where}."
