"""What a person asks about the subscriptions at Twitch."""

from __future__ import annotations

import msgspec
import structlog

from itsjustintv_desktop.engine.api.channels import Channels
from itsjustintv_desktop.engine.config.active import ConfigHolder
from itsjustintv_desktop.engine.core.errors import NotFoundError, SecretsError, TwitchError, UsageError
from itsjustintv_desktop.engine.core.models import Conduit, Target
from itsjustintv_desktop.engine.ingress.manager import IngressManager
from itsjustintv_desktop.engine.ingress.webhook_secret import WebhookSecret
from itsjustintv_desktop.engine.storage.ledger import Ledger
from itsjustintv_desktop.engine.twitch.helix import MOST, Helix
from itsjustintv_desktop.engine.twitch.subscriptions.models import Listing, SubscriptionsStatus, SyncReport, target_of

_log = structlog.get_logger(__name__)


class Subscriptions:
    """Over the reconciler of an engine, listening or not."""

    def __init__(
        self,
        ingress: IngressManager,
        signing: WebhookSecret,
        channels: Channels,
        ledger: Ledger,
        helix: Helix,
        config: ConfigHolder,
        *,
        listens: bool,
    ) -> None:
        self._ingress = ingress
        self._signing = signing
        self._channels = channels
        self._ledger = ledger
        self._helix = helix
        self._config = config
        self._listens = listens

    async def list(self) -> Listing:
        """Everything that Twitch holds for the client id. Raises TwitchError, SecretsError, LedgerError."""
        holdings, views = await self._ingress.subscriptions.listing()
        logins = await self._logins({view.user_id for view in views if view.user_id})
        return Listing(
            subscriptions=tuple(msgspec.structs.replace(view, login=logins.get(view.user_id, "")) for view in views),
            total_cost=holdings.total_cost,
            max_total_cost=holdings.max_total_cost,
        )

    async def status(self) -> SubscriptionsStatus:
        """How the reconciler is, or how far its round."""
        return self._ingress.subscriptions.status

    async def sync(self, new_secret: bool = False) -> SyncReport:
        """One round now; first a new webhook secret, if wished. Takes minutes for a thousand channels.

        Raises UsageError where it cannot be done, TwitchError, SecretsError, LedgerError.
        """
        if new_secret and self._config.current.config.twitch.transport == "conduit":
            raise UsageError('Nothing is signed over a conduit ([twitch] transport = "conduit"): it needs no secret.')
        target = None if self._listens else await self._last_target()
        if new_secret:
            status = self._ingress.way.status
            if self._ingress.way.target is None:  # made anew later, the subscriptions would be refused in between
                why = f"{status.message} {status.fix}".strip()
                raise UsageError(f"The webhook secret stays as it is: Twitch cannot reach this program. {why}")
            await self._signing.rotate()
        await self._channels.looked_up()
        return await self._ingress.subscriptions.sync(target)

    async def delete(self, subscription_id: str) -> None:
        """Raises NotFoundError, TwitchError, SecretsError, LedgerError."""
        if not await self._ingress.subscriptions.delete(subscription_id):
            raise NotFoundError(f"Twitch holds no subscription {subscription_id}.")

    async def _last_target(self) -> Target:
        """Where to point while the program does not run. Raises UsageError if it has to."""
        if self._config.current.config.twitch.transport == "conduit":
            for text in await self._ledger.targets():
                target = target_of(text)
                if isinstance(target, Conduit):
                    return target
            raise UsageError("There is no conduit yet. Start the program once: it makes one.")
        raise UsageError(
            "The program has to run for this: Twitch asks every address whether it is ours, and nobody would answer. "
            "Start it; it makes what is missing by itself."
        )

    async def _logins(self, ids: set[str]) -> dict[str, str]:
        """By user id; those that are neither watched nor told by Twitch now are left out."""
        logins = {channel.user_id: channel.login for channel in self._config.current.resolved.values()}
        unknown = sorted(ids - logins.keys())[: 5 * MOST]
        try:
            logins.update((user.id, user.login) for user in await self._helix.users(ids=unknown))
        except (TwitchError, SecretsError) as error:
            _log.info("some channels are shown without their name", reason=error.message)
        return logins
