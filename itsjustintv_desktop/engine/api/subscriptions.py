"""What a person asks about the subscriptions at Twitch: implements control.actions.SubscriptionActions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import structlog

from itsjustintv_desktop.engine.core.errors import NotFoundError, SecretsError, TwitchError, UsageError
from itsjustintv_desktop.engine.core.models import Conduit, Target
from itsjustintv_desktop.engine.twitch.helix import MOST
from itsjustintv_desktop.engine.twitch.subscriptions.models import Listing, SubscriptionsStatus, SyncReport, target_of

if TYPE_CHECKING:
    from itsjustintv_desktop.engine.engine import Engine

_LOOK_UP_SECONDS = 8.0
"""How long a round of a command waits for the ids of channels that are known by login only."""

_log = structlog.get_logger(__name__)


class ApiSubscriptions:
    """Over the reconciler of an engine, listening or not."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def subscriptions(self) -> Listing:
        """Everything that Twitch holds for the client id. Raises TwitchError, SecretsError, LedgerError."""
        holdings, views = await self._engine.reach.subscriptions.listing()
        logins = await self._logins({view.user_id for view in views if view.user_id})
        return Listing(
            subscriptions=tuple(msgspec.structs.replace(view, login=logins.get(view.user_id, "")) for view in views),
            total_cost=holdings.total_cost,
            max_total_cost=holdings.max_total_cost,
        )

    async def subscriptions_status(self) -> SubscriptionsStatus:
        return self._engine.reach.subscriptions.status

    async def sync_subscriptions(self, new_secret: bool = False) -> SyncReport:
        """One round now. Raises UsageError where it cannot be done, TwitchError, SecretsError, LedgerError."""
        engine = self._engine
        if new_secret and engine.live.config.twitch.transport == "conduit":
            raise UsageError('Nothing is signed over a conduit ([twitch] transport = "conduit"): it needs no secret.')
        target = await self._last_target() if engine.address is None else None
        if new_secret:
            status = engine.reach.way.status
            if engine.reach.way.target is None:  # made anew later, the subscriptions would be refused in between
                why = f"{status.message} {status.fix}".strip()
                raise UsageError(f"The webhook secret stays as it is: Twitch cannot reach this program. {why}")
            await engine.signing.rotate()
        await engine.channels_looked_up(_LOOK_UP_SECONDS)
        return await engine.reach.subscriptions.sync(target)

    async def delete_subscription(self, subscription_id: str) -> None:
        """Raises NotFoundError, TwitchError, SecretsError, LedgerError."""
        if not await self._engine.reach.subscriptions.delete(subscription_id):
            raise NotFoundError(f"Twitch holds no subscription {subscription_id}.")

    async def _last_target(self) -> Target:
        """Where to point while the program does not run. Raises UsageError if it has to."""
        if self._engine.live.config.twitch.transport == "conduit":
            for text in await self._engine.ledger.targets():
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
        engine = self._engine
        logins = {channel.user_id: channel.login for channel in engine.live.resolved.values()}
        unknown = sorted(ids - logins.keys())[: 5 * MOST]
        try:
            logins.update((user.id, user.login) for user in await engine.twitch.helix.users(ids=unknown))
        except (TwitchError, SecretsError) as error:
            _log.info("some channels are shown without their name", reason=error.message)
        return logins
