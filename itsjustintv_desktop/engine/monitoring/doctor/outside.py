"""What the doctor has to ask outside of this process: Twitch, and the address Twitch posts to. Each has a deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import msgspec
import structlog

from itsjustintv_desktop.engine.config.schema import Streamer
from itsjustintv_desktop.engine.core.errors import AppError, LedgerError, SecretsError, TwitchError
from itsjustintv_desktop.engine.core.models import Webhook
from itsjustintv_desktop.engine.core.net.trust import Trust
from itsjustintv_desktop.engine.ingress.transports.status import TransportState
from itsjustintv_desktop.engine.monitoring.doctor.probe import Probe, Probed
from itsjustintv_desktop.engine.twitch.subscriptions import ChannelStatus
from itsjustintv_desktop.engine.twitch.subscriptions.models import ENABLED, KINDS, target_text

if TYPE_CHECKING:
    from itsjustintv_desktop.engine.engine import Engine

TWITCH_SECONDS = 15.0
"""For each thing that Twitch is asked."""
FIRST_LOOK_SECONDS = 8.0
RECENT_SECONDS = 60.0
LEDGER_SECONDS = 5.0

T = TypeVar("T")

_log = structlog.get_logger(__name__)


class Heard(NamedTuple):
    """None: not known."""

    problem: AppError | None
    held: frozenset[str] | None
    tags: Mapping[str, tuple[str, ...]]
    probe: Probed | None


class Outside:
    """Remembers what it heard last, and the probe when it asked."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._last: tuple[float, tuple[object, ...], Heard] | None = None
        """When, what it depends on, and what was heard."""
        self._heard: tuple[float, tuple[object, ...], Heard] | None = None
        """The same, also while it is not good enough for another question."""
        self._probe = Probe(engine.clock, engine.well_known, Trust().context)

    @property
    def heard(self) -> tuple[float, Heard] | None:
        """What was heard last about all streamers, and when (Unix seconds); None where that holds no more."""
        if self._heard is None or self._heard[1] != self._depends_on():
            return None
        at, _, heard = self._heard
        return self._engine.now() - (self._engine.clock.monotonic() - at), heard

    async def ask(self, wanted: tuple[Streamer, ...], *, recent: bool, keep: bool) -> Heard:
        """`recent`: what was heard in the last minute will do, unless something it depends on is another. `keep`: for
        the next time; `wanted` is all streamers."""
        clock, depends_on = self._engine.clock, self._depends_on()
        if recent and self._last is not None:
            at, of, heard = self._last
            if of == depends_on and clock.monotonic() - at < RECENT_SECONDS:
                return heard
        twitch, probe = await asyncio.gather(self._ask_twitch(wanted), self._probed())
        heard = Heard(*twitch, probe)
        if keep:
            self._heard = (clock.monotonic(), depends_on, heard)
        if any(self._is_gone(streamer, heard.held) for streamer in wanted):
            self._engine.reach.subscriptions.trigger("doctor")
            self._last = None  # that is being mended
        elif keep:
            self._last = self._heard
        return heard

    def _is_gone(self, streamer: Streamer, held: frozenset[str] | None) -> bool:
        """We think that it is subscribed to, and Twitch does not."""
        user_id = user_id_of(self._engine, streamer)
        state = self._engine.reach.subscriptions.states.get(user_id)
        return held is not None and user_id not in held and state is not None and state.status is ChannelStatus.OK

    def _depends_on(self) -> tuple[object, ...]:
        """What else than time makes an answer from outside worth nothing."""
        engine = self._engine
        config = engine.live.config
        return (
            config.twitch,
            tuple((key, user_id_of(engine, one), one.enabled, one.tag_filter) for key, one in config.streamers.items()),
            engine.reach.way.status,
            msgspec.structs.replace(engine.reach.subscriptions.status, last_round=None, next_round=None),
            engine.secrets.state,
            engine.address,
        )

    async def _ask_twitch(
        self, wanted: tuple[Streamer, ...]
    ) -> tuple[AppError | None, frozenset[str] | None, Mapping[str, tuple[str, ...]]]:
        if not self._engine.live.config.twitch.client_id:
            return None, None, {}
        problem = await self._token_problem()
        if problem is not None:
            return problem, None, {}
        await self._engine.channels_looked_up(FIRST_LOOK_SECONDS)
        return None, *await asyncio.gather(self._held(), self._tags(wanted))

    async def _token_problem(self) -> AppError | None:
        try:
            async with asyncio.timeout(2 * TWITCH_SECONDS):  # perhaps a new token first
                await self._engine.twitch.tokens.validate()
        except TimeoutError:
            return TwitchError("It did not answer in time.")
        except (TwitchError, SecretsError) as error:
            self._engine.twitch.client.failed(error)
            return error
        return None

    async def _held(self) -> frozenset[str] | None:
        """User ids for which Twitch holds every subscription, enabled and pointing here; None = not known."""
        reach = self._engine.reach
        target = target_text(reach.way.target) if reach.way.target is not None else None
        if target is None and self._engine.address is None:
            target = next(iter(await unless_broken(self._engine.ledger.targets()) or ()), None)
        if target is None:
            return None
        try:
            async with asyncio.timeout(TWITCH_SECONDS):
                _, views = await reach.subscriptions.listing()
        except (TwitchError, SecretsError, LedgerError, TimeoutError) as error:
            _log.info("the doctor could not list the subscriptions", reason=getattr(error, "message", "too late"))
            return None
        there = {(one.type, one.user_id) for one in views if one.status == ENABLED and one.target == target}
        return frozenset(user for _, user in there if all((type_, user) in there for type_, _ in KINDS))

    async def _tags(self, wanted: Iterable[Streamer]) -> dict[str, tuple[str, ...]]:
        """By user id, what the channels with a filter are tagged with now."""
        ids = [user_id_of(self._engine, one) for one in wanted if one.enabled and one.tag_filter]
        try:
            async with asyncio.timeout(TWITCH_SECONDS):
                channels = await self._engine.twitch.helix.channels(list(filter(None, ids)))
        except (TwitchError, SecretsError, TimeoutError) as error:
            _log.info("the doctor could not look at the tags", reason=getattr(error, "message", "too late"))
            return {}
        return {channel.broadcaster_id: channel.tags or () for channel in channels}

    async def _probed(self) -> Probed | None:
        """Only where Twitch posts to an address, and the way says that it works."""
        way = self._engine.reach.way
        if (
            self._engine.address is None
            or way.status.state is not TransportState.READY
            or not isinstance(way.target, Webhook)
        ):
            return None
        return await self._probe.ask(way.target.callback)


async def unless_broken(asked: Awaitable[T]) -> T | None:
    """What the ledger answers; None while it cannot, which a check of its own tells."""
    try:
        async with asyncio.timeout(LEDGER_SECONDS):
            return await asked
    except (LedgerError, TimeoutError):
        return None


def user_id_of(engine: Engine, streamer: Streamer) -> str:
    """ "" where it is not known yet."""
    channel = engine.live.resolved.get(streamer.key)
    return streamer.user_id or (channel.user_id if channel is not None else "")
