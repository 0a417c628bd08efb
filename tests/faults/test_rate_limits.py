"""Fourteen channels go live together, and their destination takes a few messages at a time only.

All times are those of a clock that hurries, for the engine and the destination alike.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from itsjustintv_desktop.engine.core.models import DeliveryState
from itsjustintv_desktop.engine.delivery.formats.discord import HOSTS as DISCORD_HOSTS
from tests.support.clock import FastClock
from tests.support.engine import Running, running_engine
from tests.support.waiting import until

CHANNELS = tuple(f"channel{number}" for number in range(14))
IN_TIME = 10.0
"""Seconds in which all of them must be there."""


def config(*urls: str, format: str = "discord", each: bool = False) -> str:  # noqa: A002
    """Every channel to all of these; with `each`, one after the other to one of them."""
    names = [f"to{number}" for number in range(len(urls))]
    tables = [
        f'[destinations.{name}]\nurl = "{url}"\nformat = "{format}"' for name, url in zip(names, urls, strict=True)
    ]
    for number, login in enumerate(CHANNELS):
        to = [names[number % len(names)]] if each else names
        tables.append(f'[streamers.{login}]\nlogin = "{login}"\ndestinations = {to}')
    return "\n".join(tables)


@asynccontextmanager
async def hurried(folder: Path) -> AsyncIterator[Running]:
    async with running_engine(folder, "", logins=CHANNELS, clock=FastClock(), one_clock=True) as running:
        yield running


async def all_delivered(running: Running, number: int) -> float:
    """Let them go live and wait; the seconds it took."""
    began = running.clock.monotonic()
    await asyncio.gather(*(running.simulator.go_live(login) for login in CHANNELS))

    async def there() -> bool:
        return len(await running.deliveries(states=[DeliveryState.DELIVERED])) == number

    await until(there, what="all are delivered", timeout=IN_TIME + 10)
    return running.clock.monotonic() - began


@pytest.mark.fault(
    "destinations: Discord takes 5 messages in 2 s, and 14 channels go live together",
    seen="`deliveries list`: all delivered within 10 s, and none was rejected",
)
@pytest.mark.parametrize("path", ["/api/webhooks", "/api/v10/webhooks"])
async def test_a_bucket(tmp_path: Path, path: str) -> None:
    async with hurried(tmp_path) as running:
        url = f"{running.simulator.url}{path}/1/token"
        running.write_config(config(url))
        await running.restart()
        assert await all_delivered(running, 14) < IN_TIME
        discord = running.simulator.discord
        assert (len(discord.taken), discord.rejected) == (14, [])


@pytest.mark.fault(
    "destinations: a rate limit in milliseconds and no other header",
    seen="`deliveries list`: all delivered within 10 s",
)
@pytest.mark.parametrize("path", ["/api/webhooks", "/api/v10/webhooks"])
async def test_a_bucket_that_only_says_so_when_it_rejects(tmp_path: Path, path: str) -> None:
    async with hurried(tmp_path) as running:
        running.simulator.discord.limit_headers = False
        running.write_config(config(f"{running.simulator.url}{path}/1/token"))
        await running.restart()
        assert await all_delivered(running, 14) < IN_TIME
        assert len(running.simulator.discord.taken) == 14


async def test_two_destinations_with_the_same_webhook_share_its_bucket(tmp_path: Path) -> None:
    async with hurried(tmp_path) as running:
        url = f"{running.simulator.url}/api/v10/webhooks/1/token"
        running.write_config(config(url, f"{url}?thread_id=5", each=True))
        await running.restart()
        assert await all_delivered(running, 14) < IN_TIME
        # Both may begin before the first response says what is left.
        assert len(running.simulator.discord.rejected) <= 3


async def test_a_limit_that_holds_everywhere(tmp_path: Path) -> None:
    async with hurried(tmp_path) as running:
        running.simulator.discord.everywhere = 4
        running.write_config(
            config(*(f"{running.simulator.url}/api/v10/webhooks/{n}/token" for n in range(14)), each=True)
        )
        await running.restart()
        assert await all_delivered(running, 14) < IN_TIME
        assert len(running.simulator.discord.rejected) <= 24


@pytest.fixture
def discord_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    real: Callable[..., Any] = socket.getaddrinfo

    def here(host: Any, *details: Any, **more: Any) -> Any:
        return real("127.0.0.1" if host in DISCORD_HOSTS else host, *details, **more)

    monkeypatch.setattr(socket, "getaddrinfo", here)


@pytest.mark.usefixtures("discord_is_here")
async def test_discord_is_called_at_version_10_whatever_was_copied(tmp_path: Path) -> None:
    async with hurried(tmp_path) as running:
        port = running.simulator.url.rpartition(":")[2]
        hosts = sorted(DISCORD_HOSTS)
        urls = [f"http://{host}:{port}/api/webhooks/{n}/token" for n, host in enumerate(hosts)]
        urls += [f"http://discord.com:{port}/api/v{n}/webhooks/{n}{n}/token" for n in (6, 9, 10)]
        running.write_config(config(*urls, each=True))
        await running.restart()
        await all_delivered(running, 14)
        assert all(path.startswith("/api/v10/webhooks/") for path in running.simulator.discord.paths)
        assert len({message.webhook for message in running.simulator.discord.taken}) == len(urls)


@pytest.mark.fault(
    "destinations: Slack takes one message a second, and several channels go live together",
    seen="`deliveries list`: all delivered, one after the other",
)
async def test_slack(tmp_path: Path) -> None:
    async with hurried(tmp_path) as running:
        running.write_config(config(running.simulator.receiver_url("slack"), format="slack"))
        await running.restart()
        for login in CHANNELS[:4]:
            await running.simulator.go_live(login)
        received = await running.simulator.receiver.wait_for(4, "slack")
        gaps = [after.at - before.at for before, after in pairwise(received)]
        assert all(gap > 0.9 for gap in gaps), gaps
