"""How the way to each destination is, and pausing it because a person wants it so."""

from __future__ import annotations

from typing import Protocol

import msgspec

from itsjustintv_desktop.engine.config.active import ConfigHolder
from itsjustintv_desktop.engine.config.destinations import must_exist
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.delivery.breaker import BY_HAND
from itsjustintv_desktop.engine.delivery.destination_queues import DestinationQueues


class DestinationView(msgspec.Struct, frozen=True, kw_only=True):
    """How the way to a destination is. `state`: closed (all passes), open, half-open, paused, or off."""

    name: str
    state: str
    reason: str = ""
    by_hand: bool = False
    """A person paused it."""
    note: str = ""
    """That it gets less than the config says, and why."""

    @property
    def waits(self) -> str | None:
        """Until when its deliveries wait, in a few words. None = only for their turn."""
        words = {"paused": "paused", "off": "switched off"}
        again = "when it answers again" if self.state in {"open", "half-open"} else None
        return words.get(self.state, again)

    @property
    def sentence(self) -> str | None:
        """What to say after its name: why nothing is sent there and what to do. None = things are sent."""
        if self.state == "paused":
            why = self.reason.removesuffix(".")
            if self.by_hand:
                return f"was paused by hand: {why}. Resume it in the app, or with `resume --destination`."
            return f"is paused: {why}. Correct its address, or `deliveries retry` one of its deliveries."
        if self.state == "open":
            return f"is left alone for the moment: {self.reason}"
        return "is switched off in the config (enabled = false)." if self.state == "off" else None


class Sending(Protocol):
    """What sends there, or will at its next start: a Dispatcher, or Breakers alone. Raises LedgerError."""

    @property
    def queues(self) -> DestinationQueues: ...

    async def pause(self, name: str, reason: str) -> None: ...

    async def resume(self, name: str, *, afresh: bool = False) -> None: ...


class Destinations:
    """Raises NotFoundError and LedgerError only."""

    def __init__(self, sending: Sending, config: ConfigHolder, clock: Clock) -> None:
        self._sending = sending
        self._config = config
        self._clock = clock

    async def list(self) -> list[DestinationView]:
        """Every destination of the config, in its order."""
        queues = self._sending.queues
        states = queues.states(self._clock.now())
        found: list[DestinationView] = []
        for name, destination in self._config.current.destinations.items():
            state, reason = states.get(name, ("closed", ""))
            by_hand = queues.paused_by_hand(name)
            shown = state if destination.enabled else "off"
            note = queues.note(destination)
            found.append(DestinationView(name=name, state=shown, reason=reason, by_hand=by_hand, note=note))
        return found

    async def pause(self, name: str, reason: str = "") -> None:
        """Send nothing there until resumed, across restarts and whatever its address; its deliveries wait.

        Raises NotFoundError, LedgerError.
        """
        await self._must_exist(name)
        await self._sending.pause(name, reason.strip() or BY_HAND)

    async def resume(self, name: str) -> None:
        """Send again, whatever stood against it. Raises NotFoundError, LedgerError."""
        await self._must_exist(name)
        await self._sending.resume(name, afresh=True)

    async def let_try(self, name: str) -> None:
        """One that is paused or fails may try again: a person asked for one of its deliveries. Raises LedgerError."""
        await self._sending.resume(name)

    async def _must_exist(self, name: str) -> None:
        must_exist(name, self._config.current.destinations)

    def not_to_be_sent(self) -> dict[str, str]:
        """Destinations to which a person wants nothing sent, and the sentence that says so."""
        queues = self._sending.queues
        found: dict[str, str] = {}
        for name, destination in self._config.current.destinations.items():
            if not destination.enabled:
                found[name] = f"The destination {name} is switched off in the config. Switch it on first."
            elif queues.paused_by_hand(name):
                found[name] = f"The destination {name} was paused by hand. Resume it first."
        return found
