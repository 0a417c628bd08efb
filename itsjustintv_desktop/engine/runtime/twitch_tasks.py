"""The loops that ask Twitch: there while a client id is set, and begun or ended when the config changes that."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from itsjustintv_desktop.engine.engine import Engine

NO_CLIENT_ID = (
    "No [twitch] client_id is set: Twitch cannot be asked to tell us anything, nor who is live. Register "
    "an application at https://dev.twitch.tv/console/apps and set client_id and client_secret."
)


class TwitchTasks:
    """`reached`: the public port is open, so Twitch can be told to send messages."""

    def __init__(self, engine: Engine, *, reached: bool) -> None:
        self._engine = engine
        twitch = engine.twitch
        self._loops: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
            "twitch.token": twitch.tokens.keep_valid,
            "twitch.directory": twitch.directory.run,
            "twitch.trickle": partial(twitch.trickle.run, engine.watched_ids),
        }
        if reached:
            self._loops["reach.subscriptions"] = engine.reach.subscriptions.run
            self._loops["reach.catch-up"] = engine.reach.catch_up.run

    async def follow(self) -> str | None:
        """Run them or end them, as the config in force says. The sentence for a person while they do not run."""
        supervisor = self._engine.supervisor
        if not self._engine.live.config.twitch.client_id:
            await supervisor.end(*self._loops)
            return NO_CLIENT_ID
        for name, loop in self._loops.items():
            if not supervisor.keeps(name):
                supervisor.keep(name, loop)
        return None
