"""What a person may ask of an engine, in the window or with a command: one attribute an area."""

from __future__ import annotations

from dataclasses import dataclass

from itsjustintv_desktop.engine.api.announcements import Announcements
from itsjustintv_desktop.engine.api.channels import Channels
from itsjustintv_desktop.engine.api.connection import Connection
from itsjustintv_desktop.engine.api.deliveries import Deliveries
from itsjustintv_desktop.engine.api.delivery_details import DetailsReader
from itsjustintv_desktop.engine.api.destinations import Destinations
from itsjustintv_desktop.engine.api.diagnostics import Diagnostics
from itsjustintv_desktop.engine.api.events import Events
from itsjustintv_desktop.engine.api.feed import Feed
from itsjustintv_desktop.engine.api.settings.settings import Settings
from itsjustintv_desktop.engine.api.snapshot import SnapshotReader
from itsjustintv_desktop.engine.api.statistics import Counter
from itsjustintv_desktop.engine.api.subscriptions import Subscriptions
from itsjustintv_desktop.engine.api.support import Support
from itsjustintv_desktop.engine.ingress.conduit import ConduitManager
from itsjustintv_desktop.engine.monitoring.updates.check import UpdateCheck


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """One an engine. All of it belongs on the engine's loop, takes and gives plain frozen values, and raises AppError
    only."""

    announcements: Announcements
    channels: Channels
    conduits: ConduitManager
    connection: Connection
    deliveries: Deliveries
    delivery_details: DetailsReader
    destinations: Destinations
    diagnostics: Diagnostics
    events: Events
    feed: Feed
    settings: Settings
    snapshot: SnapshotReader
    statistics: Counter
    subscriptions: Subscriptions
    support: Support
    updates: UpdateCheck
