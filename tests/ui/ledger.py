"""Deliveries to show, and a ledger that answers for them as the engine does."""

from __future__ import annotations

import time
from typing import Any

from itsjustintv_desktop.engine import (
    AttemptView,
    DeliveryDetails,
    DeliveryFilter,
    DeliveryPage,
    RequestView,
    errors,
)
from itsjustintv_desktop.engine.core.models import DeliveryState, DeliveryView
from itsjustintv_desktop.ui.pages.deliveries.model import PAGE

PENDING, DELIVERED = DeliveryState.PENDING, DeliveryState.DELIVERED


def delivery(number: int, **details: Any) -> DeliveryView:
    given: dict[str, Any] = {
        "id": number, "webhook_id": f"evt_{number}", "event_id": number, "streamer": "kaffeekasse",
        "destination": "website", "state": DELIVERED, "attempts": 1, "next_at": None, "last_status": 204,
        "last_error": None, "created_at": time.time() - 60,
    }  # fmt: skip
    return DeliveryView(**{**given, **details})


def waiting(number: int, **details: Any) -> DeliveryView:
    given: dict[str, Any] = {
        "state": PENDING, "attempts": 3, "next_at": time.time() + 41.5, "last_status": 503,
        "last_error": "answered 503 Service Unavailable",
    }  # fmt: skip
    return delivery(number, **{**given, **details})


class Ledger:
    """Answers pages and details as the engine does."""

    def __init__(self, *rows: DeliveryView) -> None:
        self.rows = {row.id: row for row in rows}

    def fit(self, wanted: DeliveryFilter) -> list[DeliveryView]:
        return [
            row
            for row in sorted(self.rows.values(), key=lambda row: -row.id)
            if (not wanted.states or row.state in wanted.states)
            and wanted.destination in {None, row.destination}
            and wanted.search in row.streamer + row.destination
        ]

    def page(self, wanted: DeliveryFilter, before: int | None = None, limit: int = PAGE) -> DeliveryPage:
        fit = [row for row in self.fit(wanted) if before is None or row.id < before]
        return DeliveryPage(rows=tuple(fit[:limit]), before=fit[limit - 1].id if len(fit) > limit else None)

    def details(self, delivery_id: int) -> DeliveryDetails:
        if delivery_id not in self.rows:
            raise errors.NotFoundError("There is no such delivery.")
        return details(self.rows[delivery_id])


class Long(Ledger):
    """So many that a sort for each page would take the test's time."""

    def __init__(self, count: int) -> None:
        super().__init__(*(delivery(number) for number in range(1, count + 1)))

    def fit(self, wanted: DeliveryFilter) -> list[DeliveryView]:
        return list(reversed(self.rows.values()))

    def page(self, wanted: DeliveryFilter, before: int | None = None, limit: int = PAGE) -> DeliveryPage:
        top = (before or len(self.rows) + 1) - 1
        rows = tuple(self.rows[each] for each in range(top, max(top - limit, 0), -1))
        return DeliveryPage(rows=rows, before=rows[-1].id if rows and rows[-1].id > 1 else None)


def details(view: DeliveryView) -> DeliveryDetails:
    failed = AttemptView(
        number=1, started_at=time.time() - 61, duration=0.212, status=503, error="answered 503", answer="try later",
        outcome="failed",
    )  # fmt: skip
    request = RequestView(
        method="POST", address="https://example.org/••••••",
        headers=(("webhook-id", view.webhook_id), ("X-Hub-Signature-256", "••••••")),
        body='{\n  "streamer_login": "kaffeekasse"\n}', size=300, signed=True,
    )  # fmt: skip
    return DeliveryDetails(view=view, test=False, attempts=(failed,), request=request, problem="")
