"""All that talks to Twitch, put together."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from itsjustintv_desktop.engine.config.active import ConfigHolder
from itsjustintv_desktop.engine.config.endpoints import Endpoints
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import SecretsError, TwitchError
from itsjustintv_desktop.engine.core.log_throttle import FailureLog, LogThrottle
from itsjustintv_desktop.engine.core.net.client import Outbound
from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.engine.core.status import Level, Status
from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.engine.instrumentation import Instrumentation
from itsjustintv_desktop.engine.storage.image_cache import ImageCache, picture_of
from itsjustintv_desktop.engine.storage.ledger import Ledger
from itsjustintv_desktop.engine.storage.secrets import SecretStore, SecretValues
from itsjustintv_desktop.engine.twitch.channels import ChannelDirectory
from itsjustintv_desktop.engine.twitch.client import HelixClient
from itsjustintv_desktop.engine.twitch.enrichment import TwitchEnricher
from itsjustintv_desktop.engine.twitch.helix import Helix
from itsjustintv_desktop.engine.twitch.http import ClockSkew, TwitchHttp
from itsjustintv_desktop.engine.twitch.profiles import BackgroundRefresh, ProfileImages, Profiles
from itsjustintv_desktop.engine.twitch.subscriptions import SubscriptionsApi
from itsjustintv_desktop.engine.twitch.tokens import AppTokens, Credentials

_SAY_EVERY = 600.0
"""Seconds between two lines that Twitch's time cannot be asked for."""
_ASK_TIME_EVERY = 2.0
"""Least seconds between two questions for it: each message out of time wants one."""

_log = structlog.get_logger(__name__)


class Twitch:
    """Built without any contact; the owner runs `tokens.keep_valid`, `directory.run` and `background_refresh.run`."""

    def __init__(
        self,
        ledger: Ledger,
        store: SecretStore,
        values: SecretValues,
        *,
        paths: Paths,
        endpoints: Endpoints,
        config: ConfigHolder,
        busy: Callable[[], bool],
        tasks: Tasks,
        clock: Clock,
        outbound: Outbound,
        instrumentation: Instrumentation | None = None,
    ) -> None:
        """`busy`: announcements are on their way, so background questions wait. Tasks outlive none of this."""
        self._config = config
        self._ledger = ledger
        self._tasks = tasks
        self.skew = ClockSkew()
        self._timeless = FailureLog(clock, _SAY_EVERY)
        self._time_asked = LogThrottle(clock, _ASK_TIME_EVERY)
        self._http = TwitchHttp(clock=clock, skew=self.skew, outbound=outbound)

        async def credentials() -> Credentials:
            client_id = config.current.config.twitch.client_id
            # Without an id a secret is of no use, so the keyring is not asked for one.
            secret = await values.client_secret() if client_id else None
            return Credentials(client_id, secret or "")

        self.tokens = AppTokens(
            http=self._http,
            auth_url=endpoints.auth_url,
            credentials=credentials,
            store=store,
            tasks=tasks,
            clock=clock,
        )
        self.client = HelixClient(
            http=self._http, tokens=self.tokens, api_url=endpoints.api_url, clock=clock, instrumentation=instrumentation
        )
        self.helix = Helix(self.client)
        self.profiles = Profiles(ledger, tasks=tasks, clock=clock)
        self.images = ImageCache(paths.images, outbound=outbound, clock=clock)
        avatars = ProfileImages(
            self.images, self.profiles, clock=clock, ttl=lambda: config.current.config.cache.image_ttl
        )
        self.enricher = TwitchEnricher(
            self.helix, self.profiles, avatars, tasks=tasks, clock=clock, has_ended=ledger.told_over
        )
        self.background_refresh = BackgroundRefresh(self.helix, self.profiles, avatars, busy=busy, clock=clock)
        self.directory = ChannelDirectory(self.helix, self.profiles, ledger, config=config, clock=clock)

    async def close(self) -> None:
        """Ask nothing more, close the connections for good, keep what was learnt."""
        self.enricher.close()
        await self.images.close()
        await self._http.close()
        await self._tasks.stop()  # a question that was begun while the program stopped
        await self.profiles.save()

    def unsubscribe(self, subscription_id: str) -> None:
        """Delete a subscription that is no longer needed, in the background."""
        self._tasks.start("twitch.unsubscribe", self._unsubscribe(subscription_id))

    async def _unsubscribe(self, subscription_id: str) -> None:
        try:
            await SubscriptionsApi(self.client).delete(subscription_id)
        except (TwitchError, SecretsError) as error:
            _log.info("a subscription nobody needs could not be deleted", reason=error.message)
        else:
            _log.info("a subscription nobody needs was deleted", subscription=subscription_id)

    def look_at_clock(self) -> None:
        """`measure_clock` in the background."""
        self._tasks.start("twitch.clock", self.measure_clock())

    async def measure_clock(self) -> None:
        """Ask Twitch anything, but not again and again: each answer shows how wrong this machine's clock is."""
        if self._time_asked.due() is None:
            return
        try:
            await self.tokens.validate()
            if self.skew.unconfirmed:
                await self.tokens.validate()
        except (TwitchError, SecretsError) as error:
            if (more := self._timeless.failed(error.message)) is not None:
                _log.warning("Twitch's time could not be asked for", reason=error.message, tries_left_out=more)
        else:
            if self._timeless.worked():
                _log.info("Twitch's time can be asked for again")

    async def purge_images(self) -> None:
        """Remove pictures that no channel has and no event of the history names. Raises LedgerError."""
        ttl = self._config.current.config.cache.image_ttl
        unwanted = await self.images.unused(ttl) - self.profiles.images()
        before: int | None = None
        # Deliveries of those events may still be sent, or sent again, and the feed shows them.
        while unwanted and (page := await self._ledger.events(before=before)):
            before = page[-1].id
            unwanted -= {picture_of(record.payload) for record in page if record.payload is not None}
        await self.images.purge(unwanted, ttl=ttl)

    def health(self) -> Status:
        """Token and API together: without the one the other does not answer."""
        if not self._config.current.config.twitch.client_id:
            return Status(Level.WAITING, "No [twitch] client_id is set.")
        if problem := self.client.status.last_error:
            return Status(Level.FAILING, problem, self.client.status.since)
        problem = self.skew.describe() or " ".join(self.directory.problems)
        return Status(Level.WAITING if problem else Level.OK, problem)
