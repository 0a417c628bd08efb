"""The engine's whole surface for others (ui/, commands): nothing below this package is imported from outside.

Importing it costs nothing; the parts are loaded when they are asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from itsjustintv_desktop.engine.announce.pause import PauseView as PauseView
    from itsjustintv_desktop.engine.api.announcements import EventReport as EventReport
    from itsjustintv_desktop.engine.api.deliveries import DeliveryFilter as DeliveryFilter
    from itsjustintv_desktop.engine.api.deliveries import DeliveryPage as DeliveryPage
    from itsjustintv_desktop.engine.api.deliveries import ManyResult as ManyResult
    from itsjustintv_desktop.engine.api.delivery_details import AttemptView as AttemptView
    from itsjustintv_desktop.engine.api.delivery_details import DeliveryDetails as DeliveryDetails
    from itsjustintv_desktop.engine.api.delivery_details import RequestView as RequestView
    from itsjustintv_desktop.engine.api.diagnostics import LogPage as LogPage
    from itsjustintv_desktop.engine.api.feed import FeedDelivery as FeedDelivery
    from itsjustintv_desktop.engine.api.feed import FeedItem as FeedItem
    from itsjustintv_desktop.engine.api.feed import FeedPage as FeedPage
    from itsjustintv_desktop.engine.api.models import DestinationStatus as DestinationStatus
    from itsjustintv_desktop.engine.api.models import Numbers as Numbers
    from itsjustintv_desktop.engine.api.models import Snapshot as Snapshot
    from itsjustintv_desktop.engine.api.models import StreamerView as StreamerView
    from itsjustintv_desktop.engine.api.models import TransportView as TransportView
    from itsjustintv_desktop.engine.api.settings.channels import Ignored as Ignored
    from itsjustintv_desktop.engine.api.settings.channels import Parsed as Parsed
    from itsjustintv_desktop.engine.api.settings.connection_check import TransportDraft as TransportDraft
    from itsjustintv_desktop.engine.api.settings.destination_drafts import DestinationDraft as DestinationDraft
    from itsjustintv_desktop.engine.api.settings.destinations import DestinationInfo as DestinationInfo
    from itsjustintv_desktop.engine.api.settings.destinations import DestinationUse as DestinationUse
    from itsjustintv_desktop.engine.api.settings.documents import Document as Document
    from itsjustintv_desktop.engine.api.settings.documents import Saved as Saved
    from itsjustintv_desktop.engine.api.settings.documents import ValidationResult as ValidationResult
    from itsjustintv_desktop.engine.api.settings.fields import FieldInfo as FieldInfo
    from itsjustintv_desktop.engine.api.settings.lookup import FoundChannel as FoundChannel
    from itsjustintv_desktop.engine.api.settings.preview import Preview as Preview
    from itsjustintv_desktop.engine.api.settings.preview import TestResult as TestResult
    from itsjustintv_desktop.engine.api.settings.repair import ConfigRepair as ConfigRepair
    from itsjustintv_desktop.engine.api.settings.secrets import Revealed as Revealed
    from itsjustintv_desktop.engine.api.settings.secrets import SecretView as SecretView
    from itsjustintv_desktop.engine.api.settings.settings import Settings as Settings
    from itsjustintv_desktop.engine.api.settings.streamers import StreamerDraft as StreamerDraft
    from itsjustintv_desktop.engine.api.settings.streamers import StreamerLists as StreamerLists
    from itsjustintv_desktop.engine.api.settings.transfer import ImportPlan as ImportPlan
    from itsjustintv_desktop.engine.api.settings.transfer import Needed as Needed
    from itsjustintv_desktop.engine.api.statistics import DayNumbers as DayNumbers
    from itsjustintv_desktop.engine.api.statistics import Statistics as Statistics
    from itsjustintv_desktop.engine.assembly import EngineOptions as EngineOptions
    from itsjustintv_desktop.engine.config.load import Remark as Remark
    from itsjustintv_desktop.engine.config.save import Change as Change
    from itsjustintv_desktop.engine.config.save import Remove as Remove
    from itsjustintv_desktop.engine.config.save import Rename as Rename
    from itsjustintv_desktop.engine.config.save import Set as Set
    from itsjustintv_desktop.engine.config.validators import new_standard_secret as new_standard_secret
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
    from itsjustintv_desktop.engine.delivery.formats.base import Summary as Summary
    from itsjustintv_desktop.engine.logs.recent import LogLine as LogLine
    from itsjustintv_desktop.engine.monitoring.doctor.report import Check as Check
    from itsjustintv_desktop.engine.monitoring.doctor.report import Report as Report
    from itsjustintv_desktop.engine.monitoring.updates.check import UpdateView as UpdateView
    from itsjustintv_desktop.engine.running import RunningEngine as RunningEngine
    from itsjustintv_desktop.engine.running import started as started
    from itsjustintv_desktop.engine.storage.ledger.changing import Refused as Refused
    from itsjustintv_desktop.engine.storage.secrets.state import SecretsState as SecretsState

_SETTINGS = "api.settings"
_PLACES = {
    "assembly": ("EngineOptions",),
    "running": ("RunningEngine", "started"),
    "core.paths": ("Paths",),
    "announce.pause": ("PauseView",),
    "api.diagnostics": ("LogPage",),
    "logs.recent": ("LogLine",),
    "monitoring.doctor.report": ("Check", "Report"),
    "api.announcements": ("EventReport",),
    "api.delivery_details": ("AttemptView", "DeliveryDetails", "RequestView"),
    "api.deliveries": ("DeliveryFilter", "DeliveryPage", "ManyResult"),
    "storage.ledger.changing": ("Refused",),
    "storage.secrets.state": ("SecretsState",),
    "api.statistics": ("DayNumbers", "Statistics"),
    "api.feed": ("FeedDelivery", "FeedItem", "FeedPage"),
    "api.models": ("DestinationStatus", "Numbers", "Snapshot", "StreamerView", "TransportView"),
    "core.status": ("Level", "OverallStatus", "Problem", "RowStatus", "StreamerStatus"),
    "monitoring.updates.check": ("UpdateView",),
    "config.load": ("Remark",),
    "delivery.formats.base": ("Summary",),
    "config.save": ("Change", "Remove", "Rename", "Set"),
    "config.validators": ("new_standard_secret",),
    f"{_SETTINGS}.channels": ("Ignored", "Parsed"),
    f"{_SETTINGS}.destination_drafts": ("DestinationDraft",),
    f"{_SETTINGS}.destinations": ("DestinationInfo", "DestinationUse"),
    f"{_SETTINGS}.documents": ("ValidationResult", "Document", "Saved"),
    f"{_SETTINGS}.settings": ("Settings",),
    f"{_SETTINGS}.fields": ("FieldInfo",),
    f"{_SETTINGS}.lookup": ("FoundChannel",),
    f"{_SETTINGS}.repair": ("ConfigRepair",),
    f"{_SETTINGS}.secrets": ("Revealed", "SecretView"),
    f"{_SETTINGS}.streamers": ("StreamerDraft", "StreamerLists"),
    f"{_SETTINGS}.transfer": ("ImportPlan", "Needed"),
    f"{_SETTINGS}.preview": ("Preview", "TestResult"),
    f"{_SETTINGS}.connection_check": ("TransportDraft",),
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
