"""A simulator on a free port, a client with a token, and callbacks that answer as told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from itsjustintv_desktop.simulator import Simulator
from tests.support.waiting import until


class SteppingClock:
    """Wall clock that only moves when told; sleepers wake as it passes them."""

    def __init__(self, now: float = 1_790_000_000.25) -> None:
        self._now = now
        self._sleepers: list[tuple[float, asyncio.Event]] = []

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.Event()
        self._sleepers.append((self._now + seconds, woken))
        try:
            await woken.wait()
        finally:
            self._sleepers = [(due, other) for due, other in self._sleepers if other is not woken]

    @property
    def sleeping(self) -> list[float]:
        """Seconds each sleeper still has to sleep."""
        return [due - self._now for due, woken in self._sleepers if not woken.is_set()]

    def advance(self, seconds: float) -> None:
        self._now += seconds
        for due, woken in self._sleepers:
            if due <= self._now:
                woken.set()

    def set_back(self, seconds: float) -> None:
        """The wall clock is set to another time; whoever sleeps sleeps on for as long."""
        self._now -= seconds
        self._sleepers = [(due - seconds, woken) for due, woken in self._sleepers]

    async def sleeps(self, seconds: float) -> None:
        """Wait until somebody has that long to sleep."""
        await until(lambda: any(abs(left - seconds) < 0.001 for left in self.sleeping), what=f"a sleep of {seconds} s")


class Callback:
    """A callback of EventSub. `answers` are the statuses of the next notifications, then 204."""

    def __init__(self) -> None:
        self.url = ""
        self.challenge_answer: str | None = None
        self.challenge_type = "text/plain"
        self.answers: list[int] = []
        self.free = asyncio.Event()
        """While this is not set, notifications get no answer."""
        self.free.set()
        self.got: list[tuple[dict[str, str], bytes]] = []

    def kinds(self) -> list[str]:
        return [headers["Twitch-Eventsub-Message-Type"] for headers, _ in self.got]

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.got.append((dict(request.headers), body))
        if request.headers["Twitch-Eventsub-Message-Type"] == "webhook_callback_verification":
            right = (await request.json())["challenge"]
            text = right if self.challenge_answer is None else self.challenge_answer
            return web.Response(text=text, content_type=self.challenge_type)
        await self.free.wait()
        status = self.answers.pop(0) if self.answers else 204
        return web.Response(status=status, headers={"Location": "/elsewhere"} if status == 302 else {})


class Client:
    """Helix with the right headers."""

    def __init__(self, sim: Simulator, session: aiohttp.ClientSession) -> None:
        self.sim = sim
        self.session = session
        self.headers = {"Client-Id": sim.client_id, "Authorization": f"Bearer {sim.tokens.issue()}"}

    async def ask(
        self, path: str, params: Any = None, *, method: str = "GET", json: Any = None
    ) -> tuple[int, Any, Any]:
        """Status, JSON (None for an empty body), headers."""
        async with self.session.request(
            method, self.sim.api_url + path, params=params, json=json, headers=self.headers
        ) as response:
            data = await response.json() if await response.read() else None
            return response.status, data, response.headers


@pytest.fixture
def clock() -> SteppingClock:
    return SteppingClock()


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(resend_delays=(0.01, 0.01), failures_allowed=2, answer_timeout=2.0) as simulator:
        yield simulator


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as made:
        yield made


@pytest.fixture
def client(sim: Simulator, session: aiohttp.ClientSession) -> Client:
    return Client(sim, session)


@pytest.fixture
async def serve() -> AsyncIterator[Callable[[], Awaitable[Callback]]]:
    runners: list[web.AppRunner] = []

    async def start() -> Callback:
        callback, app = Callback(), web.Application()
        app.router.add_post("/twitch", callback.handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        runners.append(runner)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        callback.url = f"http://127.0.0.1:{runner.addresses[0][1]}/twitch"
        return callback

    yield start
    for runner in runners:
        await runner.cleanup()


@pytest.fixture
async def callback(serve: Callable[[], Awaitable[Callback]]) -> Callback:
    return await serve()
