"""What the engine's parts tell whoever measures them, and the seam through which they do.

While nobody measures, a part pays one `is not None`. Whoever is told must neither raise nor wait.
"""

from __future__ import annotations

from typing import Literal, Protocol

from itsjustintv_desktop.engine.core.errors import LedgerError
from itsjustintv_desktop.engine.core.models import StreamEvent
from itsjustintv_desktop.engine.storage.ledger.records import Claimed, EventRecord, Finish

Taken = Literal["new", "known", "failed"]
"""What became of an event on its way into the ledger."""


def taken(outcome: bool | LedgerError) -> Taken:
    """The word for what `Incoming.settle` is told."""
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
