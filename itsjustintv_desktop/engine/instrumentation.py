"""How the engine's parts report to an observer, such as telemetry, and the ids of the traces they belong to.

Without an observer a part pays one `is not None`. An observer must neither raise nor wait.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal, Protocol

from itsjustintv_desktop.engine.core.errors import LedgerError
from itsjustintv_desktop.engine.core.models import StreamEvent
from itsjustintv_desktop.engine.storage.ledger.records import Claimed, EventRecord, Finish

Taken = Literal["new", "known", "failed"]
"""What became of an event on its way into the ledger."""
_announcing: ContextVar[Announcing | None] = ContextVar("announcing", default=None)


def taken(outcome: bool | LedgerError) -> Taken:
    """The word for how the ledger answered."""
    if isinstance(outcome, LedgerError):
        return "failed"
    return "new" if outcome else "known"


class Observer(Protocol):
    """Called on the engine's loop. `ended` is Unix seconds, `seconds` how long it took."""

    def answered(
        self, status: int, scheme: str, event: StreamEvent | None, outcome: Taken, *, ended: float, seconds: float
    ) -> None:
        """A POST to the public port got its answer. `event`: what it said, if it was Twitch's and no challenge."""
        ...

    def received(self, event: StreamEvent, outcome: Taken, *, ended: float, seconds: float) -> None:
        """An event came another way than by a POST."""
        ...

    def settled(
        self, record: EventRecord, state: str, reason: str | None, *, destinations: int, ended: float, seconds: float
    ) -> None:
        """An event found its end; `record` is as it was before. `seconds` is 0 where nothing had to be asked."""
        ...

    def asked(
        self, method: str, path: str, status: int | None, error: str | None, *, ended: float, seconds: float
    ) -> None:
        """One exchange with Helix; without a `status` no answer came, and `error` says what kind of fault it was."""
        ...

    def traceparent(self, claimed: Claimed) -> str | None:
        """What the attempt now being made tells its receiver of the trace; None: no traces are sent."""
        ...

    def attempted(self, claimed: Claimed, finish: Finish, *, ended: float, seconds: float) -> None:
        """An attempt ended and its outcome is in the ledger."""
        ...

    def given_up(self, destination: str | None, count: int) -> None:
        """Waiting deliveries were made dead letters; None: of any destinations."""
        ...


class Instrumentation:
    """Handed to every part at its making; `observer` comes and goes while the program runs."""

    __slots__ = ("observer",)

    def __init__(self) -> None:
        self.observer: Observer | None = None


class TraceIds:
    """The trace of one event: the source's message id names it, or else its row in the ledger.

    Worked out from what the ledger holds anyway, so an attempt that is made days later, by another run of the program,
    joins the trace its POST began. W3C Trace Context: a trace id is 16 bytes, a span id 8; neither may be zero.
    """

    __slots__ = ("_event_id", "_key", "has_root", "trace_id")

    def __init__(self, source: str, message_id: str | None, event_id: int = 0, received_at: float = 0.0) -> None:
        """`event_id` and `received_at` name the trace only where there is no message id (found by asking)."""
        self._event_id = event_id
        self.has_root = message_id is not None
        """Whether something came in, which is the trace's first span. Else it begins with the announcement."""
        named = message_id if message_id is not None else f"{event_id}\0{received_at!r}"
        # A lone surrogate is no text SQLite keeps, but it must not break the telling of that.
        self._key = f"{source}\0{named}".encode("utf-8", "surrogatepass")
        self.trace_id = _number(self._key, 16)

    @property
    def root(self) -> int:
        return self.span_id("receive")

    @property
    def announcement(self) -> int:
        """One message may become several events, see storage/ledger/parting.py."""
        return self.span_id("announce", self._event_id)

    def span_id(self, *parts: object) -> int:
        """The id of the span with this name in this trace."""
        return _number(b"\0".join((self._key, *(str(part).encode("utf-8", "surrogatepass") for part in parts))), 8)


def of_attempt(claimed: Claimed) -> tuple[TraceIds, int]:
    """The trace of a delivery, and the id of the span of the attempt now being made."""
    ids = TraceIds(claimed.source, claimed.message_id, claimed.event_id, claimed.received_at)
    return ids, ids.span_id("attempt", claimed.webhook_id, claimed.attempt)


def traceparent(claimed: Claimed, sampled: Callable[[int], bool]) -> str:
    """The header that makes what a receiver does a part of this attempt (W3C Trace Context, version 00)."""
    ids, span_id = of_attempt(claimed)
    return f"00-{ids.trace_id:032x}-{span_id:016x}-{int(sampled(ids.trace_id)):02x}"


def _number(data: bytes, size: int) -> int:
    return int.from_bytes(blake2b(data, digest_size=size, person=b"itsjustintv").digest()) or 1


@dataclass(frozen=True, slots=True)
class Announcing:
    """The announcement that the running task works on."""

    event_id: int
    ids: TraceIds
    began: float
    """Seconds of the monotonic clock."""


def begin_announcing(event_id: int, ids: TraceIds, began: float) -> None:
    """Say what the running task, and all that it starts, works on from now on."""
    _announcing.set(Announcing(event_id, ids, began))


def announcing() -> Announcing | None:
    """What the running task works on. A question that serves several announcements belongs to the first of them."""
    return _announcing.get()


def announcing_for(event_id: int, now: float) -> float:
    """For how many seconds the running task has worked on that event; 0 if it does not."""
    current = _announcing.get()
    return now - current.began if current is not None and current.event_id == event_id else 0.0
