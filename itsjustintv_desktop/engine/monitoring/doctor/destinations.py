"""Do announcements get through to a destination? Judged by what happened: nothing is sent to find out."""

from __future__ import annotations

from itsjustintv_desktop.engine.core.phrases import ago
from itsjustintv_desktop.engine.core.status import Level, RowStatus
from itsjustintv_desktop.engine.monitoring.doctor.check import Check, CheckState, Chosen, green, of_row
from itsjustintv_desktop.engine.monitoring.doctor.facts import DestinationFacts
from itsjustintv_desktop.engine.storage.ledger.latest import LastAnswer

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
        return RowStatus(level=Level.FAILING, word="No address", reason=text, fix="Unlock or enter it again.")
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
