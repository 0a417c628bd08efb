"""Everything a person edits: one attribute a topic."""

from __future__ import annotations

from dataclasses import dataclass

from itsjustintv_desktop.engine.api.settings.connection_check import ConnectionCheck
from itsjustintv_desktop.engine.api.settings.destinations import Destinations
from itsjustintv_desktop.engine.api.settings.documents import Documents
from itsjustintv_desktop.engine.api.settings.form import Form
from itsjustintv_desktop.engine.api.settings.lookup import ChannelLookup
from itsjustintv_desktop.engine.api.settings.preview import Previews
from itsjustintv_desktop.engine.api.settings.rename import DestinationRename
from itsjustintv_desktop.engine.api.settings.repair import Repair
from itsjustintv_desktop.engine.api.settings.secrets import Secrets
from itsjustintv_desktop.engine.api.settings.streamers import Streamers
from itsjustintv_desktop.engine.api.settings.transfer import Transfer


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All methods belong on the engine's loop, block nothing and raise AppError only. Nothing secret is in what they
    give, but for what `secrets.reveal...` gives."""

    documents: Documents
    repair: Repair
    form: Form
    channels: ChannelLookup
    streamers: Streamers
    destinations: Destinations
    rename: DestinationRename
    preview: Previews
    secrets: Secrets
    transfer: Transfer
    connection_check: ConnectionCheck
