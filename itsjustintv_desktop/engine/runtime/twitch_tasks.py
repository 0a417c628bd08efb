"""The loops that ask Twitch: there while a client id is set, and begun or ended when the config changes that."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from itsjustintv_desktop.engine.config.active import ConfigHolder
from itsjustintv_desktop.engine.core.tasks import Supervisor

NO_CLIENT_ID = (
    "No [twitch] client_id is set: Twitch cannot be asked to tell us anything, nor who is live. Register "
    "an application at https://dev.twitch.tv/console/apps and set client_id and client_secret."
)


class TwitchTasks:
    """`loops` by the names they are supervised under."""

    def __init__(
        self,
        config: ConfigHolder,
        supervisor: Supervisor,
        loops: Mapping[str, Callable[[], Coroutine[Any, Any, None]]],
    ) -> None:
        self._config = config
        self._supervisor = supervisor
        self._loops = loops

    async def follow(self) -> str | None:
        """Run them or end them, as the config in force says. The sentence for a person while they do not run."""
        if not self._config.current.config.twitch.client_id:
            await self._supervisor.end(*self._loops)
            return NO_CLIENT_ID
        for name, loop in self._loops.items():
            if not self._supervisor.keeps(name):
                self._supervisor.keep(name, loop)
        return None
