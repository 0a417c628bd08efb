"""Hot reload: another config.toml takes effect while the program runs, as a whole or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Literal

import msgspec
import structlog

from itsjustintv_desktop.engine.config.active import ConfigHolder
from itsjustintv_desktop.engine.config.diff import Changes, compare
from itsjustintv_desktop.engine.config.load import Loaded, load
from itsjustintv_desktop.engine.config.schema import Config
from itsjustintv_desktop.engine.config.watch import ConfigWatcher, Content
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import AddressInUseError, ConfigError
from itsjustintv_desktop.engine.core.events import Bus, ConfigChanged, Notice, Signal
from itsjustintv_desktop.engine.core.models import Channel
from itsjustintv_desktop.engine.core.net.proxies import Proxies
from itsjustintv_desktop.engine.core.status import Level, Status
from itsjustintv_desktop.engine.ingress.listening import Listening
from itsjustintv_desktop.engine.ingress.manager import IngressManager
from itsjustintv_desktop.engine.runtime.twitch_tasks import TwitchTasks

CAREFUL = 2.0
"""Seconds a file must stand still that is broken, or in which something is gone: perhaps it is half written."""
BIND_AGAIN = 30.0
"""Seconds between two tries to listen where the config says, while another program holds that port."""
_MOST_LINES = 3

_log = structlog.get_logger(__name__)


class ConfigState(msgspec.Struct, frozen=True, kw_only=True):
    """`state`: ok, refused (the file is broken), missing, or waiting (its port is taken); else the last good one is
    in force, and `reason` says what to do. `since`: Unix seconds."""

    state: str
    reason: str
    since: float


class ConfigLog:
    """Logs what is worth saying about a config, each sentence once."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def show(self, loaded: Loaded) -> None:
        for warning in self._unsaid(loaded.warnings):
            _log.warning("config", text=warning)
        for notice in self._unsaid(loaded.notices):
            _log.info("config", text=notice)
        if loaded.secrets_in_clear:
            keys = ", ".join(loaded.secrets_in_clear)
            for text in self._unsaid([f"secrets stand there in the clear ({keys}); `config move-secrets` moves them"]):
                _log.info("config", text=text)

    def _unsaid(self, texts: Iterable[str]) -> list[str]:
        new = [text for text in texts if text not in self._said]
        self._said.update(new)
        return new


class ConfigReloader:
    """Watches the file and applies what it says. `state` tells how that stands."""

    def __init__(
        self,
        path: Path,
        environ: Mapping[str, str],
        config: ConfigHolder,
        *,
        reach: IngressManager,
        listening: Listening | None,
        loops: TwitchTasks,
        known: Callable[[Config], Mapping[str, Channel]],
        proxies: Proxies,
        log: ConfigLog,
        bus: Bus,
        clock: Clock,
    ) -> None:
        """`known`: what is known already of the channels of another config's streamers."""
        self._path = path
        self._environ = environ
        self._watcher = ConfigWatcher(path, clock)
        self._config = config
        self._reach = reach
        self._listening = listening
        self._loops = loops
        self._known = known
        self._proxies = proxies
        self._bus = bus
        self._log = log
        self._clock = clock
        self._seen = config.loaded.digest
        self._unbound = False
        self._whole = ""
        self._dealt = asyncio.Event()
        self._turn = asyncio.Lock()
        self.reloaded: Signal[Literal["applied", "rejected"]] = Signal()
        """A changed file was dealt with."""
        self.state = ConfigState(state="ok", reason="", since=clock.now())

    def health(self) -> Status:
        if self._config.loaded.nothing_set_up:
            return Status(Level.FAILING, f"Nothing is set up: there is no config yet at {self._path}.")
        state = self.state
        return Status(Level.OK if state.state == "ok" else Level.FAILING, state.reason, state.since)

    def trigger(self, whole: str = "") -> None:
        """Look at the file now. `whole`: the digest of one that we wrote ourselves, which is surely complete."""
        self._whole = whole
        self._watcher.trigger()

    async def taken_up(self, digest: str, timeout: float) -> ConfigState | None:
        """How the config stands after the file with this digest was dealt with. None: it was not, within so long."""
        try:
            async with asyncio.timeout(timeout):
                while self._seen != digest:
                    self._dealt.clear()
                    await self._dealt.wait()
        except TimeoutError:
            return None
        return self.state

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            content = await self._watcher.another(self._seen, within=BIND_AGAIN if self._unbound else None)
            if content is None:
                self._seen = ""  # the same file, tried once more
                self._watcher.trigger()
                continue
            await self._consider(content)

    async def _consider(self, content: Content) -> None:
        if content.missing:
            self._handled(content)
            name = self._path.name
            self._keep("missing", f"{name} is gone. The last good one stays in force until there is one again.")
            return
        try:
            loaded = await asyncio.to_thread(load, self._path, self._environ)
        except ConfigError as error:
            if await self._watcher.steady(content, CAREFUL):
                self._handled(content)
                self._refuse(error)
            return
        if loaded.digest != content.digest:
            self._watcher.trigger()  # it was saved again meanwhile
            return
        changes = compare(self._config.current.config, loaded.config)
        careful = changes.shrinks and content.digest != self._whole
        if careful and not await self._watcher.steady(content, CAREFUL):
            return
        try:
            await self.apply(loaded, changes)
        except AddressInUseError as error:
            self._handled(content)
            self._unbound = True
            self._keep("waiting", f"{error.message} The last good config stays in force, and this is tried again.")
        else:
            self._handled(content)

    async def apply(self, loaded: Loaded, changes: Changes) -> None:
        """Work by another config from now on. Raises AddressInUseError: nothing was changed then.

        What can fail comes first; then all is swapped in one step; what takes longer follows with a state of its own.
        """
        config = loaded.config
        async with self._turn:
            way = self._reach.way_for(config)
            if self._listening is not None:
                await self._listening.move(config, way or self._reach.way)
            before = self._config.current.config
            self._proxies.configure(config.network.proxy)
            self._config.swap(loaded, self._known(config))
            if way is not None:
                self._reach.switch(way)
            why_not = await self._loops.follow()
        self._config.applied.emit()
        if before.secrets.store != config.secrets.store:
            self._bus.notice("[secrets] store is another now. That takes effect at the next start of the program.")
        self._applied(loaded, changes)
        if why_not is not None and before.twitch.client_id:
            self._bus.notice(why_not)

    def _applied(self, loaded: Loaded, changes: Changes) -> None:
        self._set("ok", "")
        self._log.show(loaded)
        if changes:
            _log.info("the changed config is in force", changes=changes.sentence)
        self.reloaded.emit("applied")
        self._bus.publish(ConfigChanged(state="ok", text=changes.sentence))

    def _refuse(self, error: ConfigError) -> None:
        lines = error.problems[:_MOST_LINES]
        more = len(error.problems) - len(lines)
        text = "; ".join(lines) + (f"; and {more} more" if more > 0 else "")
        self._keep("refused", f"{text}. The last good config stays in force.")

    def _keep(self, state: str, reason: str) -> None:
        """The config in force stays; say why."""
        is_new = (state, reason) != (self.state.state, self.state.reason)
        self._set(state, reason)
        if is_new:
            _log.warning("the config was changed and is not used", state=state, reason=reason)
            self.reloaded.emit("rejected")
            self._bus.publish(ConfigChanged(state=state, text=reason))
            self._bus.publish(Notice(text=reason))

    def _set(self, state: str, reason: str) -> None:
        since = self.state.since if state == self.state.state else self._clock.now()
        self.state = ConfigState(state=state, reason=reason, since=since)

    def _handled(self, content: Content) -> None:
        self._seen = content.digest
        self._unbound = False
        self._dealt.set()
