"""What strangers on this machine, and on the internet, see and cannot do; and how a person learns of them."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.control import address
from itsjustintv_desktop.engine.control.client import ControlClient
from tests.support import rawhttp
from tests.support.engine import Running, running_engine
from tests.support.waiting import until


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    async with running_engine(tmp_path) as running:
        yield running


def _control(running: Running) -> tuple[rawhttp.Address, str]:
    found = address.read(running.engine.paths.control)
    assert found is not None
    return ("127.0.0.1", found.port), found.token


def _request(token: str, *, headers: str, version: str = "1.1") -> bytes:
    return f"GET /v1/health HTTP/{version}\r\n{headers}Authorization: Bearer {token}\r\n\r\n".encode()


async def _crowd(to: rawhttp.Address, count: int, stack: contextlib.AsyncExitStack) -> None:
    for _ in range(count):
        await stack.enter_async_context(rawhttp.connect(to))


async def test_a_crowd_at_the_control_port_keeps_no_command_out(running: Running) -> None:
    control, _ = _control(running)
    found = address.read(running.engine.paths.control)
    assert found is not None
    async with contextlib.AsyncExitStack() as stack:
        await _crowd(control, 200, stack)
        async with ControlClient(found) as client:
            report = await client.health()
        part = report["parts"]["control port"]
        assert part["status"] == "waiting"
        assert part["reason"].startswith("Too many connections at once: 1")


@pytest.mark.fault(
    "strangers: connections that never send their body", seen='Twitch is served; health: "Too many connections at once"'
)
async def test_a_crowd_at_the_public_port_is_in_health_and_makes_nobody_restart_it(running: Running) -> None:
    assert running.engine.address is not None
    assert "public port" not in (await running.engine.doctor.health())["parts"]
    async with contextlib.AsyncExitStack() as stack:
        await _crowd(running.engine.address, 520, stack)
        report = await running.engine.doctor.health()
        answer = await rawhttp.ask(running.engine.address, rawhttp.request(target="/health"))
    assert report["parts"]["public port"]["status"] == "waiting"
    assert (answer.status, json.loads(answer.body)["status"]) == (200, "healthy")
    assert "public port" in [each.code for each in (await running.engine.snapshot()).status.problems]


@pytest.mark.parametrize(
    ("headers", "version", "status"),
    [
        ("", "1.1", 400),
        ("Host: 127.0.0.1\r\nHost: 127.0.0.1\r\n", "1.1", 400),
        ("Host: 127.0.0.1\r\nHost: a.example\r\n", "1.0", 400),
        ("", "1.0", 403),
        ("Host: a.example\r\n", "1.1", 403),
        ("Host: 127.0.0.1@a.example\r\n", "1.1", 400),
        ("Host: 127.0.0.1\r\nOrigin: null\r\n", "1.1", 403),
        ("Host: 127.0.0.1\r\n", "2.0", 400),
        ("Host: 127.0.0.1\r\n", "1.1", 200),
    ],
)
async def test_the_host_that_is_asked_for(running: Running, headers: str, version: str, status: int) -> None:
    """An error in the log would fail this test."""
    control, token = _control(running)
    answer = await rawhttp.ask(control, _request(token, headers=headers, version=version))
    assert answer.status == status


async def test_who_sends_nothing_is_closed(running: Running) -> None:
    control, token = _control(running)
    places = running.engine.control._places
    async with rawhttp.connect(control) as silent, rawhttp.connect(control) as reader:
        await reader.send(
            f"GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
        )
        await until(lambda: len(places) == 2 and any(place.busy for place in places._taken))
        for place in places._taken:
            assert place.busy == (place.deadline == math.inf)
            place.deadline = max(place.deadline - 3600.0, 0.0)  # an hour passes
        await silent.closed()
        assert len(places) == 1
        assert await reader.is_open()
