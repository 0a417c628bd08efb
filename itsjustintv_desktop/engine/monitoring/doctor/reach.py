"""Does what Twitch has to say come in?"""

from __future__ import annotations

from datetime import datetime

from itsjustintv_desktop.engine.config.durations import render
from itsjustintv_desktop.engine.core.phrases import ago, count, day
from itsjustintv_desktop.engine.ingress.catch_up.status import CatchUpState
from itsjustintv_desktop.engine.ingress.transports.status import TransportState
from itsjustintv_desktop.engine.monitoring.doctor.check import Check, amber, green, mitigated, red, unsettled
from itsjustintv_desktop.engine.monitoring.doctor.facts import ReachFacts
from itsjustintv_desktop.engine.monitoring.doctor.probe import Probed, Reached
from itsjustintv_desktop.engine.twitch.subscriptions import SubscriptionsState

SOON = 14 * 86400.0
"""Seconds before its end from which a certificate is worth a word: every renewal should have happened by then."""
_OF_SINGLE = frozenset({"channels", "failed", "no_budget"})
"""Codes of subscriptions that fail for some channels only: each of those has a check of its own."""


def way(facts: ReachFacts, *, running: bool) -> Check:
    name, status = "way", facts.way
    if not running and status.state is not TransportState.FAILING:
        return amber(name, "How Twitch reaches us can only be tried while the program runs.")
    if status.state is TransportState.READY:
        fix = f" {status.fix}" if status.fix else ""
        return green(name, status.message + fix)
    if status.state is TransportState.FAILING:
        if status.kind == "none" and facts.polls:
            return amber(name, status.message, status.fix)
        if status.kind == "none" and facts.will_poll:
            return unsettled(name, status.message, status.fix)
        until = f" Until then streams are found by asking every {render(facts.poll_interval)}." if facts.polls else ""
        late = mitigated if facts.polls else red
        return late(name, status.message + until, status.fix or "See the log.")
    say = unsettled if status.state is TransportState.STARTING else amber
    return say(name, status.message, status.fix)


def reachable(probe: Probed, now: float) -> Check:
    """What came of asking for ourselves. Never red: some routers do not let a machine reach itself."""
    name, when = "reachable", ago(probe.at, now)
    fixes = {
        Reached.NOT_FOUND: f"Give {probe.host} an A record (IPv4) at whoever keeps that name.",
        Reached.NO_ANSWER: "Ask from outside (a phone without Wi-Fi): https://"
        f"{probe.host}/health. If that answers, all is well; else forward port 443 to this machine.",
        Reached.CERTIFICATE: "See the check of the certificate.",
        Reached.REDIRECT: "Let it answer without a redirect: Twitch follows none.",
        Reached.OTHER: "Let the proxy or tunnel hand everything to this program, at least /twitch.",
    }
    if probe.reached is Reached.YES:
        return green(name, f"We reached ourselves through {probe.host} ({when}).")
    text = f"We could not reach ourselves through {probe.host} ({when}): {probe.detail}."
    doubt = {
        Reached.NO_ANSWER: " Some routers do not let a machine reach itself, so that alone proves nothing.",
        Reached.OTHER: " If only the path of the callback is handed on to this program, that is as it should be.",
    }
    return amber(name, text + doubt.get(probe.reached, ""), fixes[probe.reached])


def certificate(facts: ReachFacts, now: float) -> Check | None:
    """The one that was shown, else what the way knows of its own. None: there is nothing to judge."""
    name, probe, kind = "certificate", facts.probe, facts.way.kind
    late = mitigated if facts.polls else red
    fix = {
        "tls": "See the check of the way for what keeps it from being renewed.",
        "ngrok": "Restart the program; if it stays, ask ngrok.",
    }.get(kind, "Renew it where TLS ends: at the reverse proxy or tunnel.")
    if probe is not None and probe.reached is Reached.CERTIFICATE:
        text = f"Who answers at {probe.host} shows a certificate that cannot be trusted: {probe.detail}."
        return late(name, text, fix)
    until = _until(facts)
    if until is None:
        return None
    if until <= now:
        return late(name, f"The certificate ended on {day(until)}, so Twitch refuses to connect.", fix)
    if until - now < SOON:
        return amber(name, f"The certificate ends on {day(until)}, in {count(int((until - now) / 86400), 'day')}.", fix)
    return green(name, f"The certificate is valid until {day(until)}.")


def subscriptions(facts: ReachFacts) -> Check:
    name, status = "subscriptions", facts.subscriptions
    if status.state is SubscriptionsState.OK:
        return green(name, status.message)
    if status.state is SubscriptionsState.FAILING and status.code not in _OF_SINGLE:
        return (mitigated if facts.polls else red)(name, status.message, status.fix)
    say = unsettled if status.state is SubscriptionsState.WORKING else amber
    return say(name, status.message, status.fix)


def catching_up(facts: ReachFacts, now: float) -> Check:
    """The net below: asking who is live."""
    name, status = "catching up", facts.catch_up
    if status.state is not CatchUpState.OK:
        say = unsettled if status.state is CatchUpState.STARTING else amber
        return say(name, status.message)
    asked = f"Twitch was asked {ago(status.last_poll, now)} who is live" if status.last_poll else "Twitch is asked"
    if not facts.poll_interval:
        often = "it is asked only after a start and after sleep (poll_interval is 0)"
    else:
        often = f"it is asked every {render(facts.poll_interval)}"
    missed = f" {count(status.missed, 'stream')} came too late to be announced." if status.missed else ""
    if not facts.catch_up_max_age:
        missed += " What is found so is only listed (catch_up_max_age is 0)."
    return green(name, f"{asked}; {often}.{missed}")


def last_message(facts: ReachFacts, now: float) -> Check:
    """A fact to show: channels may be silent for weeks."""
    if facts.last_message is None:
        return green("last message", "No message of Twitch is in the history yet.")
    return green("last message", f"The last message of Twitch came {ago(facts.last_message, now)}.")


def checks(facts: ReachFacts, now: float, *, running: bool) -> list[Check]:
    """All that apply, in order."""
    found = [way(facts, running=running)]
    if facts.probe is not None:
        found.append(reachable(facts.probe, now))
    shown = certificate(facts, now)
    if shown is not None:
        found.append(shown)
    if running:
        found += [subscriptions(facts), catching_up(facts, now)]
    found.append(last_message(facts, now))
    return found


def _until(facts: ReachFacts) -> float | None:
    if facts.probe is not None and facts.probe.certificate_until is not None:
        return facts.probe.certificate_until
    text = facts.way.facts.get("certificate_until")
    return datetime.fromisoformat(text).timestamp() if text else None
