"""What the doctor knows of Twitch and of the way to us: asked for, each question with a deadline, or remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec
import structlog

from itsjustintv_desktop.engine.config.active import ConfigHolder
from itsjustintv_desktop.engine.config.schema import Streamer
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.clock_trust import ClockTrust
from itsjustintv_desktop.engine.core.errors import AppError, LedgerError, SecretsError, TwitchError
from itsjustintv_desktop.engine.core.models import Webhook
from itsjustintv_desktop.engine.ingress.manager import IngressManager
from itsjustintv_desktop.engine.ingress.transports import TransportState
from itsjustintv_desktop.engine.monitoring.doctor.collect_delivery import unless_broken
from itsjustintv_desktop.engine.monitoring.doctor.facts import ReachFacts, StreamerFacts, TwitchFacts
from itsjustintv_desktop.engine.monitoring.doctor.probe import Probe, Probed
from itsjustintv_desktop.engine.storage.ledger import Ledger
from itsjustintv_desktop.engine.storage.secrets import SecretStore
from itsjustintv_desktop.engine.twitch.subscriptions import ChannelStatus
from itsjustintv_desktop.engine.twitch.subscriptions.models import ENABLED, KINDS, target_text
from itsjustintv_desktop.engine.twitch.twitch import Twitch

TWITCH_SECONDS = 15.0
"""For each thing that Twitch is asked."""
FIRST_LOOK_SECONDS = 8.0
RECENT_SECONDS = 60.0

_log = structlog.get_logger(__name__)


class Heard(NamedTuple):
    """None: not known."""

    problem: AppError | None
    held: frozenset[str] | None
    tags: Mapping[str, tuple[str, ...]]
    probe: Probed | None


_UNHEARD = Heard(problem=None, held=None, tags={}, probe=None)


class TwitchCollector:
    """What the parts that talk to Twitch know, beside what was heard just now or lately."""

    def __init__(
        self,
        config: ConfigHolder,
        twitch: Twitch,
        ingress: IngressManager,
        ledger: Ledger,
        clock_trust: ClockTrust,
        outside: Outside,
    ) -> None:
        self._config = config
        self._twitch = twitch
        self._ingress = ingress
        self._ledger = ledger
        self._clock_trust = clock_trust
        self._outside = outside

    async def ask(self, asked: Streamer | None, *, recent: bool) -> Heard:
        """About `asked` or about all streamers. `recent`: see FactCollector.gather."""
        return await self._outside.ask(self._wanted(asked), recent=recent, keep=asked is None)

    @property
    def heard(self) -> Heard:
        """What was heard last about all streamers."""
        at, heard = self._outside.heard or (0.0, _UNHEARD)
        if heard.problem is not None and (self._twitch.client.status.last_ok_at or 0.0) > at:
            return heard._replace(problem=None)
        return heard

    async def last_message(self) -> float | None:
        return await unless_broken(self._ledger.last_message("twitch"))

    def known(self, heard: Heard, *, running: bool) -> TwitchFacts:
        skew = self._twitch.skew
        return TwitchFacts(
            problem=heard.problem,
            api_problem=self._twitch.client.status.error if running else None,
            clock_known=skew.known,
            clock_problem=skew.describe(),
            clock_jumped=self._clock_trust.lately,
            clock_doubted=self._clock_trust.doubtful(),
        )

    def reach(self, heard: Heard, last_message: float | None) -> ReachFacts:
        config = self._config.current.config.twitch
        return ReachFacts(
            way=self._ingress.way.status,
            probe=heard.probe,
            subscriptions=self._ingress.subscriptions.status,
            catch_up=self._ingress.catch_up.status,
            poll_interval=config.poll_interval,
            catch_up_max_age=config.catch_up_max_age,
            last_message=last_message,
        )

    def streamers(self, heard: Heard, asked: Streamer | None) -> tuple[StreamerFacts, ...]:
        return tuple(self._streamer(each, heard) for each in self._wanted(asked))

    def _streamer(self, streamer: Streamer, heard: Heard) -> StreamerFacts:
        active = self._config.current
        user_id, channel = active.user_id(streamer), active.resolved.get(streamer.key)
        return StreamerFacts(
            streamer=streamer,
            login=channel.login if channel is not None else streamer.login or streamer.key,
            user_id=user_id,
            unknown=self._twitch.directory.unknown.get(streamer.key),
            subscription=self._ingress.subscriptions.states.get(user_id),
            held=None if heard.held is None else user_id in heard.held,
            tags=heard.tags.get(user_id),
            destinations=active.destinations_of(streamer),
            all_off=active.has_only_disabled_destinations(streamer),
            same=active.same.get(streamer.key, ()),
        )

    def _wanted(self, asked: Streamer | None) -> tuple[Streamer, ...]:
        return (asked,) if asked is not None else tuple(self._config.current.config.streamers.values())


class Outside:
    """Asks Twitch, and the address Twitch posts to. Remembers what it heard last."""

    def __init__(
        self,
        config: ConfigHolder,
        twitch: Twitch,
        ingress: IngressManager,
        ledger: Ledger,
        store: SecretStore,
        probe: Probe | None,
        clock: Clock,
    ) -> None:
        """`probe` None: nothing listens here that could be reached."""
        self._config = config
        self._twitch = twitch
        self._ingress = ingress
        self._ledger = ledger
        self._store = store
        self._probe = probe
        self._clock = clock
        self._last: tuple[float, tuple[object, ...], Heard] | None = None
        """When, what it depends on, and what was heard."""
        self._heard: tuple[float, tuple[object, ...], Heard] | None = None
        """The same, also while it is not good enough for another question."""

    @property
    def heard(self) -> tuple[float, Heard] | None:
        """What was heard last about all streamers, and when (Unix seconds); None where that holds no more."""
        if self._heard is None or self._heard[1] != self._depends_on():
            return None
        at, _, heard = self._heard
        return self._clock.now() - (self._clock.monotonic() - at), heard

    async def ask(self, wanted: tuple[Streamer, ...], *, recent: bool, keep: bool) -> Heard:
        """`recent`: what was heard in the last minute will do, unless something it depends on is another. `keep`: for
        the next time; `wanted` is all streamers."""
        depends_on = self._depends_on()
        if recent and self._last is not None:
            at, of, heard = self._last
            if of == depends_on and self._clock.monotonic() - at < RECENT_SECONDS:
                return heard
        twitch, probe = await asyncio.gather(self._ask_twitch(wanted), self._probed())
        heard = Heard(*twitch, probe)
        if keep:
            self._heard = (self._clock.monotonic(), depends_on, heard)
        if any(self._is_gone(streamer, heard.held) for streamer in wanted):
            self._ingress.subscriptions.trigger("doctor")
            self._last = None  # that is being mended
        elif keep:
            self._last = self._heard
        return heard

    def _is_gone(self, streamer: Streamer, held: frozenset[str] | None) -> bool:
        """We think that it is subscribed to, and Twitch does not."""
        user_id = self._config.current.user_id(streamer)
        state = self._ingress.subscriptions.states.get(user_id)
        return held is not None and user_id not in held and state is not None and state.status is ChannelStatus.OK

    def _depends_on(self) -> tuple[object, ...]:
        """What else than time makes an answer from outside worth nothing."""
        active = self._config.current
        config, subscriptions = active.config, self._ingress.subscriptions.status
        return (
            config.twitch,
            config.server,
            tuple((key, active.user_id(one), one.enabled, one.tag_filter) for key, one in config.streamers.items()),
            self._ingress.way.status,
            msgspec.structs.replace(subscriptions, last_round=None, next_round=None),
            self._store.state,
        )

    async def _ask_twitch(
        self, wanted: tuple[Streamer, ...]
    ) -> tuple[AppError | None, frozenset[str] | None, Mapping[str, tuple[str, ...]]]:
        if not self._config.current.config.twitch.client_id:
            return None, None, {}
        problem = await self._token_problem()
        if problem is not None:
            return problem, None, {}
        await self._twitch.directory.first_look(FIRST_LOOK_SECONDS)
        return None, *await asyncio.gather(self._held(), self._tags(wanted))

    async def _token_problem(self) -> AppError | None:
        try:
            async with asyncio.timeout(2 * TWITCH_SECONDS):  # perhaps a new token first
                await self._twitch.tokens.validate()
        except TimeoutError:
            return TwitchError("It did not answer in time.")
        except (TwitchError, SecretsError) as error:
            self._twitch.client.failed(error)
            return error
        return None

    async def _held(self) -> frozenset[str] | None:
        """User ids for which Twitch holds every subscription, enabled and pointing here; None = not known."""
        way = self._ingress.way
        target = target_text(way.target) if way.target is not None else None
        if target is None and self._probe is None:
            target = next(iter(await unless_broken(self._ledger.targets()) or ()), None)
        if target is None:
            return None
        try:
            async with asyncio.timeout(TWITCH_SECONDS):
                _, views = await self._ingress.subscriptions.listing()
        except (TwitchError, SecretsError, LedgerError, TimeoutError) as error:
            _log.info("the doctor could not list the subscriptions", reason=getattr(error, "message", "too late"))
            return None
        there = {(one.type, one.user_id) for one in views if one.status == ENABLED and one.target == target}
        return frozenset(user for _, user in there if all((type_, user) in there for type_, _ in KINDS))

    async def _tags(self, wanted: Iterable[Streamer]) -> dict[str, tuple[str, ...]]:
        """By user id, what the channels with a filter are tagged with now."""
        ids = [self._config.current.user_id(one) for one in wanted if one.enabled and one.tag_filter]
        try:
            async with asyncio.timeout(TWITCH_SECONDS):
                channels = await self._twitch.helix.channels(list(filter(None, ids)))
        except (TwitchError, SecretsError, TimeoutError) as error:
            _log.info("the doctor could not look at the tags", reason=getattr(error, "message", "too late"))
            return {}
        return {channel.broadcaster_id: channel.tags or () for channel in channels}

    async def _probed(self) -> Probed | None:
        """Only where Twitch posts to an address, and the way says that it works."""
        way = self._ingress.way
        is_ready = way.status.state is TransportState.READY
        if self._probe is None or not is_ready or not isinstance(way.target, Webhook):
            return None
        return await self._probe.ask(way.target.callback)
