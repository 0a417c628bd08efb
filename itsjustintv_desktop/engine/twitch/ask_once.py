"""Asking Twitch which channels the streamers of a config are, without an engine: for `config check`."""

from __future__ import annotations

from itsjustintv_desktop.engine.config.endpoints import Endpoints
from itsjustintv_desktop.engine.config.schema import Config
from itsjustintv_desktop.engine.core.clock import SystemClock
from itsjustintv_desktop.engine.core.net.client import Outbound
from itsjustintv_desktop.engine.core.net.proxies import Proxies
from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.engine.twitch.channel_lookup import LookupResult, look_up_channels
from itsjustintv_desktop.engine.twitch.client import HelixClient
from itsjustintv_desktop.engine.twitch.clock_skew import ClockSkew
from itsjustintv_desktop.engine.twitch.helix import Helix
from itsjustintv_desktop.engine.twitch.http import TwitchHttp
from itsjustintv_desktop.engine.twitch.oauth import Credentials
from itsjustintv_desktop.engine.twitch.tokens import AppTokens


class _NothingKept:
    async def get(self, _name: str) -> str | None:
        return None

    async def set(self, _name: str, _value: str) -> None:
        return None


async def who_is(config: Config, endpoints: Endpoints, proxies: Proxies) -> LookupResult:
    """With the client id and secret as they stand in the config. Never raises for what Twitch answers."""
    clock, tasks = SystemClock(), Tasks()
    http = TwitchHttp(clock=clock, skew=ClockSkew(), outbound=Outbound(proxies=proxies))

    async def credentials() -> Credentials:
        return Credentials(config.twitch.client_id, config.twitch.client_secret)

    tokens = AppTokens(
        http=http,
        auth_url=endpoints.auth_url,
        credentials=credentials,
        store=_NothingKept(),
        tasks=tasks,
        clock=clock,
    )
    helix = Helix(HelixClient(http=http, tokens=tokens, api_url=endpoints.api_url, clock=clock))
    try:
        return await look_up_channels(helix, config.streamers.values())
    finally:
        await http.close()
        await tasks.stop()
