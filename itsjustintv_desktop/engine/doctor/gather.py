"""The facts of an engine, listening or not. What Twitch has to be asked for has a deadline, and may stay unknown."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import structlog

from itsjustintv_desktop.engine.config.destinations import destinations_of
from itsjustintv_desktop.engine.config.load import digest_of, load, read_bytes
from itsjustintv_desktop.engine.config.report import Mistake
from itsjustintv_desktop.engine.config.schema import KEYRING, Destination, Streamer
from itsjustintv_desktop.engine.config.secrettext import standard_key
from itsjustintv_desktop.engine.delivery.trust import Trust
from itsjustintv_desktop.engine.doctor.facts import (
    ConfigFacts,
    DestinationFacts,
    Facts,
    LedgerFacts,
    MachineFacts,
    ProgramFacts,
    ReachFacts,
    SecretsFacts,
    StreamerFacts,
    TwitchFacts,
)
from itsjustintv_desktop.engine.doctor.probe import Probe, Probed
from itsjustintv_desktop.engine.errors import AppError, ConfigError, LedgerError, SecretsError, TwitchError
from itsjustintv_desktop.engine.ingress.ways.base import Webhook
from itsjustintv_desktop.engine.ingress.ways.status import WayState
from itsjustintv_desktop.engine.storage.ledger.latest import LastAnswer
from itsjustintv_desktop.engine.storage.secrets import TWITCH_WEBHOOK_SECRET
from itsjustintv_desktop.engine.twitch.subscriptions import ChannelStatus
from itsjustintv_desktop.engine.twitch.subscriptions.models import ENABLED, KINDS, target_text
from itsjustintv_desktop.engine.watch.disk import free

if TYPE_CHECKING:
    from itsjustintv_desktop.engine.engine import Engine

TWITCH_SECONDS = 15.0
"""For each thing that Twitch is asked."""
FIRST_LOOK_SECONDS = 8.0
LEDGER_SECONDS = 5.0
OVERDUE = 300.0
"""Seconds after which work that could be done and is not means that something stands still."""
_ANSWERS = 50
"""Destinations that one job of the ledger looks at."""

T = TypeVar("T")

_log = structlog.get_logger(__name__)


class Gatherer:
    """Lives as long as its engine: the probe remembers when it asked last."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._probe = Probe(engine.clock, engine.well_known, Trust().context)

    @property
    def _running(self) -> bool:
        return self._engine.address is not None

    async def gather(self, asked: Streamer | None = None) -> Facts:
        """Everything at this moment, about `asked` alone or about all streamers."""
        engine = self._engine
        about_twitch, probe = await asyncio.gather(self._about_twitch(asked), self._probed())
        twitch, streamers = about_twitch
        config = engine.live.config
        return Facts(
            now=engine.now(),
            program=self._program(),
            config=await self._config(),
            secrets=await self._secrets(),
            twitch=twitch,
            reach=ReachFacts(
                way=engine.reach.way.status,
                probe=probe,
                subscriptions=engine.reach.subscriptions.status,
                catch_up=engine.reach.catch_up.status,
                poll_interval=config.twitch.poll_interval,
                catch_up_max_age=config.twitch.catch_up_max_age,
                last_message=await _unless_broken(engine.ledger.last_message("twitch")),
            ),
            streamers=streamers,
            destinations=await self._destinations(asked),
            ledger=await self._ledger(),
            machine=MachineFacts(free=await _free(engine.paths.data), folder=str(engine.paths.data)),
            asked=asked.key if asked is not None else None,
        )

    def _program(self) -> ProgramFacts:
        address = "{} port {}".format(*self._engine.address) if self._engine.address is not None else ""
        return ProgramFacts(
            running=self._running,
            address=address,
            broken=dict(self._engine.supervisor.broken),
            paused=self._engine.pause.sentence,
            stood_still=self._engine.watch.loop.lately(self._engine.now()),
            newer=self._engine.updates.note,
        )

    async def _config(self) -> ConfigFacts:
        engine, loaded = self._engine, self._engine.loaded
        changed, problems = await asyncio.to_thread(_file_now, engine.paths.config, engine.environ, loaded.digest)
        return ConfigFacts(
            path=str(engine.paths.config),
            config=engine.live.config,
            nothing_set_up=loaded.nothing_set_up,
            warnings=loaded.warnings,
            notices=loaded.notices,
            changed=changed,
            problems=problems,
            kept=engine.reload.state.reason if engine.listening is not None else "",
        )

    async def _secrets(self) -> SecretsFacts:
        engine, config = self._engine, self._engine.live.config
        client_secret, problem = None, None
        try:
            client_secret = await engine.values.client_secret()
        except SecretsError as error:
            problem = error
        return SecretsFacts(
            has_client_id=bool(config.twitch.client_id),
            has_client_secret=bool(client_secret),
            client_problem=problem,
            signing_problem=await self._signing_problem(),
            in_clear=engine.loaded.secrets_in_clear,
            choice=config.secrets.store,
            state=engine.secrets.state,
        )

    async def _signing_problem(self) -> str | None:
        engine, written = self._engine, self._engine.live.config.twitch
        if written.transport == "conduit":
            return None
        if self._running:
            return engine.signing_problem
        if written.webhook_secret in {"", KEYRING}:
            try:
                await engine.secrets.get(TWITCH_WEBHOOK_SECRET)  # one that is not there yet is made by the next start
            except SecretsError as error:
                return error.message
        return None

    async def _about_twitch(self, asked: Streamer | None) -> tuple[TwitchFacts, tuple[StreamerFacts, ...]]:
        engine = self._engine
        problem: AppError | None = None
        held: frozenset[str] | None = None
        tags: Mapping[str, tuple[str, ...]] = {}
        wanted = (asked,) if asked is not None else tuple(engine.live.config.streamers.values())
        if engine.live.config.twitch.client_id:
            problem = await self._token_problem()
            if problem is None:
                await engine.channels_looked_up(FIRST_LOOK_SECONDS)
                held, tags = await asyncio.gather(self._held(), self._tags(wanted))
        skew = engine.twitch.skew
        facts = TwitchFacts(
            problem=problem,
            clock_known=skew.known,
            clock_problem=skew.describe(),
            clock_jumped=engine.clocks.lately,
            clock_doubted=engine.clocks.doubtful(),
        )
        streamers = tuple(self._streamer(streamer, held, tags) for streamer in wanted)
        gone = [one for one in streamers if one.held is False and _is_ok(one)]
        if gone:
            engine.reach.subscriptions.nudge("doctor")
        return facts, streamers

    async def _token_problem(self) -> AppError | None:
        try:
            async with asyncio.timeout(2 * TWITCH_SECONDS):  # perhaps a new token first
                await self._engine.twitch.tokens.validate()
        except TimeoutError:
            return TwitchError("It did not answer in time.")
        except (TwitchError, SecretsError) as error:
            return error
        return None

    async def _held(self) -> frozenset[str] | None:
        """User ids for which Twitch holds every subscription, enabled and pointing here; None = not known."""
        reach = self._engine.reach
        target = target_text(reach.way.target) if reach.way.target is not None else None
        if target is None and not self._running:
            target = next(iter(await _unless_broken(self._engine.ledger.targets()) or ()), None)
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
        ids = [self._id_of(one) for one in wanted if one.enabled and one.tag_filter]
        try:
            async with asyncio.timeout(TWITCH_SECONDS):
                channels = await self._engine.twitch.helix.channels(list(filter(None, ids)))
        except (TwitchError, SecretsError, TimeoutError) as error:
            _log.info("the doctor could not look at the tags", reason=getattr(error, "message", "too late"))
            return {}
        return {channel.broadcaster_id: channel.tags or () for channel in channels}

    def _streamer(
        self, streamer: Streamer, held: frozenset[str] | None, tags: Mapping[str, tuple[str, ...]]
    ) -> StreamerFacts:
        engine, user_id = self._engine, self._id_of(streamer)
        channel = engine.live.resolved.get(streamer.key)
        return StreamerFacts(
            streamer=streamer,
            login=channel.login if channel is not None else streamer.login or streamer.key,
            user_id=user_id,
            unknown=engine.twitch.directory.unknown.get(streamer.key),
            subscription=engine.reach.subscriptions.states.get(user_id),
            held=None if held is None else user_id in held,
            tags=tags.get(user_id),
            destinations=engine.live.destinations_of(streamer),
            all_off=engine.live.has_only_disabled_destinations(streamer),
            same=engine.live.same.get(streamer.key, ()),
        )

    def _id_of(self, streamer: Streamer) -> str:
        channel = self._engine.live.resolved.get(streamer.key)
        return streamer.user_id or (channel.user_id if channel is not None else "")

    async def _destinations(self, asked: Streamer | None) -> tuple[DestinationFacts, ...]:
        live = self._engine.live
        names = list(live.destinations) if asked is None else list(destinations_of(live.config, asked))
        streamers = [each for each in live.config.streamers.values() if each.enabled]
        used = {name for each in streamers for name in destinations_of(live.config, each)}
        answers: dict[str, LastAnswer] = {}
        for start in range(0, len(names), _ANSWERS):
            part = names[start : start + _ANSWERS]
            answers |= await _unless_broken(self._engine.ledger.last_answers(part)) or {}
        lanes = self._engine.dispatcher.lanes
        states = lanes.states(self._engine.now())
        found: list[DestinationFacts] = []
        for name in names:
            destination = live.destinations[name]
            state, reason = states.get(name, ("closed", ""))
            found.append(
                DestinationFacts(
                    destination=destination,
                    used=name in used,
                    state=state,
                    reason=reason,
                    address_problem=await self._address_problem(destination),
                    note=lanes.note(destination),
                    last=answers.get(name),
                )
            )
        return tuple(found)

    async def _address_problem(self, destination: Destination) -> str | None:
        if not destination.enabled or KEYRING not in {destination.url, destination.secret}:
            return None
        try:
            kept = await self._engine.secrets.destination(destination.name)
        except SecretsError as error:
            return error.message
        if destination.url == KEYRING and not kept.url:
            return "no address of this name is in the vault."
        if destination.secret != KEYRING:
            return None
        if not kept.secret:
            return "no secret of this name is in the vault."
        return _unusable(kept.secret) if destination.signature == "standard-webhooks" else None

    async def _ledger(self) -> LedgerFacts:
        engine, ledger = self._engine, self._engine.ledger
        problem = ledger.failure.message if ledger.failure is not None else None
        waiting, stuck, oldest = 0, dict[str, float](), None
        try:
            async with asyncio.timeout(LEDGER_SECONDS):
                waiting = (await ledger.counts()).by_state.get("pending", 0)
                if self._running:
                    stuck = self._stuck(await ledger.waiting_destinations())
                    first = await ledger.unfinished(limit=1)
                    oldest = first[0].event.received_at if first else None
        except LedgerError as error:
            problem = error.message
        except TimeoutError:
            problem = "It does not answer in time: the disk hangs, or has far too much to do."
        watch = engine.watch
        standing = watch.deliveries() or watch.announce()
        late = engine.now() - OVERDUE
        return LedgerFacts(
            problem=problem,
            alive=ledger.alive,
            waiting=waiting,
            stuck=stuck,
            standing=standing.reason if standing is not None else None,
            oldest_event=oldest if oldest is not None and oldest < late else None,
            output_problem=engine.feed.problem,
            lately=ledger.lately,
        )

    def _stuck(self, waiting: Iterable[tuple[str, float]]) -> dict[str, float]:
        """Where something has long been due, nothing is under way, and nothing speaks against sending."""
        if self._engine.pause.active:
            return {}  # it stands still because a person wants it so
        now, lanes, destinations = self._engine.now(), self._engine.dispatcher.lanes, self._engine.live.destinations
        found: dict[str, float] = {}
        for name, due in waiting:
            lane = lanes.lane(name)
            free = name in destinations and destinations[name].enabled and lane.breaker.name(now) == "closed"
            idle = not lane.in_flight and not lane.failing and lane.held_until <= now
            if free and idle and due < now - OVERDUE:
                found[name] = due
        return found

    async def _probed(self) -> Probed | None:
        """Only where Twitch posts to an address, and the way says that it works."""
        way = self._engine.reach.way
        if not self._running or way.status.state is not WayState.READY or not isinstance(way.target, Webhook):
            return None
        return await self._probe.ask(way.target.callback)


def _unusable(secret: str) -> str | None:
    """Why a secret of Standard Webhooks that lies in the vault cannot sign."""
    try:
        standard_key(secret)
    except Mistake as mistake:
        return f"{mistake}."
    return None


def _is_ok(facts: StreamerFacts) -> bool:
    return facts.subscription is not None and facts.subscription.status is ChannelStatus.OK


def _file_now(path: Path, environ: Mapping[str, str], digest: str) -> tuple[bool, tuple[str, ...]]:
    """Whether the file changed since it was read, and why it could not be used now. Blocks."""
    try:
        if digest_of(read_bytes(path)) == digest:
            return False, ()
        load(path, environ)
    except ConfigError as error:
        return True, tuple(error.problems)
    return True, ()


async def _free(folder: Path) -> int | None:
    """Bytes left on its disk; None if it does not say in time."""
    try:
        async with asyncio.timeout(LEDGER_SECONDS):
            return await asyncio.to_thread(free, folder)
    except TimeoutError:
        return None


async def _unless_broken(asked: Awaitable[T]) -> T | None:
    """What the ledger answers; None while it cannot, which a check of its own tells."""
    try:
        async with asyncio.timeout(LEDGER_SECONDS):
            return await asked
    except (LedgerError, TimeoutError):
        return None
