"""The facts of a running program, or of one that was only started to answer: from each part what it knows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from itsjustintv_desktop.engine.announce.pause import Pause
from itsjustintv_desktop.engine.config.active import ConfigHolder
from itsjustintv_desktop.engine.config.load import digest_of, load, read_bytes
from itsjustintv_desktop.engine.config.schema import KEYRING, Streamer
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import ConfigError, SecretsError
from itsjustintv_desktop.engine.core.net.proxies import Proxies
from itsjustintv_desktop.engine.core.status import Status
from itsjustintv_desktop.engine.core.tasks import Supervisor
from itsjustintv_desktop.engine.ingress.webhook_secret import WebhookSecret
from itsjustintv_desktop.engine.monitoring.doctor.collect_delivery import DestinationCollector, LedgerCollector
from itsjustintv_desktop.engine.monitoring.doctor.collect_twitch import TwitchCollector
from itsjustintv_desktop.engine.monitoring.doctor.facts import ConfigFacts, Facts, ProgramFacts, SecretsFacts
from itsjustintv_desktop.engine.monitoring.health import Health
from itsjustintv_desktop.engine.monitoring.updates.check import UpdateCheck
from itsjustintv_desktop.engine.monitoring.watchdog import DISPENSABLE, LoopWatch
from itsjustintv_desktop.engine.storage.ledger.counting import Tally
from itsjustintv_desktop.engine.storage.ledger.latest import LastAnswer
from itsjustintv_desktop.engine.storage.secrets import TWITCH_WEBHOOK_SECRET, SecretStore, SecretValues


class FactCollector:
    """Puts together what the others collect."""

    def __init__(
        self,
        program: ProgramCollector,
        config: ConfigCollector,
        secrets: SecretsCollector,
        twitch: TwitchCollector,
        destinations: DestinationCollector,
        ledger: LedgerCollector,
        clock: Clock,
    ) -> None:
        self._program = program
        self._config = config
        self._secrets = secrets
        self._twitch = twitch
        self._destinations = destinations
        self._ledger = ledger
        self._clock = clock

    async def gather(self, asked: Streamer | None = None, *, recent: bool = False) -> Facts:
        """Everything at this moment, about `asked` alone or about all streamers.

        What Twitch has to be asked for has a deadline, and may stay unknown. `recent`: what was heard from outside
        lately is good enough, as long as nothing happened that it depends on.
        """
        running = self._program.running
        heard = await self._twitch.ask(asked, recent=recent)
        machine = await self._ledger.machine()
        config = await self._config.read()
        secrets = await self._secrets.read(running=running)
        destinations = await self._destinations.read(asked)
        ledger = await self._ledger.read(running=running)
        last_message = await self._twitch.last_message()
        return Facts(
            now=self._clock.now(),
            program=self._program.known(),
            config=config,
            secrets=secrets,
            twitch=self._twitch.known(heard, running=running),
            reach=self._twitch.reach(heard, last_message),
            streamers=self._twitch.streamers(heard, asked),
            destinations=destinations,
            ledger=ledger,
            machine=machine,
            asked=asked.key if asked is not None else None,
        )

    def known(self, tally: Tally, answers: Mapping[str, LastAnswer]) -> Facts:
        """What is in memory about all streamers, and what the ledger said just now. Asks and waits for nothing."""
        running, heard = self._program.running, self._twitch.heard
        return Facts(
            now=self._clock.now(),
            program=self._program.known(),
            config=self._config.known(),
            secrets=self._secrets.known(),
            twitch=self._twitch.known(heard, running=running),
            reach=self._twitch.reach(heard, None),
            streamers=self._twitch.streamers(heard, None),
            destinations=self._destinations.known(answers),
            ledger=self._ledger.known(tally, running=running),
            machine=self._ledger.known_machine(),
        )


class ProgramCollector:
    """What the program says of itself."""

    def __init__(
        self,
        supervisor: Supervisor,
        health: Health,
        pause: Pause,
        loop: LoopWatch,
        updates: UpdateCheck,
        proxies: Proxies,
        address: Callable[[], tuple[str, int] | None],
    ) -> None:
        """`address`: host and port of the public port; None where the engine was only started to answer."""
        self._supervisor = supervisor
        self._health = health
        self._pause = pause
        self._loop = loop
        self._updates = updates
        self._proxies = proxies
        self._address = address

    @property
    def running(self) -> bool:
        return self._address() is not None

    def known(self) -> ProgramFacts:
        address = self._address()
        return ProgramFacts(
            running=address is not None,
            address="{} port {}".format(*address) if address is not None else "",
            broken=dict(self._supervisor.broken),
            dispensable=DISPENSABLE,
            others=self._health.others(),
            paused=self._pause.sentence,
            stood_still=self._loop.lately,
            proxies=tuple(proxy.described for proxy in self._proxies.in_use),
            unusable_proxies=self._proxies.problems,
            newer=self._updates.note,
        )


class ConfigCollector:
    """The config in force, and the file beside it."""

    def __init__(
        self,
        config: ConfigHolder,
        path: Path,
        environ: Mapping[str, str],
        status: Callable[[], Status],
    ) -> None:
        """`status`: whether the file is in force, as who watches it says."""
        self._config = config
        self._path = path
        self._environ = environ
        self._status = status

    async def read(self) -> ConfigFacts:
        """With a look at the file."""
        changed, problems = await asyncio.to_thread(_file_now, self._path, self._environ, self._config.loaded.digest)
        return msgspec.structs.replace(self.known(), changed=changed, problems=problems)

    def known(self) -> ConfigFacts:
        loaded = self._config.loaded
        return ConfigFacts(
            path=str(self._path),
            config=self._config.current.config,
            nothing_set_up=loaded.nothing_set_up,
            warnings=loaded.warnings,
            notices=loaded.notices,
            kept=self._status().reason,
        )


class SecretsCollector:
    """What Twitch has to be asked with, and what its messages are verified with."""

    def __init__(
        self,
        config: ConfigHolder,
        store: SecretStore,
        values: SecretValues,
        signing: WebhookSecret,
    ) -> None:
        self._config = config
        self._store = store
        self._values = values
        self._signing = signing

    async def read(self, *, running: bool) -> SecretsFacts:
        """Looked up now."""
        client_secret, problem = None, None
        try:
            client_secret = await self._values.client_secret()
        except SecretsError as error:
            problem = error
        return msgspec.structs.replace(
            self.known(),
            has_client_secret=bool(client_secret),
            client_problem=problem,
            signing_problem=await self._signing_problem(running=running),
        )

    def known(self) -> SecretsFacts:
        """A client secret that nobody asked for yet counts as there, unless its place cannot be opened."""
        config, state = self._config.current.config, self._store.state
        has = self._values.knows_client_secret()
        is_open = has is not None or state.status in {"ready", "unopened"}
        return SecretsFacts(
            has_client_id=bool(config.twitch.client_id),
            has_client_secret=has is not False,
            client_problem=None if is_open else SecretsError(state.message),
            signing_problem=None if config.twitch.transport == "conduit" else self._signing.problem,
            in_clear=self._config.loaded.secrets_in_clear,
            choice=config.secrets.store,
            state=state,
        )

    async def _signing_problem(self, *, running: bool) -> str | None:
        written = self._config.current.config.twitch
        if written.transport == "conduit":
            return None
        if running:
            return self._signing.problem
        if written.webhook_secret in {"", KEYRING}:
            try:
                await self._store.get(TWITCH_WEBHOOK_SECRET)  # one that is not there yet is made by the next start
            except SecretsError as error:
                return error.message
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
