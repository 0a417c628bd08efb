"""/helix/videos: the VODs of past streams, and of the one that runs."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from itsjustintv_desktop.simulator.answers import RefusedError, answer, page
from itsjustintv_desktop.simulator.clock import rfc3339
from itsjustintv_desktop.simulator.state import Channel, State, Video

_BY = ("id", "user_id", "game_id")
_CHOICES = {
    "type": {"all", "archive", "highlight", "upload"},
    "period": {"all", "day", "week", "month"},
    "sort": {"time", "trending", "views"},
}
_MOST = 100


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
