"""The parts of an engine, each asked for what it knows itself: nothing here waits, reads a file or asks anybody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from itsjustintv_desktop.engine.core.status import Level, Status

if TYPE_CHECKING:
    from itsjustintv_desktop.engine.engine import Engine


def of_engine(engine: Engine) -> dict[str, Status]:
    """By name. Destinations that nothing holds back, and loops that run, are left out."""
    ledger = _ledger(engine)
    well = ledger.level is Level.OK
    parts = {
        "config": _config(engine),
        "ledger": ledger,
        "secrets": _secrets(engine),
        "webhook secret": _webhook_secret(engine),
        "feed": _feed(engine),
        "twitch": _twitch(engine),
        "announce": (engine.watch.announce() or Status()) if well else ledger,
        "announcements": _announcements(engine),
        "deliveries": (engine.watch.deliveries() or Status()) if well else ledger,
        "clock": engine.clock_trust.part(),
        "disk": engine.watch.disk.part(),
        "files": engine.files.part(),
        "loop": engine.watch.loop.part(engine.now()),
    }
    if engine.address is not None:
        parts |= _reach(engine)
        parts["updates"] = engine.updates.part()
    for name, why in engine.supervisor.broken.items():
        since = engine.supervisor.broken_since.get(name)
        parts[name] = Status(Level.FAILING, f"It broke ({why}) and is started again. See the log.", since)
    queues = engine.dispatcher.queues
    for name, (state, reason) in queues.states(engine.now()).items():
        destination = engine.live.destinations.get(name)
        if destination is None:
            continue
        if state != "closed":
            parts[f"destination {name}"] = Status(Level.WAITING, reason, queues.queue(name).breaker.snapshot().since)
        elif note := queues.note(destination):
            parts[f"destination {name}"] = Status(Level.OK, note, queues.only_link(name))
    return parts


def _config(engine: Engine) -> Status:
    if engine.listening is None:
        return Status()
    if engine.loaded.nothing_set_up:
        return Status(Level.FAILING, f"Nothing is set up: there is no config yet at {engine.paths.config}.")
    state = engine.reload.state
    return Status(Level.OK if state.state == "ok" else Level.FAILING, state.reason, state.since)


def _announcements(engine: Engine) -> Status:
    pause = engine.pause
    return Status(Level.WAITING, pause.sentence, pause.since) if pause.active else Status()


def _ledger(engine: Engine) -> Status:
    ledger = engine.ledger
    if ledger.failure is not None:
        return Status(Level.FAILING, ledger.failure.message, ledger.failing_since)
    if not ledger.alive:
        return Status(Level.FAILING, "Its thread has ended. Restart the program.")
    return Status(reason=ledger.lately or "", since=ledger.changed_at)


def _reach(engine: Engine) -> dict[str, Status]:
    """How Twitch reaches us, and what asks when it does not."""
    reach = engine.reach
    way, held, asking = reach.way.status, reach.subscriptions.status, reach.catch_up.status
    return {
        "way": Status(_LEVELS[way.state], _unless_ok(way.state, way.message), way.since),
        "subscriptions": Status(_LEVELS[held.state], _unless_ok(held.state, held.message), held.since),
        "catching up": Status(_LEVELS[asking.state], _unless_ok(asking.state, asking.message)),
    }


def _secrets(engine: Engine) -> Status:
    """The place where they live: what cannot be had now is asked for again by itself."""
    state = engine.secrets.state
    if state.status in {"ready", "unopened"}:
        return Status()
    return Status(Level.FAILING if state.status == "damaged" else Level.WAITING, state.message, state.since)


def _webhook_secret(engine: Engine) -> Status:
    problem, secrets = engine.signing_problem, engine.secrets.state
    if problem is None:
        return Status()
    return Status(Level.WAITING, problem, secrets.since if secrets.message else None)


def _feed(engine: Engine) -> Status:
    feed = engine.feed
    return Status() if feed.problem is None else Status(Level.FAILING, feed.problem, feed.problem_since)


def _twitch(engine: Engine) -> Status:
    """Token and API together: without the one the other does not answer."""
    status, reason = engine.twitch.health()
    return Status(_LEVELS[status], reason, engine.twitch.client.status.since if status == "failing" else None)


_LEVELS: Mapping[str, Level] = {
    "ready": Level.OK,
    "ok": Level.OK,
    "starting": Level.WAITING,
    "working": Level.WAITING,
    "waiting": Level.WAITING,
    "failing": Level.FAILING,
}
"""What the words of each part mean here."""


def _unless_ok(state: str, message: str) -> str:
    return "" if _LEVELS[state] is Level.OK else message
