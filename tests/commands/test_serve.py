"""`serve` as a process: its one line, its signals, its ends, and the commands that talk to it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.control import address
from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.simulator import Simulator
from tests.support import rawhttp
from tests.support.commands import beside, clean_environ
from tests.support.process import MODULE, ROOT, Serve, arguments
from tests.support.waiting import until

SECRET = "a-secret-of-this-test"
CONFIG = f"""
[server]
port = 0
[secrets]
store = "memory"
[retry]
initial_delay = "1h"
max_delay = "2h"
[destinations.main]
url = "RECEIVER/main"
secret = "{SECRET}"
[destinations.down]
url = "RECEIVER/down"
[streamers.alice]
login = "alice"
destinations = ["main", "down"]
[streamers.bob]
login = "bob"
destinations = ["main"]
"""


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator() as simulator:
        for login in ("alice", "bob"):
            simulator.add_channel(login)
        simulator.receiver.expect("main", secret=SECRET)
        yield simulator


@pytest.fixture
def paths(tmp_path: Path, simulator: Simulator) -> Paths:
    paths = Paths(tmp_path / "config" / "config.toml", tmp_path / "data")
    paths.config.parent.mkdir()
    paths.config.write_text(CONFIG.replace("RECEIVER", f"{simulator.url}/receiver"), encoding="utf-8")
    return paths


@pytest.fixture
async def serve(paths: Paths, simulator: Simulator) -> AsyncIterator[Serve]:
    """Not started yet."""
    serve = Serve(paths, simulator.environment())
    try:
        yield serve
    finally:
        await serve.close()


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])


@contextlib.asynccontextmanager
async def _dead_end() -> AsyncIterator[tuple[str, list[bytes]]]:
    """An address that takes connections and never answers, and what was sent there."""
    heard: list[bytes] = []
    gone = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(200))
        await gone.wait()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", heard
    finally:
        gone.set()
        server.close()
        await server.wait_closed()


async def test_one_line_on_stdout_then_a_clean_end(serve: Serve, simulator: Simulator) -> None:
    url = await serve.started()
    assert url.startswith("http://127.0.0.1:")
    assert _port(url) > 0  # port 0 of the config is honoured: a free one
    answer = await rawhttp.ask(("127.0.0.1", _port(url)), rawhttp.request(target="/health"))
    assert json.loads(answer.body)["status"] == "healthy"
    assert serve.paths.control.exists()

    assert serve.process.stdout is not None
    begun = time.monotonic()
    if sys.platform == "win32":
        serve.process.send_signal(signal.CTRL_BREAK_EVENT)
    else:
        serve.process.send_signal(signal.SIGTERM)
    rest = await serve.process.stdout.read()
    assert await serve.ended() == 0
    assert time.monotonic() - begun < 5
    assert rest == b""  # the ready line was all
    assert not serve.paths.control.exists()
    assert "the webhook secret is at hand" in serve.log.read_text()  # logs went to stderr
    assert "Traceback" not in serve.log.read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C cannot be sent to one process there")
async def test_ctrl_c_ends_it_as_well(serve: Serve) -> None:
    await serve.started()
    serve.process.send_signal(signal.SIGINT)
    assert await serve.ended() == 0
    assert not serve.paths.control.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGTERM there")
async def test_a_signal_during_the_start(serve: Serve) -> None:
    """Whenever it comes: the end is clean or, before Python was ready for it, that of any killed process."""
    for delay in (0.02, 0.1, 0.2, 0.3):
        await serve.start()
        await asyncio.sleep(delay)
        serve.process.send_signal(signal.SIGTERM)
        assert await serve.ended(timeout=10) in {0, -signal.SIGTERM}
        assert not serve.paths.control.exists()
    await serve.started()
    assert await serve.stop() == 0


async def test_ready_before_any_contact_with_twitch(paths: Paths) -> None:
    async with _dead_end() as (url, heard):
        environ = {
            "ITSJUSTINTV_TWITCH_API_URL": f"{url}/helix",
            "ITSJUSTINTV_TWITCH_AUTH_URL": f"{url}/oauth2",
            "ITSJUSTINTV_TWITCH_CLIENT_ID": "a-client-id",
            "ITSJUSTINTV_TWITCH_CLIENT_SECRET": "a-client-secret",
            "ITSJUSTINTV_TWITCH_WEBHOOK_SECRET": SECRET,
        }
        serve = Serve(paths, environ)
        try:
            ready = await serve.started()
            await until(lambda: heard, what="it asked Twitch for a token")
            answer = await rawhttp.ask(("127.0.0.1", _port(ready)), rawhttp.request(target="/health"))
            assert answer.status == 200
            begun = time.monotonic()
            assert await serve.stop() == 0  # with Twitch still owing an answer
            assert time.monotonic() - begun < 6
        finally:
            await serve.close()


async def test_a_live_stream_reaches_its_destinations(serve: Serve, simulator: Simulator) -> None:
    url = await serve.started()
    await simulator.subscribe(simulator.state.get("bob").user_id, "stream.online", f"{url}/twitch")
    await simulator.go_live("bob")
    (received,) = await simulator.receiver.wait_for(1, "main")
    assert received.verified
    assert received.json["streamer_login"] == "bob"
    await serve.stop()
    log = serve.log.read_text()
    for secret in (SECRET, simulator.client_secret, simulator.webhook_secret, "/receiver/", "sha256="):
        assert secret not in log


async def test_a_taken_port_is_a_sentence_and_1(paths: Paths, simulator: Simulator) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        environ = {**simulator.environment(), "ITSJUSTINTV_SERVER_PORT": str(port)}
        result = await beside(paths, "serve", environ=environ)
    assert (result.code, result.out) == (1, "")
    assert f"port {port}: another program uses it" in result.err
    assert "Traceback" not in result.err
    assert not paths.control.exists()


async def test_a_second_one_is_refused(serve: Serve, paths: Paths, simulator: Simulator) -> None:
    await serve.started()
    before = paths.control.read_bytes()
    result = await beside(paths, "serve", environ=simulator.environment())
    assert (result.code, result.out) == (1, "")
    assert "already runs" in result.err
    assert paths.control.read_bytes() == before
    assert await serve.stop() == 0


async def test_after_a_kill_it_starts_again(serve: Serve, paths: Paths, simulator: Simulator) -> None:
    """The lock went with the process; its control.json is stale and gets replaced."""
    await serve.started()
    await serve.kill()
    stale = address.read(paths.control)
    assert stale is not None
    result = await beside(paths, "deliveries", "list", "--json", environ=simulator.environment())
    assert (result.code, result.json) == (0, [])
    await serve.started()
    found = address.read(paths.control)
    assert found is not None
    assert found.pid == serve.process.pid
    assert found.token != stale.token


@pytest.mark.skipif(sys.platform == "win32", reason="a closed stdout looks different there")
async def test_nobody_reads_its_stdout(paths: Paths, simulator: Simulator) -> None:
    """A service manager may close it: that is no reason to stop announcing."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    process = await asyncio.create_subprocess_exec(
        sys.executable, *MODULE, *arguments(paths), "serve", cwd=ROOT, env=clean_environ(simulator.environment()),
        stdin=subprocess.DEVNULL, stdout=write_end, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(write_end)
    try:
        await until(paths.control.exists, what="it runs")
        await asyncio.sleep(0.3)
        assert process.returncode is None
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.fixture
async def announced(serve: Serve, simulator: Simulator) -> Serve:
    """Running; alice's stream was delivered to `main` (1) and waits for `down` (2)."""
    simulator.faults.set_receiver("down", status=500)
    url = await serve.started()
    await simulator.subscribe(simulator.state.get("alice").user_id, "stream.online", f"{url}/twitch")
    await simulator.go_live("alice")
    await simulator.receiver.wait_for(1, "main")
    await until(lambda: simulator.receiver.received("down"), what="the other destination was tried")
    return serve


async def test_commands_steer_the_running_one(announced: Serve, simulator: Simulator) -> None:
    paths, environ = announced.paths, simulator.environment()

    async def run(*command: str) -> dict[str, object]:
        result = await beside(paths, "deliveries", *command, "--json", environ=environ)
        assert (result.code, result.err) == (0, "")
        found: dict[str, object] = result.json
        return found

    listed = await beside(paths, "deliveries", "list", "--json", "--state", "pending", environ=environ)
    assert [(each["id"], each["destination"]) for each in listed.json] == [(2, "down")]

    again = await run("resend", "1")
    assert again["id"] == 3
    await simulator.receiver.wait_for(2, "main")

    dropped = await run("drop", "2")
    assert dropped["state"] == "dropped"

    simulator.faults.clear()
    result = await beside(paths, "deliveries", "retry", "2", environ=environ)
    assert result.out == "Delivery 2 to down is due now.\n"  # and not "when the program runs": it does
    first, second = await _both(simulator)
    assert first == second

    refused = await beside(paths, "deliveries", "drop", "1", environ=environ)
    assert (refused.code, refused.out) == (1, "")
    assert "delivered already" in refused.err
    assert (await beside(paths, "deliveries", "retry", "99", environ=environ)).code == 1


async def _both(simulator: Simulator) -> tuple[str, str]:
    await simulator.receiver.wait_for(1, "down")
    first, second = simulator.receiver.received("down")
    return first.webhook_id, second.webhook_id


async def test_test_event_through_the_running_one(announced: Serve, simulator: Simulator) -> None:
    paths, environ = announced.paths, simulator.environment()
    result = await beside(paths, "test-event", "BOB", environ=environ)
    assert result.code == 0, result.err
    assert result.out == "main: delivered, the answer was 204.\n"
    last = simulator.receiver.accepted("main")[-1]
    assert last.verified
    assert (last.json["test"], last.json["streamer_login"]) == (True, "bob")

    result = await beside(paths, "test-event", "nobody", environ=environ)
    assert (result.code, result.out) == (1, "")
    assert "There are: alice, bob." in result.err
