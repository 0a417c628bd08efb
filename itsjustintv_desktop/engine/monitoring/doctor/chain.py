"""All checks, in the order in which an announcement depends on them."""

from __future__ import annotations

from collections.abc import Mapping

from itsjustintv_desktop.engine.core.status import RowStatus
from itsjustintv_desktop.engine.ingress.transports.status import TransportState
from itsjustintv_desktop.engine.monitoring.doctor import machine, program, reach, secrets, twitch
from itsjustintv_desktop.engine.monitoring.doctor.check import Check, Report, Unsettled, amber, report_of
from itsjustintv_desktop.engine.monitoring.doctor.destinations import destination, destination_status
from itsjustintv_desktop.engine.monitoring.doctor.facts import Facts
from itsjustintv_desktop.engine.monitoring.doctor.once import once
from itsjustintv_desktop.engine.monitoring.doctor.streamers import streamer


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
    before = [program.program(facts.program)]
    paused = program.announcements(facts.program)
    if paused is not None:
        before.append(paused)
    before.append(program.config(facts.config))
    proxy = program.proxy(facts.program)
    if proxy is not None:
        before.append(proxy)
    before.append(secrets.secrets(facts.secrets))
    if facts.secrets.has_client_id:
        reached = facts.reach.way.state is TransportState.READY
        before += [twitch.token(facts.twitch, reached=reached), twitch.clock(facts.twitch)]
        before += reach.checks(facts.reach, facts.now, running=facts.program.running)
    after = [
        machine.ledger(facts.ledger, facts.now),
        machine.output(facts.ledger),
        machine.disk(facts.machine) if facts.machine.looked else None,
        secrets.keyring(facts.secrets),
        program.updates(facts.program),
    ]
    return before, [check for check in after if check is not None] + program.others(facts.program)


def destination_rows(facts: Facts) -> Mapping[str, RowStatus]:
    """How each destination is, by name."""
    return {each.destination.name: destination_status(each, facts.now) for each in facts.destinations}


def overdue(check: Check) -> Check:
    """The same without the excuse that the program began a moment ago."""
    return amber(check.name, check.message, check.fix) if isinstance(check, Unsettled) else check
