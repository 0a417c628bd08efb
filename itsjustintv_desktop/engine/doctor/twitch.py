"""Does Twitch talk to us, and do our clocks agree?"""

from __future__ import annotations

from itsjustintv_desktop.engine.doctor.check import Check, amber, green, red
from itsjustintv_desktop.engine.doctor.facts import TwitchFacts
from itsjustintv_desktop.engine.errors import TwitchAuthError, TwitchRateLimitedError, TwitchUnreachableError


def token(facts: TwitchFacts) -> Check:
    name, problem = "token", facts.problem
    if problem is None:
        return green(name, "Twitch accepts the client id and secret.")
    if isinstance(problem, TwitchAuthError):
        return red(name, problem.message, "Correct [twitch] client_id and client_secret.")
    if isinstance(problem, TwitchRateLimitedError):
        return amber(name, problem.message)
    if isinstance(problem, TwitchUnreachableError):
        text = f"Twitch could not be asked: {problem.message}"
        return red(name, text, "Check this machine's network; it is tried again by itself.")
    return red(name, f"Twitch could not be asked: {problem.message}", "Mend that; it is tried again by itself.")


def clock(facts: TwitchFacts) -> Check:
    name = "clock"
    if facts.clock_problem is not None:
        return amber(name, facts.clock_problem, "Turn on automatic time in the system's settings.")
    if facts.clock_jumped is not None and facts.clock_doubted:
        return amber(name, facts.clock_jumped, "If its time is wrong, turn on automatic time in the system's settings.")
    if not facts.clock_known:
        return amber(name, "It could not be compared with Twitch's, which gave no answer yet.")
    lately = f" {facts.clock_jumped}" if facts.clock_jumped is not None else ""
    return green(name, f"It agrees with Twitch's.{lately}")
