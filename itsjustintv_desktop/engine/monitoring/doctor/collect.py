"""The facts of an engine, listening or not. What Twitch has to be asked for has a deadline, and may stay unknown."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from itsjustintv_desktop.engine.config.destinations import destinations_of
from itsjustintv_desktop.engine.config.load import digest_of, load, read_bytes
from itsjustintv_desktop.engine.config.problems import Mistake
from itsjustintv_desktop.engine.config.schema import KEYRING, Destination, Streamer
from itsjustintv_desktop.engine.config.validators import standard_key
from itsjustintv_desktop.engine.core.errors import ConfigError, LedgerError, SecretsError
from itsjustintv_desktop.engine.monitoring.doctor.facts import (
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
from itsjustintv_desktop.engine.monitoring.doctor.outside import (
    LEDGER_SECONDS,
    Heard,
    Outside,
    unless_broken,
    user_id_of,
)
from itsjustintv_desktop.engine.monitoring.health import BESIDE
from itsjustintv_desktop.engine.monitoring.watchdog import free
from itsjustintv_desktop.engine.storage.ledger.counting import Tally
from itsjustintv_desktop.engine.storage.ledger.latest import LastAnswer
from itsjustintv_desktop.engine.storage.secrets import TWITCH_WEBHOOK_SECRET
from itsjustintv_desktop.engine.storage.secrets.content import DestinationSecrets

if TYPE_CHECKING:
    from itsjustintv_desktop.engine.engine import Engine

OVERDUE = 300.0
"""Seconds after which work that could be done and is not means that something stands still."""
ANSWERS = 50
"""Destinations that one job of the ledger looks at."""

T = TypeVar("T")

NOTHING = Tally(by_state={}, waiting={}, unfinished_events=0)
"""Of a ledger that does not answer."""


class FactCollector:
    """Lives as long as its engine: the probe remembers when it asked last."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._outside = Outside(engine)

    async def gather(self, asked: Streamer | None = None, *, recent: bool = False) -> Facts:
        """Everything at this moment, about `asked` alone or about all streamers.

        `recent`: what was heard from outside lately is good enough, as long as nothing happened that it depends on.
        """
        engine = self._engine
        wanted = (asked,) if asked is not None else tuple(engine.live.config.streamers.values())
        outside = await self._outside.ask(wanted, recent=recent, keep=asked is None)
        folder = engine.paths.data
        free = engine.watch.disk.free = await _free(folder)
        return self._facts(
            wanted,
            asked,
            outside,
            config=await self._config(),
            secrets=await self._secrets(),
            destinations=await self._destinations(asked),
            ledger=await self._ledger(),
            last_message=await unless_broken(engine.ledger.last_message("twitch")),
            machine=MachineFacts(free=free, folder=str(folder)),
        )

    def known(self, tally: Tally, answers: Mapping[str, LastAnswer]) -> Facts:
        """What is in memory about all streamers, and what the ledger said just now. Asks and waits for nothing."""
        engine = self._engine
        at, outside = self._outside.heard or (0.0, _UNHEARD)
        if outside.problem is not None and (engine.twitch.client.status.last_ok_at or 0.0) > at:
            outside = outside._replace(problem=None)
        live, free = engine.live, engine.watch.disk.free
        rows = [self._destination(each, self._known_problem(each), answers) for each in live.destinations.values()]
        return self._facts(
            tuple(live.config.streamers.values()),
            None,
            outside,
            config=self._known_config(),
            secrets=self._known_secrets(),
            destinations=tuple(rows),
            ledger=self._known_ledger(tally),
            last_message=None,
            machine=MachineFacts(free=free, folder=str(engine.paths.data), looked=free is not None),
        )

    def _facts(
        self,
        wanted: tuple[Streamer, ...],
        asked: Streamer | None,
        outside: Heard,
        *,
        config: ConfigFacts,
        secrets: SecretsFacts,
        destinations: tuple[DestinationFacts, ...],
        ledger: LedgerFacts,
        last_message: float | None,
        machine: MachineFacts,
    ) -> Facts:
        engine = self._engine
        twitch, streamers = self._about_twitch(wanted, outside)
        return Facts(
            now=engine.now(),
            program=self._program(),
            config=config,
            secrets=secrets,
            twitch=twitch,
            reach=ReachFacts(
                way=engine.reach.way.status,
                probe=outside.probe,
                subscriptions=engine.reach.subscriptions.status,
                catch_up=engine.reach.catch_up.status,
                poll_interval=engine.live.config.twitch.poll_interval,
                catch_up_max_age=engine.live.config.twitch.catch_up_max_age,
                last_message=last_message,
            ),
            streamers=streamers,
            destinations=destinations,
            ledger=ledger,
            machine=machine,
            asked=asked.key if asked is not None else None,
        )

    def _program(self) -> ProgramFacts:
        address = "{} port {}".format(*self._engine.address) if self._engine.address is not None else ""
        return ProgramFacts(
            running=self._engine.address is not None,
            address=address,
            broken=dict(self._engine.supervisor.broken),
            dispensable=BESIDE,
            others=self._engine.health.others(),
            paused=self._engine.pause.sentence,
            stood_still=self._engine.watch.loop.lately(self._engine.now()),
            proxies=tuple(proxy.described for proxy in self._engine.outbound.proxies.in_use),
            unusable_proxies=self._engine.outbound.proxies.problems,
            newer=self._engine.updates.note,
        )

    async def _config(self) -> ConfigFacts:
        engine, loaded = self._engine, self._engine.loaded
        changed, problems = await asyncio.to_thread(_file_now, engine.paths.config, engine.environ, loaded.digest)
        return msgspec.structs.replace(self._known_config(), changed=changed, problems=problems)

    def _known_config(self) -> ConfigFacts:
        engine, loaded = self._engine, self._engine.loaded
        return ConfigFacts(
            path=str(engine.paths.config),
            config=engine.live.config,
            nothing_set_up=loaded.nothing_set_up,
            warnings=loaded.warnings,
            notices=loaded.notices,
            kept=engine.reload.state.reason if engine.listening is not None else "",
        )

    def _known_secrets(self) -> SecretsFacts:
        """A client secret that nobody asked for yet counts as there, unless its place cannot be opened."""
        engine, config = self._engine, self._engine.live.config
        has, state = engine.values.knows_client_secret(), engine.secrets.state
        is_open = has is not None or state.status in {"ready", "unopened"}
        return SecretsFacts(
            has_client_id=bool(config.twitch.client_id),
            has_client_secret=has is not False,
            client_problem=None if is_open else SecretsError(state.message),
            signing_problem=None if config.twitch.transport == "conduit" else engine.signing_problem,
            in_clear=engine.loaded.secrets_in_clear,
            choice=config.secrets.store,
            state=state,
        )

    async def _secrets(self) -> SecretsFacts:
        engine = self._engine
        client_secret, problem = None, None
        try:
            client_secret = await engine.values.client_secret()
        except SecretsError as error:
            problem = error
        return msgspec.structs.replace(
            self._known_secrets(),
            has_client_secret=bool(client_secret),
            client_problem=problem,
            signing_problem=await self._signing_problem(),
        )

    async def _signing_problem(self) -> str | None:
        engine, written = self._engine, self._engine.live.config.twitch
        if written.transport == "conduit":
            return None
        if self._engine.address is not None:
            return engine.signing_problem
        if written.webhook_secret in {"", KEYRING}:
            try:
                await engine.secrets.get(TWITCH_WEBHOOK_SECRET)  # one that is not there yet is made by the next start
            except SecretsError as error:
                return error.message
        return None

    def _about_twitch(
        self, wanted: tuple[Streamer, ...], outside: Heard
    ) -> tuple[TwitchFacts, tuple[StreamerFacts, ...]]:
        engine = self._engine
        skew = engine.twitch.skew
        facts = TwitchFacts(
            problem=outside.problem,
            api_problem=engine.twitch.client.status.error if engine.address is not None else None,
            clock_known=skew.known,
            clock_problem=skew.describe(),
            clock_jumped=engine.clock_trust.lately,
            clock_doubted=engine.clock_trust.doubtful(),
        )
        return facts, tuple(self._streamer(streamer, outside.held, outside.tags) for streamer in wanted)

    def _streamer(
        self, streamer: Streamer, held: frozenset[str] | None, tags: Mapping[str, tuple[str, ...]]
    ) -> StreamerFacts:
        engine, user_id = self._engine, user_id_of(self._engine, streamer)
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

    async def _destinations(self, asked: Streamer | None) -> tuple[DestinationFacts, ...]:
        live = self._engine.live
        names = list(live.destinations) if asked is None else list(destinations_of(live.config, asked))
        answers: dict[str, LastAnswer] = {}
        for start in range(0, len(names), ANSWERS):
            part = names[start : start + ANSWERS]
            answers |= await unless_broken(self._engine.ledger.last_answers(part)) or {}
        every = [live.destinations[name] for name in names]
        return tuple([self._destination(each, await self._address_problem(each), answers) for each in every])

    def _destination(
        self, destination: Destination, address_problem: str | None, answers: Mapping[str, LastAnswer]
    ) -> DestinationFacts:
        engine, name = self._engine, destination.name
        queues = engine.dispatcher.queues
        state, reason = queues.state(name, engine.now())
        return DestinationFacts(
            destination=destination,
            used=engine.live.users[name] > 0,
            state=state,
            by_hand=queues.paused_by_hand(name),
            reason=reason,
            address_problem=address_problem,
            note=queues.note(destination),
            last=answers.get(name),
        )

    async def _address_problem(self, destination: Destination) -> str | None:
        if not destination.enabled or KEYRING not in {destination.url, destination.secret}:
            return None
        try:
            return _lacking(destination, await self._engine.secrets.destination(destination.name))
        except SecretsError as error:
            return error.message

    def _known_problem(self, destination: Destination) -> str | None:
        if not destination.enabled or KEYRING not in {destination.url, destination.secret}:
            return None
        kept = self._engine.secrets.known_destination(destination.name)
        return _lacking(destination, kept) if kept is not None else self._engine.secrets.state.message or None

    async def _ledger(self) -> LedgerFacts:
        try:
            async with asyncio.timeout(LEDGER_SECONDS):
                return self._known_ledger(await self._engine.ledger.tally())
        except LedgerError as error:
            problem = error.message
        except TimeoutError:
            problem = "It does not answer in time: the disk hangs, or has far too much to do."
        return msgspec.structs.replace(self._known_ledger(NOTHING), problem=problem)

    def _known_ledger(self, tally: Tally) -> LedgerFacts:
        engine, ledger, watch = self._engine, self._engine.ledger, self._engine.watch
        standing = watch.deliveries() or watch.announce()
        oldest = tally.oldest_event if engine.address is not None else None
        due = {name: one.first_due for name, one in tally.waiting.items() if one.first_due is not None}
        return LedgerFacts(
            problem=ledger.failure.message if ledger.failure is not None else None,
            alive=ledger.alive,
            waiting=tally.by_state.get("pending", 0),
            stuck=self._stuck(due.items()) if engine.address is not None else {},
            standing=standing.reason if standing is not None else None,
            oldest_event=oldest if oldest is not None and oldest < engine.now() - OVERDUE else None,
            output_problem=engine.feed.problem,
            lately=ledger.lately,
        )

    def _stuck(self, waiting: Iterable[tuple[str, float]]) -> dict[str, float]:
        """Where something has long been due, nothing is under way, and nothing speaks against sending."""
        if self._engine.pause.active:
            return {}  # it stands still because a person wants it so
        now, queues, destinations = self._engine.now(), self._engine.dispatcher.queues, self._engine.live.destinations
        found: dict[str, float] = {}
        for name, due in waiting:
            queue = queues.queue(name)
            free = name in destinations and destinations[name].enabled and queue.breaker.name(now) == "closed"
            idle = not queue.in_flight and not queue.failing and queue.held_until <= now
            if free and idle and due < now - OVERDUE:
                found[name] = due
        return found


_UNHEARD = Heard(problem=None, held=None, tags={}, probe=None)


def _lacking(destination: Destination, kept: DestinationSecrets) -> str | None:
    """What of a destination's address and secret is not in the vault, or cannot be used."""
    if destination.url == KEYRING and not kept.url:
        return "no address of this name is in the vault."
    if destination.secret != KEYRING:
        return None
    if not kept.secret:
        return "no secret of this name is in the vault."
    return _unusable(kept.secret) if destination.signature == "standard-webhooks" else None


def _unusable(secret: str) -> str | None:
    """Why a secret of Standard Webhooks that lies in the vault cannot sign."""
    try:
        standard_key(secret)
    except Mistake as mistake:
        return f"{mistake}."
    return None


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
