"""Behind a real reverse proxy: signed messages get through unchanged, and what the proxy adds is never believed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from itsjustintv_desktop.simulator.subscriptions import SubscriptionStatus
from tests.support.engine import Running, running_engine
from tests.support.nginx import nginx
from tests.support.ports import free_port

CONFIG = """
[destinations.main]
url = "RECEIVER/main"
secret = "a-secret-of-this-test"
[streamers.alice]
login = "alice"
destinations = ["main"]
"""


@asynccontextmanager
async def behind_nginx(folder: Path) -> AsyncIterator[tuple[Running, str]]:
    port = free_port()
    async with running_engine(folder, CONFIG, subscribe=False) as running:
        assert running.engine.address is not None
        async with nginx(folder / "nginx", port=port, behind=running.engine.address[1]):
            yield running, f"http://127.0.0.1:{port}"


async def test_a_stream_is_announced_through_the_proxy(tmp_path: Path) -> None:
    async with behind_nginx(tmp_path) as (running, public):
        alice = running.simulator.state.get("alice").user_id
        held = await running.simulator.subscribe(alice, "stream.online", f"{public}/twitch")
        assert held.status is SubscriptionStatus.ENABLED, "the challenge went through as well"
        await running.simulator.go_live("alice")
        await running.settled()
        (hit,) = running.simulator.receiver.accepted("main")
        assert hit.verified


async def test_answers_of_the_contract_survive_the_proxy(tmp_path: Path) -> None:
    async with behind_nginx(tmp_path) as (_, public), aiohttp.ClientSession() as session:
        async with session.post(f"{public}/twitch", data=b"{}", headers={"X-Forwarded-For": "127.0.0.1"}) as answer:
            assert answer.status == 403, "not signed"
        async with session.post(f"{public}/twitch", data=b"x" * 70_000) as answer:
            assert answer.status == 413
        async with session.get(f"{public}/health") as answer:
            assert (answer.status, (await answer.json())["status"]) == (200, "healthy")
        async with session.get(f"{public}/anything") as answer:
            assert (answer.status, await answer.read()) == (404, b"")
