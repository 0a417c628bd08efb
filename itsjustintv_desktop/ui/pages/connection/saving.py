"""A way that was looked at is put into force: secrets to the keyring, the rest into the config."""

from __future__ import annotations

from typing import TYPE_CHECKING

from itsjustintv_desktop.ui.bridge import Bridge
from itsjustintv_desktop.ui.pages.connection.transport_choice import AUTHTOKEN, CLIENT_SECRET, Wanted, changes_of

if TYPE_CHECKING:
    from itsjustintv_desktop.engine import Saved


async def save(bridge: Bridge, wanted: Wanted) -> Saved:
    """Secrets first: a way that comes up without them would only complain. Raises what the engine raises."""
    secret, token = wanted.draft.client_secret, wanted.draft.authtoken
    if secret:
        await bridge.call(lambda engine: engine.api.settings.keep_secret(CLIENT_SECRET, secret))
    if token:
        await bridge.call(lambda engine: engine.api.settings.keep_secret(AUTHTOKEN, token))
    return await bridge.call(lambda engine: engine.api.settings.edit(changes_of(wanted)))
