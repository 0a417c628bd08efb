"""The engine's whole surface for others (ui/, commands): nothing below this package is imported from outside.

Importing it costs nothing; the parts are loaded when they are asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from itsjustintv_desktop.engine import errors as errors
    from itsjustintv_desktop.engine import events as events
    from itsjustintv_desktop.engine import models as models
    from itsjustintv_desktop.engine.desk.details import AttemptView as AttemptView
    from itsjustintv_desktop.engine.desk.details import DeliveryDetails as DeliveryDetails
    from itsjustintv_desktop.engine.desk.details import RequestView as RequestView
    from itsjustintv_desktop.engine.desk.feed import FeedDelivery as FeedDelivery
    from itsjustintv_desktop.engine.desk.feed import FeedItem as FeedItem
    from itsjustintv_desktop.engine.desk.feed import FeedPage as FeedPage
    from itsjustintv_desktop.engine.desk.models import DestinationStatus as DestinationStatus
    from itsjustintv_desktop.engine.desk.models import Numbers as Numbers
    from itsjustintv_desktop.engine.desk.models import PauseView as PauseView
    from itsjustintv_desktop.engine.desk.models import Snapshot as Snapshot
    from itsjustintv_desktop.engine.desk.models import StreamerView as StreamerView
    from itsjustintv_desktop.engine.desk.models import Trouble as Trouble
    from itsjustintv_desktop.engine.desk.models import WayView as WayView
    from itsjustintv_desktop.engine.desk.queue import DeliveryFilter as DeliveryFilter
    from itsjustintv_desktop.engine.desk.queue import DeliveryIndex as DeliveryIndex
    from itsjustintv_desktop.engine.desk.queue import DeliveryPage as DeliveryPage
    from itsjustintv_desktop.engine.desk.queue import ManyResult as ManyResult
    from itsjustintv_desktop.engine.desk.statistics import DayNumbers as DayNumbers
    from itsjustintv_desktop.engine.desk.statistics import Statistics as Statistics
    from itsjustintv_desktop.engine.engine import Engine as Engine
    from itsjustintv_desktop.engine.engine import EngineOptions as EngineOptions
    from itsjustintv_desktop.engine.paths import Paths as Paths
    from itsjustintv_desktop.engine.storage.ledger.changing import Refused as Refused

_WHERE = {
    "engine": ("Engine", "EngineOptions"),
    "paths": ("Paths",),
    "desk.details": ("AttemptView", "DeliveryDetails", "RequestView"),
    "desk.queue": ("DeliveryFilter", "DeliveryIndex", "DeliveryPage", "ManyResult"),
    "storage.ledger.changing": ("Refused",),
    "desk.statistics": ("DayNumbers", "Statistics"),
    "desk.feed": ("FeedDelivery", "FeedItem", "FeedPage"),
    "desk.models": (
        "DestinationStatus", "Numbers", "PauseView", "Snapshot", "StreamerView", "Trouble", "WayView",
    ),
}  # fmt: skip
"""The names given out, by the module below this package that has them."""
_MODULES = frozenset({"errors", "events", "models"})
_HOME = {name: module for module, names in _WHERE.items() for name in names}

__all__ = [*_HOME, *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(name)
