"""What `config check` says of streamers that share a channel, which Twitch alone can tell."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from itsjustintv_desktop.commands.context import AppContext
from itsjustintv_desktop.engine.config.endpoints import Endpoints
from itsjustintv_desktop.engine.config.same_channel import may_be_the_same, remarks
from itsjustintv_desktop.engine.config.schema import KEYRING, Config
from itsjustintv_desktop.engine.core.errors import AppError

if TYPE_CHECKING:
    from itsjustintv_desktop.engine.core.models import Channel

_TWITCH_SECONDS = 4.0
"""How long Twitch is waited for: a machine without a network does not wait for long."""
_RUNNING_SECONDS = 10.0
"""The same for the running program, which may just have begun to ask."""
_NOT_KNOWN = (
    "streamers: some are written by user_id and some by login, and whether two are the same channel could not be asked "
    "of Twitch here; `doctor` tells"
)


def same_channel(app: AppContext, config: Config) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Warnings and notices. Asks the running program, else Twitch where it has to be and the secret is at hand."""
    if len(config.streamers) < 2:
        return (), ()
    known = asyncio.run(_known(app, config))
    enabled = [key for key, each in config.streamers.items() if each.enabled]
    open_question = may_be_the_same(config) and any(key not in known for key in enabled)
    return remarks(config, known), (_NOT_KNOWN,) if open_question else ()


async def _known(app: AppContext, config: Config) -> dict[str, Channel]:
    from itsjustintv_desktop.commands.running import running

    try:
        async with asyncio.timeout(_RUNNING_SECONDS):
            client = await running(app)
            if client is not None:
                async with client:
                    return {each.key: each for each in await client.channels.list()}
        if may_be_the_same(config) and config.twitch.client_id and config.twitch.client_secret not in {"", KEYRING}:
            from itsjustintv_desktop.engine.core.net.proxies import Proxies
            from itsjustintv_desktop.engine.twitch.channels import who_is

            async with asyncio.timeout(_TWITCH_SECONDS):
                return (
                    await who_is(config, Endpoints.from_environ(os.environ), Proxies(os.environ, config.network.proxy))
                ).channels
    except (AppError, TimeoutError):
        pass  # a notice says that it is not known
    return {}
