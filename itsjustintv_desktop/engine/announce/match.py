"""Which streamers of the config an event is about."""

from __future__ import annotations

from collections.abc import Mapping

from itsjustintv_desktop.engine.config.schema import Config, Streamer
from itsjustintv_desktop.engine.core.models import StreamEvent
from itsjustintv_desktop.engine.twitch.channel_lookup import Channel

_NONE: dict[str, Streamer] = {}


class Matcher:
    """Built anew when the config or `resolved` (streamer key -> channel) changes; asking is O(1).

    Several streamers may stand for one channel, such as one by its login and one by its user id. Disabled streamers
    match too: that they are disabled is the reason why nothing is announced.
    """

    def __init__(self, config: Config, resolved: Mapping[str, Channel]) -> None:
        self._order = {key: place for place, key in enumerate(config.streamers)}
        self._by_id: dict[str, dict[str, Streamer]] = {}
        self._by_login: dict[str, dict[str, Streamer]] = {}
        self._unidentified: dict[str, dict[str, Streamer]] = {}
        for key, streamer in config.streamers.items():
            channel = resolved.get(key)
            user_id = streamer.user_id or (channel.user_id if channel else "")
            login = (channel.login if channel else streamer.login).lower()
            if user_id:
                self._by_id.setdefault(user_id, {})[key] = streamer
            elif login:
                self._unidentified.setdefault(login, {})[key] = streamer
            if login:
                self._by_login.setdefault(login, {})[key] = streamer

    def entries(self, event: StreamEvent) -> tuple[Streamer, ...]:
        """All that it is to be announced for, in the order of the config: the enabled ones. Where none is, the first.

        Found by user id, then by login in any case. A login counts only where one side has no id: someone else may
        have taken over a renamed channel's login.
        """
        found = list(self._matching(event).values())
        return tuple(each for each in found if each.enabled) or tuple(found[:1])

    def match(self, event: StreamEvent, key: str | None = None) -> Streamer | None:
        """The streamer with this key if it stands for the event's channel, else the first of `entries`."""
        if key is not None and (named := self._matching(event).get(key)) is not None:
            return named
        return next(iter(self.entries(event)), None)

    def _matching(self, event: StreamEvent) -> dict[str, Streamer]:
        login = event.broadcaster_login.lower()
        if not event.broadcaster_id:
            return self._by_login.get(login, _NONE)
        by_id, by_login = self._by_id.get(event.broadcaster_id, _NONE), self._unidentified.get(login, _NONE)
        if not by_id or not by_login:
            return by_id or by_login
        return dict(sorted({**by_id, **by_login}.items(), key=lambda each: self._order[each[0]]))
