"""All checks, in the order in which an announcement depends on them."""

from __future__ import annotations

from itsjustintv_desktop.engine.doctor import destinations, machine, program, reach, secrets, streamers, twitch
from itsjustintv_desktop.engine.doctor.check import Check, Report, report_of
from itsjustintv_desktop.engine.doctor.facts import Facts
from itsjustintv_desktop.engine.doctor.once import once


def judge(facts: Facts) -> Report:
    """The report. With `facts.asked` only that streamer's destinations count."""
    running, now = facts.program.running, facts.now
    found: list[Check | None] = [
        program.program(facts.program),
        program.announcements(facts.program),
        program.config(facts.config),
        secrets.secrets(facts.secrets),
    ]
    if facts.secrets.has_client_id:
        found += [twitch.token(facts.twitch), twitch.clock(facts.twitch)]
        found += reach.checks(facts.reach, now, running=running)
    has_file = facts.config.config.output.enabled
    for each in facts.streamers:
        found.append(streamers.streamer(each, running=running, has_file=has_file, asked=facts.asked is not None))
    for one in facts.destinations:
        found.append(destinations.destination(one, now))
    found += [
        machine.ledger(facts.ledger, now),
        machine.output(facts.ledger),
        machine.disk(facts.machine),
        secrets.keyring(facts.secrets),
        program.updates(facts.program),
    ]
    return report_of(once(check for check in found if check is not None))
