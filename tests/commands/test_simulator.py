"""`simulator` as a process: the environment it prints points the program at it."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.config.endpoints import Endpoints
from itsjustintv_desktop.engine.core.paths import Paths
from tests.support import rawhttp
from tests.support.commands import beside, clean_environ
from tests.support.process import MODULE, ROOT


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGTERM there")
async def test_it_prints_what_to_set_and_serves(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, *MODULE, "simulator", "--channel", "alice", cwd=ROOT, env=clean_environ(),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        environ: dict[str, str] = {}
        notes: list[str] = []
        async with asyncio.timeout(15):
            while len(notes) < 2:
                line = (await process.stdout.readline()).decode().rstrip("\n")
                assert line, "it ended"
                if line.startswith("#"):
                    notes.append(line)
                else:
                    name, _, value = line.removeprefix("export ").partition("=")
                    environ[name] = value
        endpoints = Endpoints.from_environ(environ)
        assert endpoints.api_url == environ["ITSJUSTINTV_TWITCH_API_URL"]
        assert environ["ITSJUSTINTV_TWITCH_API_URL"].startswith("http://127.0.0.1:")
        assert any("/receiver/" in note for note in notes)

        config = tmp_path / "config.toml"
        config.write_text('[secrets]\nstore = "memory"\n[streamers.alice]\nlogin = "alice"\n')
        result = await beside(Paths(config, tmp_path / "data"), "test-event", "alice", "--json", environ=environ)
        assert result.code == 0, result.err

        host, _, port = endpoints.api_url.removeprefix("http://").removesuffix("/helix").partition(":")
        answer = await rawhttp.ask((host, int(port)), rawhttp.request(target="/simulator/state"))
        assert b'"users"' in answer.body  # the program did ask it
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            _, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")


async def test_a_taken_port_is_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        result = await beside(Paths(tmp_path / "c.toml", tmp_path / "d"), "simulator", "--port", str(port))
    assert (result.code, result.out) == (1, "")
    assert "another program uses it" in result.err
