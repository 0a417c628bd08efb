"""How a way is, as programs and people read it."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from itsjustintv_desktop.engine.core.status import Status


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
