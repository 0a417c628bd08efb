"""The transports by which Twitch's messages come in: their interface, status and base class, and which is chosen."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Literal, Protocol

import msgspec
import structlog

from itsjustintv_desktop.engine.config.schema import Config
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.models import Target
from itsjustintv_desktop.engine.core.status import Status

_log = structlog.get_logger(__name__)
TransportKind = Literal["conduit", "ngrok", "tls", "own", "none"]


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


class TransportState(StrEnum):
    """Four words for every way; `TransportStatus.code` names the exact state."""

    STARTING = "starting"
    READY = "ready"
    WAITING = "waiting"
    """Not well, but it mends itself: retrying, or waiting for something outside."""
    FAILING = "failing"
    """Not well until a person does something; `fix` says what. It is still tried now and then."""


class TransportStatus(msgspec.Struct, frozen=True, kw_only=True):
    """`message` and `fix` are sentences for a person, without any secret. `since` is Unix seconds."""

    kind: str
    state: TransportState
    code: str
    """The named state, in words for programs: ready, offline, bad_token, port_closed, ..."""
    message: str
    fix: str = ""
    """What to do; empty when there is nothing to do."""
    since: float = 0.0
    address: str = ""
    """The public address (https://...), where there is one."""
    facts: dict[str, str] = {}
    """More to show, in order: certificate_until, conduit, session, local_address, ..."""

    def health(self) -> Status:
        return Status.of(self.state, self.message, self.since)


def transport_kind(config: Config) -> TransportKind:
    """conduit, or for webhooks: ngrok, our own certificate, somebody else's proxy or tunnel, or nothing at all."""
    if config.twitch.transport == "conduit":
        return "conduit"
    if config.tunnel.provider == "ngrok":
        return "ngrok"
    if config.server.tls.enabled:
        return "tls"
    if config.twitch.incoming_webhook_url or config.server.external_domain:
        return "own"
    return "none"


def callback_of(config: Config, host: str = "") -> str:
    """The callback by the config: [twitch] incoming_webhook_url, else /twitch at `host` or external_domain; "" = none.

    `host` (a name, perhaps with a port other than 443) is where a way found itself.
    """
    if config.twitch.incoming_webhook_url:
        return config.twitch.incoming_webhook_url
    name = host or config.server.external_domain
    return f"https://{name}/twitch" if name else ""
