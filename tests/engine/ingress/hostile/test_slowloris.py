"""Crowds of hostile connections, more than there are places, and Twitch among them."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import statistics
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from itsjustintv_desktop.engine.ingress.acme.sni_server import SniServer
from itsjustintv_desktop.engine.ingress.places import Place
from tests.engine.ingress.hostile import crowd
from tests.support import rawhttp, signed
from tests.support.public import PublicRig, public_port
from tests.support.waiting import until

COUNT = 1000
SILENT = 1300
_OPEN_FILES = 1024
"""What most systems allow a process that does not ask for more. The crowd does."""
_ROOT = Path(__file__).parents[4]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


@pytest.fixture(autouse=True)
def _descriptors() -> Iterator[None]:
    if sys.platform == "win32":
        yield
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < SILENT + 100:
        pytest.skip(f"{SILENT + 100} open files are needed, this system allows {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextlib.asynccontextmanager
async def _crowd(address: rawhttp.Address, kind: str, count: int) -> AsyncIterator[None]:
    arguments = ("-m", crowd.__name__, address[0], str(address[1]), str(count), kind)
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, cwd=_ROOT)
    try:
        yield
        assert process.returncode is None, "the crowd went home early"
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@pytest.mark.fault(
    "strangers: 1,000 hostile connections", seen='Twitch is served; health: "Too many connections at once"'
)
@pytest.mark.parametrize("kind", crowd.KINDS)
async def test_a_thousand_hostile_connections_do_not_keep_twitch_waiting(
    port: PublicRig, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    places = port.server.places
    seconds: list[float] = []
    came, add = 0, places.add

    def counted(place: Place, transport: asyncio.BaseTransport) -> None:
        nonlocal came
        came += 1
        add(place, transport)

    places.add = counted  # type: ignore[method-assign]
    # We hang up on the deaf after one answer: whether they ever fill all places depends on whose processor is faster.
    stays = kind != "deaf"
    with capture_logs() as lines:
        async with _crowd(port.address, kind, COUNT):
            # More than fit have come: every place is taken, and the rest fights for them.
            await until(
                lambda: came >= COUNT and (not stays or places.refused >= COUNT - 512),
                timeout=45,
                what="the crowd came",
            )
            for _ in range(50):
                begun = time.monotonic()
                assert (await port.post(signed.online(port.now()), timeout=10.0)).status == 204
                seconds.append(time.monotonic() - begun)
                await asyncio.sleep(0.05)
            assert len(places) <= 512
    assert len(await port.ledger.events(limit=100)) == 50
    part = places.health()
    assert part is not None
    assert (part.level, part.reason.startswith("Too many connections at once")) == ("waiting", True)
    assert len(lines) <= 2, lines
    median, worst = statistics.median(seconds), max(seconds)
    with capsys.disabled():
        print(f"\n{kind}, {COUNT} sockets: median {median * 1000:.1f} ms, worst {worst * 1000:.1f} ms")
    assert median < 1.0
    assert worst < 10.0  # so long Twitch waits


def _anything() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


@pytest.mark.fault(
    "strangers: connections that never begin TLS", seen='Twitch is served; health: "Too many connections at once"'
)
async def test_connections_that_never_begin_tls_do_not_use_up_all_files(tmp_path: Path) -> None:
    async with public_port(tmp_path, tls=SniServer().context) as port:
        places, seconds = port.server.places, []
        with capture_logs() as lines:
            async with _crowd(port.address, "silent", SILENT):
                await until(lambda: places.refused >= SILENT - 512, timeout=45, what="all places are taken")
                for _ in range(30):
                    begun = time.monotonic()
                    reader, writer = await asyncio.open_connection(*port.address, ssl=_anything())
                    twitch = rawhttp.Connection(reader, writer)
                    await twitch.send(signed.online(port.now()).request())
                    assert (await twitch.answer()).status == 204
                    await twitch.close()
                    seconds.append(time.monotonic() - begun)
                assert len(places) <= 512
        part = places.health()
        assert part is not None
        assert part.level == "waiting"
        assert len(lines) <= 2, lines
    assert statistics.median(seconds) < 1.0
    assert max(seconds) < 10.0
