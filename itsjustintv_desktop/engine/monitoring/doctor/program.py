"""Does the program run, and with the config that it should?"""

from __future__ import annotations

from itsjustintv_desktop.engine.core.phrases import count, some
from itsjustintv_desktop.engine.monitoring.doctor.check import Check, amber, chosen, green, red
from itsjustintv_desktop.engine.monitoring.doctor.facts import ConfigFacts, ProgramFacts

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
    text = f"{facts.paused} What begins meanwhile is listed in the feed, and not announced later."
    return chosen("announcements", text, "Resume them, or leave it so.")


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
