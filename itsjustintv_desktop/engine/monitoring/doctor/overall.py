"""The one answer to "will my next stream be announced?", worked out of the facts and shown everywhere.

Window, tray, `doctor` and health show what this says; nobody else judges.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from itsjustintv_desktop.engine.config.destinations import destinations_of
from itsjustintv_desktop.engine.core.status import (
    NEXT_STREAM,
    NO_STREAM,
    WORDS,
    Level,
    OverallStatus,
    Problem,
    RowStatus,
    StreamerStatus,
    SystemStatus,
)
from itsjustintv_desktop.engine.ingress.transports import TransportState
from itsjustintv_desktop.engine.monitoring.doctor import checks
from itsjustintv_desktop.engine.monitoring.doctor.facts import Facts, StreamerFacts
from itsjustintv_desktop.engine.monitoring.doctor.report import Check, Report, Unsettled, amber, once, report_of
from itsjustintv_desktop.engine.monitoring.doctor.rows import destination, destination_status, streamer, streamer_status


def judge(facts: Facts) -> Report:
    """The report. With `facts.asked` only that streamer's destinations count."""
    running, asked = facts.program.running, facts.asked is not None
    has_file, polls = facts.config.config.output.enabled, facts.reach.polls
    rows = destination_rows(facts)
    before, after = general(facts)
    found = [
        *before,
        *(
            streamer(each, running=running, has_file=has_file, asked=asked, polls=polls, destinations=rows)
            for each in facts.streamers
        ),
        *(destination(one, facts.now) for one in facts.destinations),
        *after,
    ]
    return report_of(once(found if facts.settling else map(overdue, found)))


def general(facts: Facts) -> tuple[list[Check], list[Check]]:
    """What is about no single streamer or destination: what stands before those in the chain, and what after."""
    before = [checks.program(facts.program)]
    paused = checks.announcements(facts.program)
    if paused is not None:
        before.append(paused)
    before.append(checks.config(facts.config))
    proxy = checks.proxy(facts.program)
    if proxy is not None:
        before.append(proxy)
    before.append(checks.secrets(facts.secrets))
    if facts.secrets.has_client_id:
        reached = facts.reach.way.state is TransportState.READY
        before += [checks.token(facts.twitch, reached=reached), checks.clock(facts.twitch)]
        before += checks.ingress(facts.reach, facts.now, running=facts.program.running)
    after = [
        checks.ledger(facts.ledger, facts.now),
        checks.output(facts.ledger),
        checks.disk(facts.machine) if facts.machine.looked else None,
        checks.keyring(facts.secrets),
        checks.updates(facts.program),
    ]
    return before, [check for check in after if check is not None] + checks.others(facts.program)


def destination_rows(facts: Facts) -> Mapping[str, RowStatus]:
    """How each destination is, by name."""
    return {each.destination.name: destination_status(each, facts.now) for each in facts.destinations}


def overdue(check: Check) -> Check:
    """The same without the excuse that the program began a moment ago."""
    return amber(check.name, check.message, check.fix) if isinstance(check, Unsettled) else check


_WORSE = frozenset({Level.ATTENTION, Level.FAILING})
_OWN = frozenset({Level.OFF, Level.FAILING})
"""Levels of a streamer that nothing else is worse than."""


def system_status(facts: Facts) -> SystemStatus:
    """How things stand, for all or for the one streamer that `facts` are about."""
    checks = [check for part in general(facts) for check in part]
    destinations = destination_rows(facts)
    raw = {each.streamer.key: _streamer(each, facts, destinations) for each in facts.streamers}
    levels = {*(check.level for check in checks), *(row.level for row in raw.values())}
    own = raw if facts.settling else {key: _overdue(row) for key, row in raw.items()}
    if not facts.settling:
        checks = [overdue(check) for check in checks]
    blocker = next((check for check in checks if check.level is Level.FAILING), None)
    streamers = {key: _under(row, blocker, paused=bool(facts.program.paused)) for key, row in own.items()}
    problems = _problems(facts, checks, own, destinations)
    return SystemStatus(
        summary=_summary(facts, checks, blocker, streamers, problems),
        streamers=streamers,
        destinations=destinations,
        is_settled=Level.STARTING not in levels,
    )


def _streamer(each: StreamerFacts, facts: Facts, destinations: Mapping[str, RowStatus]) -> StreamerStatus:
    return streamer_status(
        each,
        running=facts.program.running,
        has_file=facts.config.config.output.enabled,
        polls=facts.reach.polls,
        destinations=destinations,
    )


def _overdue(row: StreamerStatus) -> StreamerStatus:
    """Once a start is long over, what is not known needs attention."""
    return msgspec.structs.replace(row, level=Level.ATTENTION) if row.level is Level.STARTING else row


def _under(row: StreamerStatus, blocker: Check | None, *, paused: bool) -> StreamerStatus:
    """A streamer's status while something keeps all streams from being announced."""
    if row.level in _OWN:
        return row
    if blocker is not None:
        return StreamerStatus(
            level=Level.FAILING, word="Not announced", reason=blocker.message, fix=blocker.fix, announced=False
        )
    if not paused:
        return row
    if row.level is Level.ATTENTION:
        return msgspec.structs.replace(row, announced=False)
    return StreamerStatus(level=Level.PAUSED, word="Paused", announced=False)


def _problems(
    facts: Facts,
    checks: Sequence[Check],
    streamers: Mapping[str, StreamerStatus],
    destinations: Mapping[str, RowStatus],
) -> tuple[Problem, ...]:
    """What is wrong, with what, and whom it affects. A streamer that only its destinations fail is not one more."""
    found = [
        Problem(code=check.name, level=check.level, text=check.message, fix=check.fix)
        for check in checks
        if check.level in _WORSE
    ]
    config = facts.config.config
    users = {
        name: tuple(each.streamer.key for each in facts.streamers
                    if each.streamer.enabled and name in destinations_of(config, each.streamer))
        for name, row in destinations.items()
        if row.level in _WORSE or row.level is Level.PAUSED
    }  # fmt: skip
    found += [
        Problem(code=f"destination {name}", level=row.level, text=row.reason, fix=row.fix, streamers=users[name])
        for name, row in destinations.items()
        if name in users
    ]
    found += [
        Problem(code=f"streamer {key}", level=row.level, text=row.reason, fix=row.fix, streamers=(key,))
        for key, row in streamers.items()
        if row.level in _WORSE and not row.because_of
    ]
    order = (Level.FAILING, Level.ATTENTION, Level.PAUSED)
    general = {check.name for check in checks}  # these affect all streamers, whatever they are about
    return tuple(
        sorted(found, key=lambda each: (order.index(each.level), each.code not in general, -len(each.streamers)))
    )


def _summary(
    facts: Facts,
    checks: Sequence[Check],
    blocker: Check | None,
    streamers: Mapping[str, StreamerStatus],
    problems: tuple[Problem, ...],
) -> OverallStatus:
    watched = [row for row in streamers.values() if row.level is not Level.OFF]
    announced = sum(row.announced for row in watched)
    starting = any(check.level is Level.STARTING for check in checks)
    starting = starting or any(row.level is Level.STARTING for row in watched)
    worse = any(each.level in _WORSE for each in problems)
    level, note = Level.OK, ""
    if not watched and facts.asked is not None:
        level, headline = Level.FAILING, NO_STREAM
    elif not watched:
        level, headline, announced = Level.OFF, _not_set_up(facts), 0
        problems = tuple(each for each in problems if each.code == "config")
    elif blocker is not None:
        level, headline, announced = Level.FAILING, NO_STREAM, 0
    elif facts.program.paused:
        level, headline, note = Level.PAUSED, "Announcements are paused", facts.program.paused
    elif starting and (not worse or not any(row.announced and row.level is Level.OK for row in watched)):
        # None is known to be announced: no number of streams is promised.
        level, headline = Level.ATTENTION if worse else Level.STARTING, "Getting ready to announce your streams"
    else:
        headline = _counted(announced, len(watched))
        if not announced and any(row.level is Level.FAILING for row in watched):
            level = Level.FAILING
        elif worse or announced < len(watched):
            level = Level.ATTENTION
    return OverallStatus(
        level=level,
        word=WORDS[level],
        headline=headline,
        announced=announced,
        watched=len(watched),
        problems=problems,
        note=note,
    )


def _counted(announced: int, watched: int) -> str:
    if not announced:
        return NO_STREAM
    if announced < watched:
        return f"{announced} of {watched} streams will be announced"
    return NEXT_STREAM if watched == 1 else f"All {watched} streams will be announced"


def _not_set_up(facts: Facts) -> str:
    if facts.config.nothing_set_up:
        return "Nothing is set up yet"
    return "Every streamer is switched off" if facts.config.config.streamers else "No streamer is set up yet"
