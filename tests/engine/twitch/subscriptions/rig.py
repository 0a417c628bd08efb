"""The reconciler against the simulator, with a real ledger and a real public port that answers the handshakes."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from itsjustintv_desktop.engine.core.events import Bus, EngineEvent
from itsjustintv_desktop.engine.core.models import Target, Webhook
from itsjustintv_desktop.engine.ingress.places import Limits
from itsjustintv_desktop.engine.twitch.subscriptions import Reconciler, SubscriptionsApi, SyncReport
from itsjustintv_desktop.simulator import Simulator
from itsjustintv_desktop.simulator.subscriptions import Subscription, SubscriptionStatus
from tests.engine.twitch.rig import Calls, MemoryStore
from tests.support.public import PublicRig, public_port
from tests.support.waiting import until


class _Ear(Bus):
    def __init__(self) -> None:
        super().__init__()
        self.heard: list[EngineEvent] = []
        self.on_event: Callable[[], object] = lambda: None

    def publish(self, event: EngineEvent) -> None:
        self.heard.append(event)
        self.on_event()
        super().publish(event)


class Rig(Calls):
    """What tests steer: `target`, `secret`, `watched`, `certain`, the simulator and the clock (which stands still)."""

    def __init__(self, public: PublicRig, simulator: Simulator) -> None:
        super().__init__(simulator, public.clock, MemoryStore())
        self.public = public
        self.clock = public.clock
        self.ledger = public.ledger
        self.bus = _Ear()
        self.api = SubscriptionsApi(self.client)
        self.target: Target | None = Webhook(self.callback())
        self.secret: str | None = public.secrets[0].decode()
        self.watched: Sequence[str] = ()
        self.certain = True
        self.signed: dict[str, str | None] = {}
        """The secret that messages of a subscription were signed with, by its id."""
        self.reconciler = self.new_reconciler()

    def new_reconciler(self) -> Reconciler:
        """As after a restart: it remembers nothing but the ledger."""
        return Reconciler(
            self.api,
            self.ledger,
            target=lambda: self.target,
            watched=lambda: self.watched,
            secret=lambda: self.secret,
            bus=self.bus,
            clock=self.clock,
            dice=lambda: 0.5,
            certain=lambda: self.certain,
            signed_with=lambda held_id: self.signed.get(held_id),
        )

    def callback(self, *, query: str = "") -> str:
        """Where the public port listens; different queries make different callbacks of it."""
        host, port = self.public.address
        return f"http://{host}:{port}/twitch{query}"

    def channels(self, number: int) -> list[str]:
        """Make and watch so many channels; their ids."""
        self.watched = [self.simulator.add_channel(f"channel_{index}").user_id for index in range(number)]
        return list(self.watched)

    @property
    def held(self) -> list[Subscription]:
        return list(self.simulator.eventsub.subscriptions)

    def at(
        self, callback: str | None = None, status: SubscriptionStatus = SubscriptionStatus.ENABLED
    ) -> Counter[tuple[str, str]]:
        """How many of each (type, channel) Twitch holds at that callback (the present one) in that status."""
        where = callback or self.callback()
        return Counter(
            (held.type, held.condition["broadcaster_user_id"])
            for held in self.held
            if held.transport.callback == where and held.status is status
        )

    def wanted(self) -> Counter[tuple[str, str]]:
        return Counter((kind, user) for kind in ("stream.online", "stream.offline") for user in self.watched)

    async def handshakes(self) -> None:
        """All that Twitch asked is answered."""
        await self.simulator.eventsub.idle(10.0)

    def run(self) -> None:
        self.tasks.start("test.reconciler", self.reconciler.run())

    async def begin(self) -> None:
        """Start the loop; its first round is over, and what Twitch asked for is answered."""
        self.run()
        await self.resting()
        await self.handshakes()

    async def sync(self) -> SyncReport:
        """One round by a person's word, and what Twitch asked for is answered."""
        report = await self.reconciler.sync()
        await self.handshakes()
        return report

    async def resting(self) -> float:
        """Wait until the loop rests; the seconds it means to."""
        await until(lambda: self.clock.sleeping and not self.reconciler._lock.locked(), what="it rests")
        return self.clock.sleeping[0]

    async def on(self, seconds: float) -> float:
        """Let time go on while it rests, then wait until it rests again."""
        rounds = self.reconciler.status.last_round
        self.clock.advance(seconds)
        await until(lambda: self.reconciler.status.last_round != rounds, what="another round")
        return await self.resting()

    async def nudged(self, reason: str = "test") -> float:
        """Nudge it and wait until the round is over."""
        rounds = self.reconciler.status.last_round
        self.reconciler.trigger(reason)
        await until(lambda: self.clock.sleeping == [1.0], what="it gathers nudges")
        self.clock.advance(1.0)
        await until(lambda: self.reconciler.status.last_round != rounds, what="another round")
        return await self.resting()


@asynccontextmanager
async def running(folder: Path, *, rate_limit: int = 800) -> AsyncIterator[Rig]:
    async with (
        public_port(folder, Limits()) as public,
        Simulator(clock=public.clock, rate_limit=rate_limit, resend_delays=(0.0,)) as simulator,
    ):
        rig = Rig(public, simulator)
        try:
            yield rig
        finally:
            await rig.close()
