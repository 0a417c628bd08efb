"""Do announcements get through to a destination? Judged by what happened: nothing is sent to find out."""

from __future__ import annotations

from itsjustintv_desktop.engine.doctor.check import Check, CheckState, amber, green, red
from itsjustintv_desktop.engine.doctor.facts import DestinationFacts
from itsjustintv_desktop.engine.doctor.words import ago
from itsjustintv_desktop.engine.storage.ledger.latest import LastAnswer

_TRY = "Correct it, then `test-event LOGIN`."


_UNUSED = "No streamer of the config uses it."
_USE = "Choose it at a streamer, or delete it."


def destination(facts: DestinationFacts, now: float) -> Check:
    found = _destination(facts, now)
    if found.state is not CheckState.GREEN or facts.used or not facts.destination.enabled:
        return found
    return amber(found.name, f"{found.message} {_UNUSED}", _USE)


def _destination(facts: DestinationFacts, now: float) -> Check:
    name = f"destination {facts.destination.name}"
    if not facts.destination.enabled:
        if not facts.used:
            return green(name, "It is switched off, and no streamer needs it.")
        return amber(name, "It is switched off in the config (enabled = false).", "Set enabled = true, or leave it so.")
    if facts.address_problem is not None:
        return red(name, f"Its address or secret cannot be had: {facts.address_problem}", "Unlock or enter it again.")
    reason = facts.reason.removesuffix(".")
    if facts.state == "paused":
        text = f"It is paused: {reason}."
        return red(name, text, "Correct its address, or `deliveries retry` one of its deliveries.")
    if facts.state in {"open", "half-open"}:
        text = f"It is left alone for the moment: {reason}. What is announced waits and is sent when it answers again."
        return amber(name, text, "Check the receiver; `deliveries retry` tries at once.")
    if facts.last is None:
        return green(name, "Nothing was sent there yet; `test-event LOGIN` tries it.")
    return _by_last_answer(name, facts.last, facts.note, now)


def _by_last_answer(name: str, last: LastAnswer, note: str, now: float) -> Check:
    when = ago(last.at, now)
    if last.error is None:
        took = f"It took the last announcement, {when} (the answer was {last.status})."
        return green(name, took) if not note else amber(name, f"{took} {note}")
    error = last.error.removesuffix(".")
    if last.given_up:
        return red(name, f"The last announcement, {when}, was given up: {error}.", _TRY)
    return amber(
        name, f"The last attempt, {when}, failed: {error}.", "Check the receiver; `deliveries list` shows what waits."
    )
