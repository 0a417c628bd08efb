"""Which streamer of the config an event is about."""

from __future__ import annotations

from collections.abc import Mapping

from itsjustintv_desktop.engine.config.schema import Config, Streamer
from itsjustintv_desktop.engine.models import StreamEvent
from itsjustintv_desktop.engine.twitch.resolve import Resolved


class Matcher:
    """Built anew when the config or `resolved` (streamer key -> channel) changes; asking is O(1).

    Disabled streamers match too: that they are disabled is the reason why nothing is announced.
    """

    def __init__(self, config: Config, resolved: Mapping[str, Resolved]) -> None:
        self._by_id: dict[str, Streamer] = {}
        self._by_login: dict[str, Streamer] = {}
        self._unidentified: dict[str, Streamer] = {}
        for streamer in config.streamers.values():
            channel = resolved.get(streamer.key)
            user_id = streamer.user_id or (channel.user_id if channel else "")
            login = (channel.login if channel else streamer.login).lower()
            if user_id:
                self._by_id.setdefault(user_id, streamer)
            elif login:
                self._unidentified.setdefault(login, streamer)
            if login:
                self._by_login.setdefault(login, streamer)

    def match(self, event: StreamEvent) -> Streamer | None:
        """By user id, then by login in any case.

        A login counts only where one side has no id: someone else may have taken over a renamed channel's login.
        """
        login = event.broadcaster_login.lower()
        if not event.broadcaster_id:
            return self._by_login.get(login)
        return self._by_id.get(event.broadcaster_id) or self._unidentified.get(login)
