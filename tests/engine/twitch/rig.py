"""The Twitch client side put together against the simulator, and a clock that jumps instead of waiting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import LedgerError, SecretsError
from itsjustintv_desktop.engine.core.net.client import Outbound
from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.engine.twitch.client import HelixClient
from itsjustintv_desktop.engine.twitch.helix import Helix
from itsjustintv_desktop.engine.twitch.http import ClockSkew, TwitchHttp
from itsjustintv_desktop.engine.twitch.tokens import AppTokens, Credentials
from itsjustintv_desktop.simulator.server import Simulator


class JumpingClock:
    """Sleeping moves this clock on at once, so that an hour passes within one turn of the loop.

    Once `stop_when` says so, `wait` no longer moves it: `stopped` is set, and time stands still.
    """

    def __init__(self, start: float = 1_790_000_000.0) -> None:
        self.wall = start
        self.mono = 1000.0
        self.slept: list[float] = []
        self.stop_when: Callable[[], bool] = lambda: False
        self.stopped = asyncio.Event()

    def now(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        return self.mono

    def boottime(self) -> float:
        return self.mono

    def advance(self, seconds: float) -> None:
        self.wall += seconds
        self.mono += seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)
        await asyncio.sleep(0)

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        if self.stop_when():
            self.stopped.set()
            return await event.wait()
        if not event.is_set():
            await self.sleep(seconds)
        return event.is_set()


class MemoryStore:
    """A token store and a profile store; `broken` makes it fail like the real ones do."""

    def __init__(self) -> None:
        self.items: dict[str, str] = {}
        self.profiles: dict[str, bytes] = {}
        self.broken: SecretsError | LedgerError | None = None

    async def get(self, name: str) -> str | None:
        self._check()
        return self.items.get(name)

    async def set(self, name: str, value: str) -> None:
        self._check()
        self.items[name] = value

    async def load_profiles(self) -> dict[str, bytes]:
        self._check()
        return dict(self.profiles)

    async def save_profiles(self, profiles: Iterable[tuple[str, bytes | None]]) -> None:
        self._check()
        for key, body in profiles:
            if body is None:
                self.profiles.pop(key, None)
            else:
                self.profiles[key] = body

    def _check(self) -> None:
        if self.broken is not None:
            raise self.broken


class Calls:
    """Token, connection and client for calls to the simulator. `credentials` may be exchanged, as a changed config
    does."""

    def __init__(self, simulator: Simulator, clock: Clock, store: MemoryStore) -> None:
        self.simulator = simulator
        self.store = store
        self.tasks = Tasks()
        self.credentials = Credentials(simulator.client_id, simulator.client_secret)
        self._clock = clock
        self.http = TwitchHttp(clock=clock, skew=ClockSkew(), outbound=Outbound())
        self.tokens = self.new_tokens()
        self.client = HelixClient(http=self.http, tokens=self.tokens, api_url=simulator.api_url, clock=clock)

    def new_tokens(self) -> AppTokens:
        return AppTokens(
            http=self.http,
            auth_url=self.simulator.auth_url,
            credentials=self._credentials,
            store=self.store,
            tasks=self.tasks,
            clock=self._clock,
        )

    async def _credentials(self) -> Credentials:
        return self.credentials

    async def close(self) -> None:
        await self.tasks.stop()
        await self.http.close()


class Rig(Calls):
    """With the endpoints, and the clock that jumps."""

    def __init__(self, simulator: Simulator, clock: JumpingClock, store: MemoryStore) -> None:
        super().__init__(simulator, clock, store)
        self.clock = clock
        self.helix = Helix(self.client)


@asynccontextmanager
async def running_rig(*, rate_limit: int = 800) -> AsyncIterator[Rig]:
    clock = JumpingClock()
    async with Simulator(clock=clock, rate_limit=rate_limit) as simulator:
        rig = Rig(simulator, clock, MemoryStore())
        try:
            yield rig
        finally:
            await rig.close()
