"""Can what comes in be kept and worked on here?"""

from __future__ import annotations

from itsjustintv_desktop.engine.core.phrases import ago, some
from itsjustintv_desktop.engine.monitoring.doctor.check import Check, amber, green, red
from itsjustintv_desktop.engine.monitoring.doctor.facts import LedgerFacts, MachineFacts
from itsjustintv_desktop.engine.monitoring.watchdog.disk import FULL, MEGABYTE, NARROW


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
