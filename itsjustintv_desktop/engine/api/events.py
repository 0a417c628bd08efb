"""What the ledger tells a person of its events, a page at a time, newest first: for the window and for the commands."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import Literal, TypeVar

import msgspec

from itsjustintv_desktop.engine.core.models import DeliveryView, EventState
from itsjustintv_desktop.engine.storage.ledger import Ledger
from itsjustintv_desktop.engine.storage.ledger.queries import BITE, EventRow

EventKind = Literal["announced", "suppressed", "missed", "notice"]
"""`missed`: found too late to be announced. `notice`: Twitch ended a subscription, or the ledger was begun anew."""
KINDS: tuple[EventKind, ...] = ("announced", "suppressed", "missed", "notice")

PAGE = 200
SCAN = 2000
"""Most events that one call looks at for a search: then it answers with what it has, and where to go on."""
_AT_A_TIME = 25
"""Events whose deliveries one job of the ledger reads."""
_STATE_OF = {"announced": "announced", "suppressed": "suppressed", "missed": "suppressed", "notice": "noted"}
STATES = frozenset(_STATE_OF.values())

T = TypeVar("T")


class EventView(msgspec.Struct, frozen=True, kw_only=True):
    """One event. What is not known is "" or None; times are Unix seconds."""

    id: int
    at: float
    """When it came in."""
    kind: EventKind
    streamer: str
    """The key in the config; "" where nobody had it."""
    login: str
    name: str
    started_at: float | None
    reason: str
    """A word for programs: filtered, missed, paused, revoked, ..."""
    explanation: str
    test: bool
    deliveries: tuple[DeliveryView, ...]
    """Oldest first; a destination comes again for each resend."""


class EventPage(msgspec.Struct, frozen=True, kw_only=True):
    """`before`: ask with it for what is older; None = that was all. A page may be short, or empty, before the end."""

    events: tuple[EventView, ...]
    before: int | None


def kind_of(row: EventRow) -> EventKind:
    if row.state == EventState.ANNOUNCED:
        return "announced"
    if row.state == EventState.NOTED:
        return "notice"
    return "missed" if row.reason == "missed" else "suppressed"


async def look(
    ledger: Ledger,
    before: int | None,
    limit: int,
    kinds: Collection[EventKind],
    fitting: Callable[[EventRow], T | None],
) -> tuple[list[tuple[EventRow, T]], int | None]:
    """Up to `limit` events (at most PAGE) of those kinds, with what `fitting` made of them, and where to go on.

    Those it made None of are left out. Cut small, so that accepting a message never waits for a long search.
    """
    wanted = set(kinds or KINDS)
    states = {_STATE_OF[kind] for kind in wanted if kind in _STATE_OF}
    limit = max(1, min(limit, PAGE))
    found: list[tuple[EventRow, T]] = []
    looked = 0
    ended = False
    while len(found) < limit and looked < SCAN and not ended:
        rows = await ledger.recent(before, states)
        ended = len(rows) < BITE
        for row in rows:
            looked += 1
            before = row.id
            if kind_of(row) in wanted and (made := fitting(row)) is not None:
                found.append((row, made))
                if len(found) == limit:
                    ended = ended and row is rows[-1]
                    break
        await asyncio.sleep(0)
    return found, None if ended else before


async def deliveries_of(ledger: Ledger, rows: Sequence[EventRow]) -> dict[int, list[DeliveryView]]:
    """By event, oldest first."""
    found: dict[int, list[DeliveryView]] = {}
    with_some = [row.id for row in rows if row.state == EventState.ANNOUNCED]
    for start in range(0, len(with_some), _AT_A_TIME):
        for view in await ledger.deliveries_of(with_some[start : start + _AT_A_TIME]):
            found.setdefault(view.event_id, []).append(view)
    return found


class Events:
    """Over a ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def list(
        self,
        *,
        before: int | None = None,
        kinds: Sequence[EventKind] = (),
        streamer: str | None = None,
        limit: int = PAGE,
    ) -> EventPage:
        """One page of what was announced and what was not, newest first, at most 200. `streamer` is a key of the config
        or a login. Raises LedgerError."""
        wanted = None if streamer is None else streamer.strip().casefold()

        def fits(row: EventRow) -> bool | None:
            names = ((row.streamer or "").casefold(), row.broadcaster_login.casefold())
            return True if wanted is None or wanted in names else None

        found, before = await look(self._ledger, before, limit, kinds, fits)
        rows = [row for row, _ in found]
        deliveries = await deliveries_of(self._ledger, rows)
        return EventPage(events=tuple(_view(row, deliveries.get(row.id, ())) for row in rows), before=before)


def _view(row: EventRow, deliveries: Sequence[DeliveryView]) -> EventView:
    return EventView(
        id=row.id, at=row.received_at, kind=kind_of(row), streamer=row.streamer or "", login=row.broadcaster_login,
        name=row.broadcaster_name, started_at=row.started_at, reason=row.reason or "",
        explanation=row.explanation or "", test=row.test, deliveries=tuple(deliveries),
    )  # fmt: skip
