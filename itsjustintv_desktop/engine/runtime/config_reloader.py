"""Hot reload: another config.toml takes effect while the program runs, as a whole or not at all."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import structlog

from itsjustintv_desktop.engine.config.active import ActiveConfig
from itsjustintv_desktop.engine.config.diff import Changes, compare
from itsjustintv_desktop.engine.config.load import Loaded, load
from itsjustintv_desktop.engine.config.watch import ConfigWatcher, Content
from itsjustintv_desktop.engine.core.errors import AddressInUseError, ConfigError
from itsjustintv_desktop.engine.core.events import ConfigChanged, Notice
from itsjustintv_desktop.engine.core.status import Level, Status

if TYPE_CHECKING:
    from itsjustintv_desktop.engine.config.schema import Config
    from itsjustintv_desktop.engine.engine import Engine

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


class ConfigReloader:
    """Watches the file and applies what it says. `state` tells how that stands."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._watcher = ConfigWatcher(engine.paths.config, engine.clock)
        self._seen = engine.loaded.digest
        self._unbound = False
        self._whole = ""
        self._dealt = asyncio.Event()
        self._turn = asyncio.Lock()
        self.state = ConfigState(state="ok", reason="", since=engine.now())

    def health(self) -> Status:
        if self._engine.loaded.nothing_set_up:
            path = self._engine.paths.config
            return Status(Level.FAILING, f"Nothing is set up: there is no config yet at {path}.")
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
            name = self._engine.paths.config.name
            self._keep("missing", f"{name} is gone. The last good one stays in force until there is one again.")
            return
        try:
            loaded = await asyncio.to_thread(load, self._engine.paths.config, self._engine.environ)
        except ConfigError as error:
            if await self._watcher.steady(content, CAREFUL):
                self._handled(content)
                self._refuse(error)
            return
        if loaded.digest != content.digest:
            self._watcher.trigger()  # it was saved again meanwhile
            return
        changes = compare(self._engine.live.config, loaded.config)
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
        engine, config = self._engine, loaded.config
        async with self._turn:
            way = engine.reach.way_for(config)
            if engine.listening is not None:
                await engine.listening.move(config, way or engine.reach.way)
            before = engine.live.config
            engine.outbound.proxies.configure(config.network.proxy)
            engine.swap(loaded, ActiveConfig(config, engine.twitch.directory.known(config)))
            if way is not None:
                engine.background("reach.switch", engine.reach.switch(way))
            why_not = await engine.loops.follow()
        self._follow(before, config)
        self._applied(loaded, changes)
        if why_not is not None and before.twitch.client_id:
            engine.notice(why_not)

    def _follow(self, before: Config, config: Config) -> None:
        """Everybody who waits for something looks again; they all read the config in force."""
        engine = self._engine
        if engine.listening is not None:
            engine.follow_way()
            engine.signing.look_again()
            engine.reach.way.trigger()
        engine.config.applied.emit()
        if before.secrets.store != config.secrets.store:
            engine.notice("[secrets] store is another now. That takes effect at the next start of the program.")

    def _applied(self, loaded: Loaded, changes: Changes) -> None:
        self._set("ok", "")
        self._engine.say(loaded)
        if changes:
            _log.info("the changed config is in force", changes=changes.sentence)
        self._engine.telemetry.reloaded("applied")
        self._engine.bus.publish(ConfigChanged(state="ok", text=changes.sentence))

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
            self._engine.telemetry.reloaded("rejected")
            self._engine.bus.publish(ConfigChanged(state=state, text=reason))
            self._engine.bus.publish(Notice(text=reason))

    def _set(self, state: str, reason: str) -> None:
        since = self.state.since if state == self.state.state else self._engine.now()
        self.state = ConfigState(state=state, reason=reason, since=since)

    def _handled(self, content: Content) -> None:
        self._seen = content.digest
        self._unbound = False
        self._dealt.set()
