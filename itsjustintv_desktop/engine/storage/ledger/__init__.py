"""The ledger: see ledger.py."""

from itsjustintv_desktop.engine.storage.ledger.announcing import FEED
from itsjustintv_desktop.engine.storage.ledger.ledger import Ledger
from itsjustintv_desktop.engine.storage.ledger.records import (
    Announced,
    ClaimBatch,
    Claimed,
    Counts,
    EventOutcome,
    EventRecord,
    FeedEntry,
    Finish,
)

__all__ = [
    "FEED",
    "Announced",
    "ClaimBatch",
    "Claimed",
    "Counts",
    "EventOutcome",
    "EventRecord",
    "FeedEntry",
    "Finish",
    "Ledger",
]
