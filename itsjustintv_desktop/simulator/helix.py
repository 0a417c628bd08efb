"""api.twitch.tv/helix: users, streams, channels, followers, games, videos, as twitch-openapi.json describes them."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web

from itsjustintv_desktop.simulator.answers import RefusedError, answer, page
from itsjustintv_desktop.simulator.clock import rfc3339
from itsjustintv_desktop.simulator.state import Category, Channel, State, Stream, Video

MOST = 100
"""Ids and logins a request may name."""
_DIGITS = re.compile(r"[0-9]+")
_LOGIN = re.compile(r"[A-Za-z0-9_]{1,25}")
_BY = ("id", "user_id", "game_id")
_CHOICES = {
    "type": {"all", "archive", "highlight", "upload"},
    "period": {"all", "day", "week", "month"},
    "sort": {"time", "trending", "views"},
}
_MOST = 100


class Helix:
    """`images` is the address below which pictures are served."""

    def __init__(self, state: State) -> None:
        self.images = ""
        self._state = state

    async def users(self, request: web.Request) -> web.Response:
        ids, logins = _ids(request, "id"), _all(request, "login")
        if not ids and not logins:
            raise RefusedError(400, "Must provide an ID, Login or OAuth Token.")
        _at_most(ids + logins, "id")
        if not all(_LOGIN.fullmatch(login) for login in logins):
            raise RefusedError(400, "Invalid username(s), email(s), or ID(s). Bad Identifiers.")
        found = self._channels(ids) + [self._state.find(login) for login in logins]
        unique = {channel.user_id: channel for channel in found if channel is not None}
        return answer({"data": [self._user(channel) for channel in unique.values()]})

    async def streams(self, request: web.Request) -> web.Response:
        query = request.query
        ids, logins = _ids(request, "user_id"), [login.lower() for login in _all(request, "user_login")]
        games, languages = _all(request, "game_id"), _all(request, "language")
        for name, values in (
            ("user_id", ids),
            ("user_login", logins),
            ("game_id", games),
            ("language", languages),
        ):
            _at_most(values, name)
        if query.get("type", "all") not in {"all", "live"}:
            raise RefusedError(400, 'The parameter "type" was malformed: the value must be one of all, live')
        size = _first(query.get("first", "20"))
        known_ids, known_logins = set(ids), set(logins)
        shown = [
            (channel, stream)
            for channel, stream in self._state.visible_streams()
            if (not (known_ids or known_logins)) or channel.user_id in known_ids or channel.login in known_logins
        ]
        shown = [pair for pair in shown if not games or pair[0].category.id in games]
        shown = [pair for pair in shown if not languages or pair[0].language in languages]
        items, pagination = page(shown, size, query.get("after"), query.get("before"))
        return answer({"data": [self._stream(*pair) for pair in items], "pagination": pagination})

    async def channels(self, request: web.Request) -> web.Response:
        ids = _ids(request, "broadcaster_id")
        if not ids:
            raise RefusedError(400, 'Missing required parameter "broadcaster_id"')
        _at_most(ids, "broadcaster_id")
        return answer({"data": [_channel(channel) for channel in self._channels(ids)]})

    async def followers(self, request: web.Request) -> web.Response:
        """With an app access token Twitch tells the total and nobody's name."""
        ids = _ids(request, "broadcaster_id")
        if not ids:
            raise RefusedError(400, 'Missing required parameter "broadcaster_id"')
        if "user_id" in request.query:
            raise RefusedError(401, "The user access token is missing the moderator:read:followers scope.")
        channel = self._state.channels.get(ids[0])
        if channel is None:
            raise RefusedError(400, "The broadcaster_id query parameter is not valid.")
        return answer({"total": channel.followers, "data": [], "pagination": {}})

    async def games(self, request: web.Request) -> web.Response:
        ids, names, igdb = _all(request, "id"), _all(request, "name"), _all(request, "igdb_id")
        if not ids and not names and not igdb:
            raise RefusedError(400, "Must provide an id, name or igdb_id.")
        _at_most(ids + names + igdb, "id")
        wanted = {name.casefold() for name in names}
        found = [
            category
            for key, category in self._state.categories.items()
            if category.id and (category.id in ids or key in wanted)
        ]
        return answer({"data": [self._game(category) for category in found]})

    def _channels(self, ids: list[str]) -> list[Channel]:
        channels = self._state.channels
        return [channels[user_id] for user_id in dict.fromkeys(ids) if user_id in channels]

    def _user(self, channel: Channel) -> dict[str, Any]:
        return {
            "id": channel.user_id,
            "login": channel.login,
            "display_name": channel.display_name,
            "type": "",
            "broadcaster_type": "affiliate",
            "description": channel.description,
            "profile_image_url": f"{self.images}/profile/{channel.user_id}-300x300.png",
            "offline_image_url": "",
            "view_count": 0,
            "created_at": rfc3339(channel.created_at),
        }

    def _stream(self, channel: Channel, stream: Stream) -> dict[str, Any]:
        return {
            "id": stream.id,
            "user_id": channel.user_id,
            "user_login": channel.login,
            "user_name": channel.display_name,
            "game_id": channel.category.id,
            "game_name": channel.category.name,
            "type": stream.type,
            "title": channel.title,
            "viewer_count": stream.viewers,
            "started_at": rfc3339(stream.started_at),
            "language": channel.language,
            "thumbnail_url": f"{self.images}/live/{channel.user_id}-{{width}}x{{height}}.png",
            "tag_ids": [],
            "tags": list(channel.tags),
            "is_mature": False,
        }

    def _game(self, category: Category) -> dict[str, Any]:
        url = f"{self.images}/boxart/{category.id}-{{width}}x{{height}}.png"
        return {"id": category.id, "name": category.name, "box_art_url": url, "igdb_id": ""}


def _channel(channel: Channel) -> dict[str, Any]:
    return {
        "broadcaster_id": channel.user_id,
        "broadcaster_login": channel.login,
        "broadcaster_name": channel.display_name,
        "broadcaster_language": channel.language,
        "game_id": channel.category.id,
        "game_name": channel.category.name,
        "title": channel.title,
        "delay": 0,
        "tags": list(channel.tags),
        "content_classification_labels": [],
        "is_branded_content": False,
    }


def _all(request: web.Request, name: str) -> list[str]:
    return list(dict.fromkeys(request.query.getall(name, [])))


def _ids(request: web.Request, name: str) -> list[str]:
    ids = _all(request, name)
    if not all(_DIGITS.fullmatch(given) for given in ids):
        message = f'The parameter "{name}" was malformed: the value must match the regular expression /^[0-9]+$/'
        raise RefusedError(400, message)
    return ids


def _at_most(values: list[str], name: str) -> None:
    if len(values) > MOST:
        raise RefusedError(400, f'The parameter "{name}" was malformed: at most {MOST} values are allowed')


def _first(given: str) -> int:
    if not _DIGITS.fullmatch(given) or not 1 <= int(given) <= MOST:
        raise RefusedError(400, f'The parameter "first" was malformed: the value must be from 1 to {MOST}')
    return int(given)


class Videos:
    """Archives only, the newest first. `images` is the address below which pictures are served."""

    def __init__(self, state: State) -> None:
        self.images = ""
        self._state = state

    async def handle(self, request: web.Request) -> web.Response:
        query = request.query
        by = [name for name in _BY if query.get(name)]
        if len(by) != 1:
            raise RefusedError(400, "The request must specify either the id or user_id or game_id query parameter.")
        for name, allowed in _CHOICES.items():
            if query.get(name, next(iter(allowed))) not in allowed:
                raise RefusedError(400, f"The value in the {name} query parameter is not valid.")
        first = query.get("first", "20")
        if not first.isdecimal() or not 1 <= int(first) <= _MOST:
            raise RefusedError(400, f"The value in the first query parameter must be from 1 to {_MOST}.")
        wanted = set(query.getall(by[0]))
        shown = [pair for pair in self._state.visible_videos() if _names(*pair)[by[0]] in wanted]
        if by[0] == "id" and not shown:
            raise RefusedError(404, "The ID in the id query parameter was not found.")
        if query.get("type", "all") not in {"all", "archive"}:
            shown = []
        items, pagination = page(shown, int(first), query.get("after"), query.get("before"))
        return answer({"data": [self._video(*pair) for pair in items], "pagination": pagination})

    def _video(self, channel: Channel, video: Video) -> dict[str, Any]:
        began = rfc3339(video.started_at)
        return {
            "id": video.id,
            "stream_id": video.stream_id,
            "user_id": channel.user_id,
            "user_login": channel.login,
            "user_name": channel.display_name,
            "title": video.title,
            "description": "",
            "created_at": began,
            "published_at": began,
            "url": f"https://www.twitch.tv/videos/{video.id}",
            "thumbnail_url": f"{self.images}/live/{channel.user_id}-%{{width}}x%{{height}}.png",
            "viewable": "public",
            "view_count": 0,
            "language": channel.language,
            "type": "archive",
            "duration": _duration((video.ended_at or self._state.now()) - video.started_at),
            "muted_segments": None,
        }


def _names(channel: Channel, video: Video) -> dict[str, str]:
    return {"id": video.id, "user_id": channel.user_id, "game_id": channel.category.id}


def _duration(seconds: float) -> str:
    """As Twitch writes it: 1h2m3s, 3m21s, 5s."""
    minutes, rest = divmod(max(int(seconds), 0), 60)
    hours, minutes = divmod(minutes, 60)
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if hours or minutes else "") + f"{rest}s"
