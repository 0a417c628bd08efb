"""The checks that are about no single streamer or destination: pure functions of the facts."""

from __future__ import annotations

from datetime import datetime

from itsjustintv_desktop.engine.config.durations import render
from itsjustintv_desktop.engine.core.errors import TwitchAuthError, TwitchRateLimitedError, TwitchUnreachableError
from itsjustintv_desktop.engine.core.phrases import ago, count, day, some
from itsjustintv_desktop.engine.ingress.catch_up.catch_up import CatchUpState
from itsjustintv_desktop.engine.ingress.transports import TransportState
from itsjustintv_desktop.engine.monitoring.doctor.facts import (
    ConfigFacts,
    LedgerFacts,
    MachineFacts,
    ProgramFacts,
    ReachFacts,
    SecretsFacts,
    TwitchFacts,
)
from itsjustintv_desktop.engine.monitoring.doctor.probe import Probed, Reached
from itsjustintv_desktop.engine.monitoring.doctor.report import Check, amber, chosen, green, mitigated, red, unsettled
from itsjustintv_desktop.engine.monitoring.watchdog import FULL, MEGABYTE, NARROW
from itsjustintv_desktop.engine.twitch.subscriptions import SubscriptionsState

_MEANWHILE = "What begins meanwhile is listed in the feed, and not announced later."
START = "Start it (`serve`), and let it start with the machine."


def program(facts: ProgramFacts) -> Check:
    if not facts.running:
        return red("program", "The program is not running, so nothing is announced.", START)
    if facts.broken:
        parts = some(f"{name} ({why})" for name, why in facts.broken.items())
        say = amber if facts.broken.keys() <= facts.dispensable else red
        return say("program", f"Parts of it broke and are started again: {parts}.", "See the log; restart the program.")
    if facts.stood_still is not None:
        return amber("program", f"It runs. {facts.stood_still}", "If it comes again, see the log for what held it up.")
    return green("program", f"It runs and listens at {facts.address}.")


def announcements(facts: ProgramFacts) -> Check | None:
    """Whether a person paused them; None while they are made."""
    if not facts.paused:
        return None
    return chosen("announcements", f"{facts.paused} {_MEANWHILE}", "Resume them, or leave it so.")


def others(facts: ProgramFacts) -> list[Check]:
    """What else is not well: no announcement hangs on it."""
    return [amber(name, reason, "See the log.") for name, reason in facts.others.items()]


def proxy(facts: ProgramFacts) -> Check | None:
    """Which proxy is used: a variable that is out of date would keep the program off the internet."""
    for variable, why in facts.unusable_proxies.items():
        text = f"The proxy in {variable} is not used: {why}."
        return amber("proxy", text, "Correct the variable, or set [network] proxy.")
    return green("proxy", f"Requests go through the proxy {some(facts.proxies)}.") if facts.proxies else None


def updates(facts: ProgramFacts) -> Check | None:
    """A word on newer versions, where there is something to say. Never trouble: no announcement hangs on it."""
    return green("updates", facts.newer) if facts.newer is not None else None


def config(facts: ConfigFacts) -> Check:
    """Whether it can be used, is the one in force, and asks for anything at all."""
    name = "config"
    enabled = [streamer for streamer in facts.config.streamers.values() if streamer.enabled]
    if facts.nothing_set_up:
        return red(
            name,
            f"Nothing is set up: there is no config yet at {facts.path}.",
            "Open the window, whose assistant makes one, or start from what `config example` prints.",
        )
    if not facts.config.streamers:
        return red(
            name,
            f"{facts.path} names no streamer, so there is nobody to announce.",
            'Add one: [streamers.NAME] with login = "...". `config example` shows all there is.',
        )
    if not enabled:
        return red(name, "Every streamer is switched off in the config.", "Set enabled = true for one.")
    if facts.problems:
        return amber(
            name,
            f"{facts.path} was changed and cannot be used any more: {facts.problems[0]}. The last good one is in "
            "force.",
            "Mend it: `config check` names every line.",
        )
    if facts.kept:
        return amber(name, facts.kept, "Correct it as the sentence says; it is taken up by itself.")
    if facts.changed:
        return amber(
            name, f"{facts.path} was changed a moment ago and is not in force yet.", "Ask again in a few seconds."
        )
    if facts.warnings:
        more = len(facts.warnings) - 1
        first = _sentence(facts.warnings[0]) + (f" There {'is' if more == 1 else 'are'} {more} more." if more else "")
        return amber(name, first, "See `config check`, and correct the line.")
    said = " ".join(_sentence(notice) for notice in facts.notices)
    return green(name, f"It is valid; {count(len(enabled), 'streamer')} to watch. {said}".rstrip())


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."


_ENTER = "Enter it in config.toml under [twitch]; `config move-secrets` takes it to the keyring."
_CONSOLE = "dev.twitch.tv/console/apps"
_STATES = {
    "locked": "Unlock the keyring; it is tried again by itself.",
    "absent": 'Set [secrets] store = "passphrase" (with ITSJUSTINTV_PASSPHRASE) or "memory", or install a keyring.',
    "wrong-passphrase": "Start the program with the right ITSJUSTINTV_PASSPHRASE.",
    "damaged": "Enter the secrets that were in it again.",
}


def secrets(facts: SecretsFacts) -> Check:
    """What Twitch has to be asked with, and what its messages are verified with."""
    name = "secrets"
    if not facts.has_client_id:
        return red(
            name,
            "No [twitch] client_id is set, so Twitch cannot be asked to tell us anything.",
            f"Register an application at {_CONSOLE} and enter its client id.",
        )
    if facts.client_problem is not None:
        text = f"The client secret cannot be looked up: {facts.client_problem.message}"
        return red(name, text, _STATES.get(facts.state.status, ""))
    if not facts.has_client_secret:
        return red(name, f"No client secret is there. Make one at {_CONSOLE}.", _ENTER)
    if facts.signing_problem is not None:
        text = f"Twitch's messages cannot be verified yet: {facts.signing_problem}"
        return red(name, text, _STATES.get(facts.state.status, ""))
    if facts.in_clear:
        return green(name, f"They are at hand. {len(facts.in_clear)} of them can be read in config.toml by whoever "
                     "may read that file; `config move-secrets` moves them to the keyring.")  # fmt: skip
    return green(name, "They are at hand.")


def keyring(facts: SecretsFacts) -> Check:
    """The store itself: what lies in it can be had after the next start, too."""
    name, state = "keyring", facts.state
    if facts.choice == "memory":
        return green(name, 'Nothing is kept there: [secrets] store = "memory", so secrets come from the config.')
    if state.status == "ready":
        where = "The keyring is open." if facts.choice == "keyring" else "The vault is open."
        return green(name, where)
    if state.status == "unopened":
        return green(name, "It was not needed yet: no secret lies there.")
    said = "This machine has no keyring." if state.status == "absent" else state.message or "It cannot be opened."
    return amber(name, said, _STATES.get(state.status, ""))


def token(facts: TwitchFacts, *, reached: bool = False) -> Check:
    """`reached`: what Twitch has to say comes in, so that streams are announced whether or not it can be asked."""
    name, problem = "token", facts.problem
    if problem is None and (isinstance(facts.api_problem, TwitchAuthError) or not reached):
        problem = facts.api_problem
    if problem is None and facts.api_problem is not None:
        return amber(name, f"Twitch could not be asked: {facts.api_problem.message}", "It is tried again by itself.")
    if problem is None:
        return green(name, "Twitch accepts the client id and secret.")
    if isinstance(problem, TwitchAuthError):
        return red(name, problem.message, "Correct [twitch] client_id and client_secret.")
    if isinstance(problem, TwitchRateLimitedError):
        return amber(name, problem.message)
    say = mitigated if reached else red
    text = f"Twitch could not be asked: {problem.message}"
    if isinstance(problem, TwitchUnreachableError):
        return say(name, text, "Check this machine's network; it is tried again by itself.")
    return say(name, text, "Fix that; it is tried again by itself.")


def clock(facts: TwitchFacts) -> Check:
    name = "clock"
    if facts.clock_problem is not None:
        return amber(name, facts.clock_problem, "Turn on automatic time in the system's settings.")
    if facts.clock_jumped is not None and facts.clock_doubted:
        return amber(name, facts.clock_jumped, "If its time is wrong, turn on automatic time in the system's settings.")
    if not facts.clock_known:
        return unsettled(name, "It could not be compared with Twitch's, which gave no answer yet.")
    lately = f" {facts.clock_jumped}" if facts.clock_jumped is not None else ""
    return green(name, f"It agrees with Twitch's.{lately}")


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


def ingress(facts: ReachFacts, now: float, *, running: bool) -> list[Check]:
    """How Twitch's messages come in: all checks that apply, in order."""
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


def ledger(facts: LedgerFacts, now: float) -> Check:
    """The queue and its file. A worker that stopped while all looks well is the worst fault of all."""
    name = "ledger"
    if facts.problem is not None:
        return red(name, facts.problem, "Mend that; it is tried again by itself.")
    if not facts.alive:
        return red(name, "Its thread has ended, so nothing can be kept.", "Restart the program.")
    if facts.standing is not None:
        return red(name, facts.standing, "If it stays, restart the program; nothing is lost by that. See the log.")
    if facts.oldest_event is not None:
        text = f"An event that came {ago(facts.oldest_event, now)} is not worked on."
        return red(name, text, "Restart the program; nothing is lost by that. See the log.")
    if facts.stuck:
        since = min(facts.stuck.values())
        text = f"Deliveries to {some(facts.stuck)} were due {ago(since, now)} and are not sent."
        return red(name, text, "Restart the program; nothing is lost by that. See the log.")
    if facts.lately is not None:
        return amber(name, facts.lately)
    if facts.waiting == 1:
        return green(name, "It can be written. 1 delivery waits to be sent.")
    waiting = f" {facts.waiting} deliveries wait to be sent." if facts.waiting else ""
    return green(name, f"It can be written.{waiting}")


def output(facts: LedgerFacts) -> Check | None:
    if facts.output_problem is None:
        return None
    return amber("output", facts.output_problem, "Make room, or give your user the right to write there.")


def disk(facts: MachineFacts) -> Check:
    name = "disk"
    if facts.free is None:
        return amber(name, f"How much room is left for {facts.folder} could not be found out.")
    left = f"{facts.free // MEGABYTE:,} MB"
    if facts.free < FULL:
        return red(name, f"Only {left} are left for {facts.folder}: nothing can be kept.", "Free some space.")
    if facts.free < NARROW:
        return amber(name, f"Only {left} are left for {facts.folder}.", "Free some space.")
    return green(name, f"{left} are free.")
