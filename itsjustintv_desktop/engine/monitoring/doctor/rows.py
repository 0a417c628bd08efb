"""How each streamer and each destination is.

A streamer: will its next stream be announced, as far as it and its destinations go? A destination: do announcements
get through? That is judged by what happened; nothing is sent to find out.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from itsjustintv_desktop.engine.config.same_channel import WHAT_TO_DO, sentence
from itsjustintv_desktop.engine.core.phrases import ago, some
from itsjustintv_desktop.engine.core.status import Level, RowStatus, StreamerStatus
from itsjustintv_desktop.engine.core.tags import passes
from itsjustintv_desktop.engine.monitoring.doctor.facts import DestinationFacts, StreamerFacts
from itsjustintv_desktop.engine.monitoring.doctor.report import Check, CheckState, Chosen, green, mitigated, of_row, red
from itsjustintv_desktop.engine.storage.ledger.latest import LastAnswer
from itsjustintv_desktop.engine.twitch.subscriptions import ChannelStatus

_TRY = "Correct it, then `test-event LOGIN`."
_UNUSED = "No streamer of the config uses it."
_USE = "Choose it at a streamer, or delete it."


def destination(facts: DestinationFacts, now: float) -> Check:
    """As a link of the chain."""
    name, row = f"destination {facts.destination.name}", destination_status(facts, now)
    if row.level is Level.OFF and not facts.used:
        return green(name, row.reason)
    if row.level is Level.PAUSED:
        return Chosen(name=name, state=CheckState.RED, message=row.reason, fix=row.fix)
    return of_row(name, row)


def destination_status(facts: DestinationFacts, now: float) -> RowStatus:
    """How it is; also where all is well, `reason` says by what that is known."""
    found = _status(facts, now)
    if found.level is not Level.OK or facts.used:
        return found
    return RowStatus(level=Level.ATTENTION, word="Not used", reason=f"{found.reason} {_UNUSED}", fix=_USE)


def _status(facts: DestinationFacts, now: float) -> RowStatus:
    if not facts.destination.enabled:
        if not facts.used:
            return RowStatus(
                level=Level.OFF, word="Switched off", reason="It is switched off, and no streamer needs it."
            )
        return RowStatus(
            level=Level.OFF,
            word="Switched off",
            reason="It is switched off in the config (enabled = false).",
            fix="Set enabled = true, or leave it so.",
        )
    if facts.address_problem is not None:
        text = f"Its address or secret cannot be had: {facts.address_problem}"
        word = "Address not available"
        return RowStatus(level=Level.FAILING, word=word, reason=text, fix="Unlock or enter it again.")
    reason = facts.reason.removesuffix(".")
    if facts.state == "paused" and facts.by_hand:
        text = f"It is paused: {reason}."
        return RowStatus(level=Level.PAUSED, word="Paused by you", reason=text, fix="Resume it, or leave it so.")
    if facts.state == "paused":
        fix = "Correct its address, or `deliveries retry` one of its deliveries."
        return RowStatus(level=Level.FAILING, word="Not delivering", reason=f"It is paused: {reason}.", fix=fix)
    if facts.state in {"open", "half-open"}:
        return RowStatus(
            level=Level.ATTENTION,
            word="Not answering" if facts.state == "open" else "Trying again",
            reason=f"It is left alone for the moment: {reason}. What is announced waits and is sent when it answers "
            "again.",
            fix="Check the receiver; `deliveries retry` tries at once.",
        )
    if facts.last is None:
        return RowStatus(word="Not tried yet", reason="Nothing was sent there yet; `test-event LOGIN` tries it.")
    return _by_last_answer(facts.last, facts.note, now)


def _by_last_answer(last: LastAnswer, note: str, now: float) -> RowStatus:
    when = ago(last.at, now)
    if last.error is None:
        took = f"It took the last announcement, {when} (the answer was {last.status})."
        if not note:
            return RowStatus(word="Working", reason=took)
        return RowStatus(level=Level.ATTENTION, word="No picture", reason=f"{took} {note}")
    error = last.error.removesuffix(".")
    if last.given_up:
        text = f"The last announcement, {when}, was given up: {error}."
        return RowStatus(level=Level.FAILING, word="Not delivering", reason=text, fix=_TRY)
    if last.gave_up_before:
        text = f"The last attempt, {when}, failed: {error}. Another announcement was given up since the last success."
        return RowStatus(level=Level.FAILING, word="Not delivering", reason=text, fix=_TRY)
    return RowStatus(
        level=Level.ATTENTION,
        word="Trying again",
        reason=f"The last attempt, {when}, failed: {error}.",
        fix="Check the receiver; `deliveries list` shows what waits.",
    )


_SYNC = "It is repaired by itself; `subscriptions sync` does it at once."
_WORST = (Level.FAILING, Level.ATTENTION, Level.STARTING, Level.PAUSED, Level.OFF, Level.OK)
_SENDS_NOTHING = frozenset({Level.FAILING, Level.PAUSED})
_NOTHING: Mapping[str, RowStatus] = {}


def streamer(
    facts: StreamerFacts,
    *,
    running: bool,
    has_file: bool,
    asked: bool,
    polls: bool = False,
    destinations: Mapping[str, RowStatus] = _NOTHING,
) -> Check:
    """As a link of the chain. `asked`: the question is about this streamer alone."""
    name = f"streamer {facts.streamer.key}"
    row = streamer_status(facts, running=running, has_file=has_file, polls=polls, destinations=destinations)
    if row.level is Level.OFF and asked:
        return red(name, row.reason, row.fix)
    state = facts.subscription
    if row.level is Level.ATTENTION and running and state is not None and state.status is ChannelStatus.FAILING:
        return mitigated(name, row.reason, row.fix)
    return of_row(name, row)


def streamer_status(
    facts: StreamerFacts,
    *,
    running: bool,
    has_file: bool,
    polls: bool = False,
    destinations: Mapping[str, RowStatus] = _NOTHING,
) -> StreamerStatus:
    """The worst that was found; also where all is well, `reason` says where its announcements go.

    `has_file`: output.json is written, which is the output of a streamer without destination. `polls`: its streams are
    found by asking, too. `destinations`: how each is.
    """
    if not facts.streamer.enabled:
        return StreamerStatus(
            level=Level.OFF,
            word="Switched off",
            reason="It is switched off in the config (enabled = false), so its streams are not announced.",
            fix="Set enabled = true, or leave it so.",
            announced=False,
        )
    looks = (
        _channel(facts),
        _subscription(facts, running=running, polls=polls),
        _outlets(facts, has_file=has_file),
        _delivery(facts, destinations),
        _filter(facts),
    )
    found = [each for each in looks if each is not None]
    row = min(found, key=lambda each: _WORST.index(each.level), default=None)
    if row is None:
        row = StreamerStatus(reason=_well(facts, running=running))
    elif row.announced and not all(each.announced for each in found):
        row = msgspec.structs.replace(row, announced=False)
    return _with_same_channel(row, facts.same) if facts.same else row


def _with_same_channel(row: StreamerStatus, others: tuple[str, ...]) -> StreamerStatus:
    """Never hidden behind something else."""
    failing = row.level is Level.FAILING
    return StreamerStatus(
        level=row.level if failing else Level.ATTENTION,
        word=row.word if failing else "Listed twice",
        reason=f"{row.reason} {sentence(others)}",
        fix=f"{row.fix} {WHAT_TO_DO}".strip(),
        announced=row.announced,
    )


def _channel(facts: StreamerFacts) -> StreamerStatus | None:
    if facts.unknown is not None:
        fix = "Correct its login or user_id in the config."
        return _broken("Not found on Twitch", facts.unknown, fix)
    if not facts.user_id:
        return StreamerStatus(
            level=Level.STARTING,
            word="Not known yet",
            reason="Which channel it is could not be asked of Twitch yet; without that there are no subscriptions.",
            fix="It is tried again by itself; see the checks above.",
            announced=False,
        )
    return None


def _subscription(facts: StreamerFacts, *, running: bool, polls: bool) -> StreamerStatus | None:
    if not facts.user_id:
        return None
    if not running:
        if facts.held is False:
            return StreamerStatus(
                level=Level.ATTENTION,
                word="Not subscribed",
                reason="Twitch holds no subscription for it that points here.",
                fix="The program makes them.",
            )
        return None
    state = facts.subscription
    if state is None:
        return StreamerStatus(
            level=Level.STARTING,
            word="Subscribing",
            reason="It was not subscribed to yet.",
            fix="See the checks of the way and the subscriptions.",
        )
    if state.status is ChannelStatus.FAILING:
        level = Level.ATTENTION if polls else Level.FAILING
        return StreamerStatus(level=level, word="Not subscribed", reason=state.message, fix=state.fix, announced=polls)
    if state.status is ChannelStatus.PENDING:
        return StreamerStatus(level=Level.STARTING, word="Subscribing", reason=state.message, fix=state.fix)
    if facts.held is False:
        text = "Twitch, asked just now, does not hold its subscriptions as it should."
        return StreamerStatus(level=Level.ATTENTION, word="Not subscribed", reason=text, fix=_SYNC)
    return None


def _outlets(facts: StreamerFacts, *, has_file: bool) -> StreamerStatus | None:
    if facts.all_off:
        text = "All its destinations are switched off (enabled = false)."
        return _broken("No destination", text, "Switch one on in the config.")
    if not facts.destinations and not has_file:
        text = "It has no destination, and [output] is off, so nobody is told."
        return _broken("No destination", text, "Give it destinations, or set [output] enabled = true.")
    return None


def _delivery(facts: StreamerFacts, destinations: Mapping[str, RowStatus]) -> StreamerStatus | None:
    """What its destinations keep from arriving."""
    rows = {name: destinations[name] for name in facts.destinations if name in destinations}
    silent = {name: row for name, row in rows.items() if row.level in _SENDS_NOTHING}
    if not rows or len(silent) < len(facts.destinations):
        bad = [name for name, row in rows.items() if row.level in {Level.FAILING, Level.PAUSED, Level.ATTENTION}]
        if not bad:
            return None
        level = Level.PAUSED if all(rows[name].level is Level.PAUSED for name in bad) else Level.ATTENTION
        text = f"Not everything is delivered: see {some(bad)}."
        word = "Partly paused" if level is Level.PAUSED else "Delivery problem"
        return StreamerStatus(level=level, word=word, reason=text, because_of=tuple(bad))
    if all(row.level is Level.PAUSED for row in silent.values()):
        text = f"Nothing is sent to {some(silent)}, which you paused."
        return StreamerStatus(level=Level.PAUSED, word="Paused", reason=text, announced=False, because_of=tuple(silent))
    return StreamerStatus(
        level=Level.FAILING,
        word="Not delivered",
        reason=f"Its announcements are not delivered: see {some(silent)}.",
        announced=False,
        because_of=tuple(silent),
    )


def _filter(facts: StreamerFacts) -> StreamerStatus | None:
    wanted = facts.streamer.tag_filter
    if not wanted or facts.tags is None or passes(wanted, facts.tags):
        return None
    now = f"Its tags now are {some(facts.tags)}" if facts.tags else "Its channel has no tags now"
    return StreamerStatus(
        level=Level.ATTENTION,
        word="Filtered out",
        reason=f"{now}; none is in its tag_filter ({some(wanted)}), so a stream with these tags would not be "
        "announced.",
        fix="Change tag_filter, or set such a tag before going live.",
        announced=False,
    )


def _broken(word: str, reason: str, fix: str) -> StreamerStatus:
    return StreamerStatus(level=Level.FAILING, word=word, reason=reason, fix=fix, announced=False)


def _well(facts: StreamerFacts, *, running: bool) -> str:
    where = f"goes to {some(facts.destinations)}" if facts.destinations else "goes to output.json alone"
    if not running:
        return f"{facts.login}: what is announced {where}."
    return f"It is subscribed to; what is announced {where}."
