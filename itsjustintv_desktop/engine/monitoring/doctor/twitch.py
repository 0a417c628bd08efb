"""Does Twitch talk to us, and do our clocks agree?"""

from __future__ import annotations

from itsjustintv_desktop.engine.core.errors import TwitchAuthError, TwitchRateLimitedError, TwitchUnreachableError
from itsjustintv_desktop.engine.monitoring.doctor.check import Check, amber, green, mitigated, red, unsettled
from itsjustintv_desktop.engine.monitoring.doctor.facts import TwitchFacts


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
