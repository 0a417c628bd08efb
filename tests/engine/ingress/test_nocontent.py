from __future__ import annotations

import asyncio
import time
from email.utils import parsedate_to_datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiohttp import web

from itsjustintv_desktop.engine.ingress.nocontent import NoContent


class Wire:
    """As much of a transport as an answer needs."""

    def __init__(self) -> None:
        self.written = b""
        self.closing = False

    def write(self, data: bytes) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.closing


def _request(transport: Any) -> web.BaseRequest:
    return cast("web.BaseRequest", SimpleNamespace(transport=transport))


async def test_it_is_one_complete_answer_with_the_time_of_now(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = NoContent("someone")
    dates = []
    for now in (1_790_000_000.2, 1_790_000_000.9, 1_790_000_061.0):
        monkeypatch.setattr(time, "time", lambda now=now: now)
        wire = Wire()
        await answer.prepare(_request(wire))
        await answer.write_eof()
        head, end, body = wire.written.partition(b"\r\n\r\n")
        assert (end, body) == (b"\r\n\r\n", b"")
        line, *headers = head.decode().split("\r\n")
        assert line == "HTTP/1.1 204 No Content"
        values = dict(header.split(": ", 1) for header in headers)
        assert values.keys() == {"Server", "Date"}
        dates.append(parsedate_to_datetime(values["Date"]).timestamp())
    assert dates == [1_790_000_000, 1_790_000_000, 1_790_000_061]


@pytest.mark.parametrize("gone", [None, "closing"])
async def test_nobody_there_is_a_broken_connection(gone: str | None) -> None:
    wire = Wire()
    wire.closing = True
    with pytest.raises(ConnectionResetError):
        await NoContent("someone").prepare(_request(wire if gone else None))
    assert wire.written == b""
    assert asyncio.get_running_loop().is_running()
