"""The interface every way implements, and what they have in common."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from typing import Protocol

import structlog

from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.models import Target
from itsjustintv_desktop.engine.ingress.transports.status import TransportState, TransportStatus

_log = structlog.get_logger(__name__)


class Transport(Protocol):
    """One way for Twitch's messages to come in. `run` may be started again after it broke."""

    kind: str

    @property
    def status(self) -> TransportStatus:
        """How it is now."""
        ...

    @property
    def target(self) -> Target | None:
        """Where subscriptions shall point. None until something that works is known; a last one that worked stays."""
        ...

    @property
    def context(self) -> ssl.SSLContext | None:
        """What the public port shall speak for it; None = plain HTTP, behind somebody who speaks TLS."""
        ...

    async def run(self) -> None:
        """Come up, watch over it, mend it, until cancelled. Raises nothing that can be foreseen: `status` tells."""
        ...

    async def close(self) -> None:
        """Let go of what outlives `run`."""
        ...

    def trigger(self) -> None:
        """Look now: the machine woke, the network or the config changed, or a person asks."""
        ...


class BaseTransport:
    """Keeps status and target, tells of changes once. `on_change` is called on the loop when either changes."""

    kind = "none"

    def __init__(self, clock: Clock, on_change: Callable[[], None]) -> None:
        self._clock = clock
        self._on_change = on_change
        self._target: Target | None = None
        self._status = TransportStatus(
            kind=self.kind, state=TransportState.STARTING, code="starting", message="It is starting.", since=clock.now()
        )
        self._triggered = asyncio.Event()

    @property
    def status(self) -> TransportStatus:
        return self._status

    @property
    def target(self) -> Target | None:
        return self._target

    @property
    def context(self) -> ssl.SSLContext | None:
        return None

    def trigger(self) -> None:
        self._triggered.set()

    async def close(self) -> None:
        """Nothing outlives `run` unless a way says so."""

    def _set_target(self, target: Target | None) -> None:
        """Tell of it with the next `_tell`, or at once if it changed."""
        if target != self._target:
            self._target = target
            self._on_change()

    def _tell(
        self,
        state: TransportState,
        code: str,
        message: str,
        fix: str = "",
        *,
        address: str | None = None,
        facts: Mapping[str, str] | None = None,
    ) -> None:
        """Set the status; `address` and `facts` stay as they are when not given. A new state is logged once."""
        before = self._status
        same = (before.state, before.code) == (state, code)
        self._status = TransportStatus(
            kind=self.kind,
            state=state,
            code=code,
            message=message,
            fix=fix,
            since=before.since if same else self._clock.now(),
            address=before.address if address is None else address,
            facts=before.facts if facts is None else dict(facts),
        )
        if not same:
            log = _log.info if state in {TransportState.READY, TransportState.STARTING} else _log.warning
            log("how Twitch reaches us", way=self.kind, state=code, text=f"{message} {fix}".strip())
        if self._status != before:
            self._on_change()

    async def _pause(self, seconds: float) -> bool:
        """Wait that long or until nudged (True)."""
        nudged = await self._clock.wait(self._triggered, seconds)
        self._triggered.clear()
        return nudged
