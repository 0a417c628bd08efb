"""Who has to go when all places are taken, and who is counted."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from itsjustintv_desktop.engine.ingress import places
from itsjustintv_desktop.engine.ingress.acme.sni_server import SniServer
from itsjustintv_desktop.engine.ingress.places import Limits, Place, Places
from tests.support import rawhttp, signed
from tests.support.clock import FakeClock
from tests.support.public import PublicRig, public_port
from tests.support.waiting import until

_OWES_A_BODY = b"POST /twitch HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n"
_HALF_A_HEAD = b"POST /twitch HTTP/1.1\r\nHost:"


class _Socket(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.aborted = False

    def abort(self) -> None:
        self.aborted = True


class _Rig:
    """Places of which eight are there, one of them for those that send promptly."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.all = Places("test", Limits(connections=8), self.clock)
        self.sockets: dict[str, _Socket] = {}
        self._late = 60.0

    def new(self, name: str) -> Place:
        """It has just come."""
        place = Place(asyncio.get_running_loop().time(), 10.0)
        self.sockets[name] = _Socket()
        self.all.add(place, self.sockets[name])
        return place

    def silent(self, name: str) -> Place:
        """It came long ago; those called first the longest."""
        place = self.new(name)
        self._late -= 1.0
        place.since -= self._late
        return place

    def owing(self, name: str) -> Place:
        place = self.new(name)
        place.busy = True
        self.all.owes(place)
        self._late -= 1.0
        place.since -= self._late
        return place

    def idle(self, name: str, *, proven: bool = False) -> Place:
        place = self.new(name)
        place.served, place.proven = True, proven
        return place

    def busy(self, name: str) -> Place:
        place = self.new(name)
        place.busy = True
        return place

    def gone(self) -> list[str]:
        return [name for name, socket in self.sockets.items() if socket.aborted]


@pytest.fixture
async def rig() -> _Rig:
    return _Rig()


async def test_those_that_owe_a_body_go_first_the_oldest_before_the_others(rig: _Rig) -> None:
    rig.silent("silent")
    rig.idle("stranger")
    rig.idle("twitch", proven=True)
    for name in ("body 1", "body 2", "body 3", "body 4"):
        rig.owing(name)
    expected: set[str] = set()
    for name in ("body 1", "body 2", "body 3", "body 4", "silent", "stranger"):
        assert set(rig.gone()) == expected
        rig.busy(f"before {name} goes")
        expected.add(name)
    assert set(rig.gone()) == expected
    assert len(rig.all) == 7


async def test_the_last_places_are_for_those_that_send_promptly(rig: _Rig) -> None:
    for number in range(8):
        rig.new(f"prompt {number}")
    assert rig.gone() == [], "none of them is late yet"
    rig.new("another")
    assert rig.gone() == ["prompt 0"]
    rig.idle("stranger")
    assert rig.gone() == ["prompt 0", "prompt 1"]
    rig.new("a third")
    assert rig.gone()[2:] == ["stranger"], "that one is in no hurry"


async def test_of_those_that_are_prompt_a_crowd_that_owes_bodies_makes_room(rig: _Rig) -> None:
    rig.new("twitch")
    for number in range(20):
        place = rig.new(f"body {number}")
        rig.all.owes(place)
    assert len(rig.gone()) == 13
    assert "twitch" not in rig.gone()


async def test_what_is_handled_never_goes_and_twitch_goes_last(rig: _Rig) -> None:
    rig.idle("twitch", proven=True)
    for number in range(7):
        rig.busy(f"busy {number}")
    assert rig.gone() == []
    rig.new("another")
    assert rig.gone() == ["another"]
    rig.busy("busy 7")
    assert rig.gone() == ["another", "busy 7"], "it was new, and nothing of it was handled yet"


async def test_a_body_that_came_is_owed_no_more(rig: _Rig) -> None:
    places = [rig.owing(f"body {number}") for number in range(7)]
    rig.all.paid(places[0])
    for number in range(7):
        rig.new(f"new {number}")
    assert rig.gone() == [f"body {number}" for number in range(1, 7)]


async def test_too_many_are_in_health_for_a_while_and_rarely_in_the_log(rig: _Rig) -> None:
    with capture_logs() as lines:
        for number in range(500):
            rig.new(f"new {number}")
            rig.clock.advance(1.0)
    assert [line["event"] for line in lines] == ["too many connections at once: the slow ones are closed"]
    part = rig.all.health()
    assert part is not None
    assert part.level == "waiting"
    assert part.reason.startswith("Too many connections at once: 492 were closed early")
    rig.clock.advance(places.REMEMBERED)
    assert rig.all.health() is None
    with capture_logs() as lines:
        rig.new("another")
    assert lines[0]["more_since_last"] == 491
    part = rig.all.health()
    assert part is not None
    assert ": 1 were" in part.reason


async def test_those_that_left_have_no_place(rig: _Rig) -> None:
    for number in range(500):
        rig.all.remove(rig.owing(f"body {number}"))
    assert (len(rig.all), rig.gone()) == (0, [])


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[PublicRig]:
    async with public_port(tmp_path, Limits(connections=16)) as rig:
        yield rig


@pytest.mark.fault(
    "strangers: connections that never send their body", seen='Twitch is served; health: "Too many connections at once"'
)
@pytest.mark.parametrize("begin", [_OWES_A_BODY, _HALF_A_HEAD, b"", rawhttp.request(target="/health")])
async def test_more_than_there_are_places(small: PublicRig, begin: bytes) -> None:
    """Prompt and idle connections are told apart by what they do, so this needs no waiting."""
    async with contextlib.AsyncExitStack() as crowd:
        for _ in range(40):
            client = await crowd.enter_async_context(rawhttp.connect(small.address))
            with contextlib.suppress(ConnectionError):
                await client.send(begin)
        for _ in range(20):
            assert (await small.post(signed.online(small.now()))).status == 204
        assert len(small.server.places) <= 16
        assert small.server.places.health() is not None


def _anything() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


@pytest.mark.fault(
    "strangers: connections that never begin TLS", seen='Twitch is served; health: "Too many connections at once"'
)
async def test_a_connection_counts_before_its_tls_handshake(tmp_path: Path) -> None:
    async with public_port(tmp_path, Limits(connections=16), tls=SniServer().context) as rig:
        async with contextlib.AsyncExitStack() as crowd:
            silent = [await crowd.enter_async_context(rawhttp.connect(rig.address)) for _ in range(10)]
            await until(lambda: len(rig.server.places) == 10)
            silent += [await crowd.enter_async_context(rawhttp.connect(rig.address)) for _ in range(20)]
            await until(lambda: rig.server.places.refused >= 14)
            assert len(rig.server.places) <= 16
            await silent[0].closed(timeout=2)
            reader, writer = await asyncio.open_connection(*rig.address, ssl=_anything())
            writer.write(rawhttp.request(target="/health"))
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()
        await until(lambda: len(rig.server.places) == 0, what="those that left are not counted")
        before = rig.server.places.refused
        bad = await asyncio.open_connection(*rig.address)
        bad[1].write(b"GET / HTTP/1.1\r\n\r\n")
        assert not (await bad[0].read()).startswith(b"HTTP")
        bad[1].close()
        await until(lambda: len(rig.server.places) == 0, what="a failed handshake is not counted")
        assert rig.server.places.refused == before
