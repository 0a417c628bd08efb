"""The parts of an engine, each asked for what it knows itself: nothing here waits, reads a file or asks anybody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from itsjustintv_desktop.engine.health.part import Part, Status

if TYPE_CHECKING:
    from itsjustintv_desktop.engine.engine import Engine


def of_engine(engine: Engine) -> dict[str, Part]:
    """By name. Destinations that nothing holds back, and loops that run, are left out."""
    ledger = _ledger(engine)
    well = ledger.status == "ok"
    parts = {
        "config": _config(engine),
        "ledger": ledger,
        "secrets": _secrets(engine),
        "webhook secret": _webhook_secret(engine),
        "feed": _feed(engine),
        "twitch": _twitch(engine),
        "announce": (engine.watch.announce() or Part()) if well else ledger,
        "announcements": _announcements(engine),
        "deliveries": (engine.watch.deliveries() or Part()) if well else ledger,
        "clock": engine.clocks.part(),
        "disk": engine.watch.disk.part(),
        "files": engine.files.part(),
        "loop": engine.watch.loop.part(engine.now()),
    }
    if engine.address is not None:
        parts |= _reach(engine)
        parts["updates"] = engine.updates.part()
    for name, why in engine.supervisor.broken.items():
        since = engine.supervisor.broken_since.get(name)
        parts[name] = Part("failing", f"It broke ({why}) and is started again. See the log.", since)
    queues = engine.dispatcher.queues
    for name, (state, reason) in queues.states(engine.now()).items():
        destination = engine.live.destinations.get(name)
        if destination is None:
            continue
        if state != "closed":
            parts[f"destination {name}"] = Part("waiting", reason, queues.queue(name).breaker.snapshot().since)
        elif note := queues.note(destination):
            parts[f"destination {name}"] = Part("ok", note, queues.only_link(name))
    return parts


def _config(engine: Engine) -> Part:
    if engine.listening is None:
        return Part()
    if engine.loaded.nothing_set_up:
        return Part("failing", f"Nothing is set up: there is no config yet at {engine.paths.config}.")
    state = engine.reload.state
    return Part("ok" if state.state == "ok" else "failing", state.reason, state.since)


def _announcements(engine: Engine) -> Part:
    pause = engine.pause
    return Part("waiting", pause.sentence, pause.since) if pause.active else Part()


def _ledger(engine: Engine) -> Part:
    ledger = engine.ledger
    if ledger.failure is not None:
        return Part("failing", ledger.failure.message, ledger.failing_since)
    if not ledger.alive:
        return Part("failing", "Its thread has ended. Restart the program.")
    return Part(reason=ledger.lately or "", since=ledger.changed_at)


def _reach(engine: Engine) -> dict[str, Part]:
    """How Twitch reaches us, and what asks when it does not."""
    reach = engine.reach
    way, held, asking = reach.way.status, reach.subscriptions.status, reach.catch_up.status
    return {
        "way": Part(_WORDS[way.state], _unless_ok(way.state, way.message), way.since),
        "subscriptions": Part(_WORDS[held.state], _unless_ok(held.state, held.message), held.since),
        "catching up": Part(_WORDS[asking.state], _unless_ok(asking.state, asking.message)),
    }


def _secrets(engine: Engine) -> Part:
    """The place where they live: what cannot be had now is asked for again by itself."""
    state = engine.secrets.state
    if state.status in {"ready", "unopened"}:
        return Part()
    return Part("failing" if state.status == "damaged" else "waiting", state.message, state.since)


def _webhook_secret(engine: Engine) -> Part:
    problem, secrets = engine.signing_problem, engine.secrets.state
    if problem is None:
        return Part()
    return Part("waiting", problem, secrets.since if secrets.message else None)


def _feed(engine: Engine) -> Part:
    feed = engine.feed
    return Part() if feed.problem is None else Part("failing", feed.problem, feed.problem_since)


def _twitch(engine: Engine) -> Part:
    """Token and API together: without the one the other does not answer."""
    status, reason = engine.twitch.health()
    return Part(_WORDS[status], reason, engine.twitch.client.status.since if status == "failing" else None)


_WORDS: Mapping[str, Status] = {
    "ready": "ok",
    "ok": "ok",
    "starting": "waiting",
    "working": "waiting",
    "waiting": "waiting",
    "failing": "failing",
}
"""What the words of each part mean here."""


def _unless_ok(state: str, message: str) -> str:
    return "" if _WORDS[state] == "ok" else message
