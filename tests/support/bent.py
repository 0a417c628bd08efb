"""Twitch's answers, changed on their way to us: what documentation rules out and Twitch was seen to send."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
import pytest
from multidict import CIMultiDict

from itsjustintv_desktop.engine.twitch.http import TwitchHttp, TwitchResponse

MISSING = object()
"""Instead of a value: the field is not there."""
OTHERS: tuple[Any, ...] = (None, MISSING, 17, "text", True, [], {}, [None], {"a": 1}, -1.5)
"""What may stand in place of any field; what happens to be of the right type is as good as any."""


def bend(patch: pytest.MonkeyPatch, http: TwitchHttp, path: str, change: Callable[[Any], Any]) -> None:
    """From now on `change` gets the JSON that addresses ending in `path` answer, and gives what comes instead."""
    plain = http.exchange

    async def exchange(method: str, url: str, **details: Any) -> TwitchResponse:
        answer = await plain(method, url, **details)
        if not url.endswith(path) or not answer.body:
            return answer
        return answer._replace(body=msgspec.json.encode(change(msgspec.json.decode(answer.body))))

    patch.setattr(http, "exchange", exchange)


def put(where: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy of `where` with `value` at `path`."""
    if not path:
        return value
    first, rest = path[0], path[1:]
    if isinstance(where, list):
        return [put(item, rest, value) if index == first else item for index, item in enumerate(where)]
    if not rest and value is MISSING:
        return {key: item for key, item in where.items() if key != first}
    return {key: put(item, rest, value) if key == first else item for key, item in where.items()}


def paths(where: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Of every field in it, however deep."""
    if isinstance(where, dict):
        for key, item in where.items():
            yield (*before, key)
            yield from paths(item, (*before, key))
    elif isinstance(where, list):
        for index, item in enumerate(where):
            yield from paths(item, (*before, index))


def refuse(
    patch: pytest.MonkeyPatch,
    http: TwitchHttp,
    path: str,
    status: int,
    message: str = "",
    headers: Mapping[str, str] | None = None,
) -> list[str]:
    """From now on addresses ending in `path` are answered like this; the tokens that they were asked with."""
    plain = http.exchange
    asked: list[str] = []

    async def exchange(method: str, url: str, **details: Any) -> TwitchResponse:
        if not url.endswith(path):
            return await plain(method, url, **details)
        asked.append(details["headers"]["Authorization"])
        body = msgspec.json.encode({"error": "Refused", "status": status, "message": message})
        return TwitchResponse(status, CIMultiDict(headers or {}), body)

    patch.setattr(http, "exchange", exchange)
    return asked
