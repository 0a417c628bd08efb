"""What gauges show, read on the engine's loop: the exporters' threads only ever see the last reading."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, get_args

from itsjustintv_desktop.engine.delivery.breaker import StateName
from itsjustintv_desktop.engine.monitoring.telemetry import metrics

if TYPE_CHECKING:
    from itsjustintv_desktop.engine.engine import Engine

Attributes = Mapping[str, str | int]
Values = list[tuple[float, Attributes]]

_PAGE = 500


async def read(engine: Engine) -> dict[str, Values]:
    """The values of every gauge by name. Raises LedgerError.

    Asks the ledger in small jobs, each of which steps back behind whatever is to be accepted.
    """
    now = engine.now()
    heads = await engine.ledger.waiting_destinations()
    oldest = min((due for _, due in heads), default=now)
    waiting, tried = await _count(engine)
    return {
        metrics.WAITING.name: [(waiting, {})],
        metrics.RETRYING.name: [(tried, {})],
        metrics.OLDEST.name: [(max(0.0, now - oldest), {})],
        metrics.BREAKERS.name: _breakers(engine, now),
    }


async def _count(engine: Engine) -> tuple[int, int]:
    waiting = tried = after = 0
    while True:
        page = await engine.ledger.waiting_page(after, _PAGE)
        waiting += page.waiting
        tried += page.tried
        if page.waiting < _PAGE:
            return waiting, tried
        after = page.last_id


def _breakers(engine: Engine, now: float) -> Values:
    return [
        (int(state == each), {"itsjustintv.destination": name, "itsjustintv.breaker.state": each})
        for name, (state, _) in engine.dispatcher.queues.states(now).items()
        for each in get_args(StateName)
    ]
