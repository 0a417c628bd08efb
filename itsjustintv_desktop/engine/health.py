"""How each part is: one word, since when, and why. The public port shows none of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from itsjustintv_desktop.engine.errors import LedgerError

if TYPE_CHECKING:
    from itsjustintv_desktop.engine.engine import Engine


@dataclass(frozen=True, slots=True)
class _Part:
    """How one part is. `since`: Unix seconds, where the part itself knows."""

    status: str = "ok"
    reason: str = ""
    since: float | None = None


class Health:
    """Looks at the engine's parts when asked; remembers since when each is as it is."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._since: dict[str, tuple[str, float]] = {}

    def is_well(self) -> bool:
        """Whether a message from Twitch could be kept and worked on now."""
        ledger = self._engine.ledger
        return ledger.alive and ledger.failure is None and not self._engine.supervisor.broken

    async def observe(self) -> None:
        """Note what has changed. Called every minute or so, a part's `since` is right whenever it is asked for."""
        self._note(self._parts())

    async def report(self) -> dict[str, Any]:
        """`{status, parts: {name: {status, since, reason}}}`, status ok, waiting or failing; times Unix seconds."""
        found = self._parts()
        if found["deliveries"].status == "ok":
            found["deliveries"] = await self._deliveries()
        self._note(found)
        parts = {
            name: {"status": part.status, "since": self._since[name][1], "reason": part.reason}
            for name, part in found.items()
        }
        statuses = {part.status for part in found.values()}
        overall = next((word for word in ("failing", "waiting") if word in statuses), "ok")
        return {"status": overall, "parts": parts}

    def troubles(self) -> dict[str, tuple[str, str, float]]:
        """The parts that are not ok: (status, reason, since). Asks nobody."""
        found = self._parts()
        self._note(found)
        return {
            name: (part.status, part.reason, self._since[name][1])
            for name, part in found.items()
            if part.status != "ok"
        }

    def _parts(self) -> dict[str, _Part]:
        engine = self._engine
        ledger = self._ledger()
        parts = {
            "ledger": ledger,
            "webhook secret": self._webhook_secret(),
            "feed": _Part() if engine.feed.problem is None else _Part("failing", engine.feed.problem),
            "twitch": self._twitch(),
            "deliveries": ledger,
            "announcements": self._announcements(),
        }
        if engine.address is not None:
            parts["config"] = self._config()
            parts |= self._reach()
        for name, why in engine.supervisor.broken.items():
            parts[name] = _Part("failing", f"It broke ({why}) and is started again. See the log.")
        lanes = engine.dispatcher.lanes
        for name, (state, reason) in lanes.states(engine.now()).items():
            if state != "closed":
                parts[f"destination {name}"] = _Part("waiting", reason, lanes.lane(name).breaker.snapshot().since)
        return parts

    def _config(self) -> _Part:
        state = self._engine.reload.state
        return _Part("ok" if state.state == "ok" else "failing", state.reason, state.since)

    def _ledger(self) -> _Part:
        ledger = self._engine.ledger
        if ledger.failure is not None:
            return _Part("failing", ledger.failure.message, ledger.failing_since)
        return _Part() if ledger.alive else _Part("failing", "Its thread has ended. Restart the program.")

    def _reach(self) -> dict[str, _Part]:
        """How Twitch reaches us, and what asks when it does not."""
        reach = self._engine.reach
        way, held, asking = reach.way.status, reach.subscriptions.status, reach.catch_up.status
        return {
            "way": _Part(_WORDS[way.state], _unless_ok(way.state, way.message), way.since),
            "subscriptions": _Part(_WORDS[held.state], _unless_ok(held.state, held.message), held.since),
            "catching up": _Part(_WORDS[asking.state], _unless_ok(asking.state, asking.message)),
        }

    def _announcements(self) -> _Part:
        pause = self._engine.pause
        return _Part("waiting", pause.sentence, pause.since) if pause.active else _Part()

    def _webhook_secret(self) -> _Part:
        problem, secrets = self._engine.signing_problem, self._engine.secrets.state
        if problem is None:
            return _Part()
        return _Part("waiting", problem, secrets.since if secrets.message else None)

    def _twitch(self) -> _Part:
        status, reason = self._engine.twitch.health()
        return _Part(status, reason, self._engine.twitch.client.status.since if status == "failing" else None)

    async def _deliveries(self) -> _Part:
        try:
            counts = await self._engine.ledger.counts()
        except LedgerError as error:
            return _Part("failing", error.message)
        waiting = counts.by_state.get("pending", 0)
        return _Part(reason=f"{waiting} waiting to be sent" if waiting else "")

    def _note(self, parts: dict[str, _Part]) -> None:
        now, before = self._engine.now(), self._since
        self._since = {}
        for name, part in parts.items():
            status, since = before.get(name, ("", now))
            known = since if status == part.status else now
            self._since[name] = (part.status, known if part.since is None else part.since)


_WORDS = {
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
