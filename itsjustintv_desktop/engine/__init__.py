"""The engine's whole surface for others (ui/, commands): nothing below this package is imported from outside.

Importing it costs nothing; the parts are loaded when they are asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from itsjustintv_desktop.engine.announce.pause import PauseView as PauseView
    from itsjustintv_desktop.engine.config.load import Remark as Remark
    from itsjustintv_desktop.engine.config.save import Change as Change
    from itsjustintv_desktop.engine.config.save import Remove as Remove
    from itsjustintv_desktop.engine.config.save import Rename as Rename
    from itsjustintv_desktop.engine.config.save import Set as Set
    from itsjustintv_desktop.engine.config.validators import new_standard_secret as new_standard_secret
    from itsjustintv_desktop.engine.control.actions import EventReport as EventReport
    from itsjustintv_desktop.engine.core import errors as errors
    from itsjustintv_desktop.engine.core import events as events
    from itsjustintv_desktop.engine.core import files as files
    from itsjustintv_desktop.engine.core import models as models
    from itsjustintv_desktop.engine.core.paths import Paths as Paths
    from itsjustintv_desktop.engine.core.status import Level as Level
    from itsjustintv_desktop.engine.core.status import OverallStatus as OverallStatus
    from itsjustintv_desktop.engine.core.status import Problem as Problem
    from itsjustintv_desktop.engine.core.status import RowStatus as RowStatus
    from itsjustintv_desktop.engine.core.status import StreamerStatus as StreamerStatus
    from itsjustintv_desktop.engine.desk.details import AttemptView as AttemptView
    from itsjustintv_desktop.engine.desk.details import DeliveryDetails as DeliveryDetails
    from itsjustintv_desktop.engine.desk.details import RequestView as RequestView
    from itsjustintv_desktop.engine.desk.editing.channels import Ignored as Ignored
    from itsjustintv_desktop.engine.desk.editing.channels import Parsed as Parsed
    from itsjustintv_desktop.engine.desk.editing.destinations import DestinationDraft as DestinationDraft
    from itsjustintv_desktop.engine.desk.editing.destinations import DestinationInfo as DestinationInfo
    from itsjustintv_desktop.engine.desk.editing.destinations import DestinationUse as DestinationUse
    from itsjustintv_desktop.engine.desk.editing.documents import Checked as Checked
    from itsjustintv_desktop.engine.desk.editing.documents import Document as Document
    from itsjustintv_desktop.engine.desk.editing.documents import Merged as Merged
    from itsjustintv_desktop.engine.desk.editing.documents import Saved as Saved
    from itsjustintv_desktop.engine.desk.editing.editing import Editing as Editing
    from itsjustintv_desktop.engine.desk.editing.form import FieldInfo as FieldInfo
    from itsjustintv_desktop.engine.desk.editing.look_up import FoundChannel as FoundChannel
    from itsjustintv_desktop.engine.desk.editing.mending import Mending as Mending
    from itsjustintv_desktop.engine.desk.editing.secrets import Revealed as Revealed
    from itsjustintv_desktop.engine.desk.editing.secrets import SecretView as SecretView
    from itsjustintv_desktop.engine.desk.editing.streamers import StreamerDraft as StreamerDraft
    from itsjustintv_desktop.engine.desk.editing.streamers import StreamerLists as StreamerLists
    from itsjustintv_desktop.engine.desk.editing.transfer import ImportPlan as ImportPlan
    from itsjustintv_desktop.engine.desk.editing.transfer import Needed as Needed
    from itsjustintv_desktop.engine.desk.editing.trial import Preview as Preview
    from itsjustintv_desktop.engine.desk.editing.trial import Summary as Summary
    from itsjustintv_desktop.engine.desk.editing.trial import TestResult as TestResult
    from itsjustintv_desktop.engine.desk.editing.way_check import WayDraft as WayDraft
    from itsjustintv_desktop.engine.desk.feed import FeedDelivery as FeedDelivery
    from itsjustintv_desktop.engine.desk.feed import FeedItem as FeedItem
    from itsjustintv_desktop.engine.desk.feed import FeedPage as FeedPage
    from itsjustintv_desktop.engine.desk.lines import LogPage as LogPage
    from itsjustintv_desktop.engine.desk.models import DestinationStatus as DestinationStatus
    from itsjustintv_desktop.engine.desk.models import Numbers as Numbers
    from itsjustintv_desktop.engine.desk.models import Snapshot as Snapshot
    from itsjustintv_desktop.engine.desk.models import StreamerView as StreamerView
    from itsjustintv_desktop.engine.desk.models import WayView as WayView
    from itsjustintv_desktop.engine.desk.queue import DeliveryFilter as DeliveryFilter
    from itsjustintv_desktop.engine.desk.queue import DeliveryIndex as DeliveryIndex
    from itsjustintv_desktop.engine.desk.queue import DeliveryPage as DeliveryPage
    from itsjustintv_desktop.engine.desk.queue import ManyResult as ManyResult
    from itsjustintv_desktop.engine.desk.statistics import DayNumbers as DayNumbers
    from itsjustintv_desktop.engine.desk.statistics import Statistics as Statistics
    from itsjustintv_desktop.engine.engine import Engine as Engine
    from itsjustintv_desktop.engine.engine import EngineOptions as EngineOptions
    from itsjustintv_desktop.engine.logs.recent import LogLine as LogLine
    from itsjustintv_desktop.engine.monitoring.doctor.check import Check as Check
    from itsjustintv_desktop.engine.monitoring.doctor.check import Report as Report
    from itsjustintv_desktop.engine.monitoring.updates.standing import UpdateView as UpdateView
    from itsjustintv_desktop.engine.storage.ledger.changing import Refused as Refused
    from itsjustintv_desktop.engine.storage.secrets.state import SecretsState as SecretsState

_EDITING = "desk.editing"
_PLACES = {
    "engine": ("Engine", "EngineOptions"),
    "core.paths": ("Paths",),
    "announce.pause": ("PauseView",),
    "desk.lines": ("LogPage",),
    "logs.recent": ("LogLine",),
    "monitoring.doctor.check": ("Check", "Report"),
    "control.actions": ("EventReport",),
    "desk.details": ("AttemptView", "DeliveryDetails", "RequestView"),
    "desk.queue": ("DeliveryFilter", "DeliveryIndex", "DeliveryPage", "ManyResult"),
    "storage.ledger.changing": ("Refused",),
    "storage.secrets.state": ("SecretsState",),
    "desk.statistics": ("DayNumbers", "Statistics"),
    "desk.feed": ("FeedDelivery", "FeedItem", "FeedPage"),
    "desk.models": ("DestinationStatus", "Numbers", "Snapshot", "StreamerView", "WayView"),
    "core.status": ("Level", "OverallStatus", "Problem", "RowStatus", "StreamerStatus"),
    "monitoring.updates.standing": ("UpdateView",),
    "config.load": ("Remark",),
    "config.save": ("Change", "Remove", "Rename", "Set"),
    "config.validators": ("new_standard_secret",),
    f"{_EDITING}.channels": ("Ignored", "Parsed"),
    f"{_EDITING}.destinations": ("DestinationDraft", "DestinationInfo", "DestinationUse"),
    f"{_EDITING}.documents": ("Checked", "Document", "Merged", "Saved"),
    f"{_EDITING}.editing": ("Editing",),
    f"{_EDITING}.form": ("FieldInfo",),
    f"{_EDITING}.look_up": ("FoundChannel",),
    f"{_EDITING}.mending": ("Mending",),
    f"{_EDITING}.secrets": ("Revealed", "SecretView"),
    f"{_EDITING}.streamers": ("StreamerDraft", "StreamerLists"),
    f"{_EDITING}.transfer": ("ImportPlan", "Needed"),
    f"{_EDITING}.trial": ("Preview", "Summary", "TestResult"),
    f"{_EDITING}.way_check": ("WayDraft",),
}
"""The names given out, by the module below this package that has them."""
_MODULE_OF = {name: module for module, names in _PLACES.items() for name in names}
_MODULES = frozenset({"errors", "events", "files", "models"})

__all__ = [*_MODULE_OF, *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"{__name__}.core.{name}")
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{module}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
