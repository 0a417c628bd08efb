"""The demo as a person runs it, and that it can fail."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import aiohttp

from itsjustintv_desktop.demo import assertions, environment
from itsjustintv_desktop.engine.config.load import examine
from itsjustintv_desktop.simulator.server import Simulator


def test_the_demo_works_and_tells_each_step(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "itsjustintv_desktop", "--data-dir", str(tmp_path / "mine"), "demo", "--headless",
         "--seconds", "5"],
        capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.rstrip().endswith("Every announcement arrived, verified and once.")
    for step in (
        "asked 6 times whether our address is ours",
        "pixelforge -> chat: delivered (HTTP 204)",
        "bytewright -> archive: answered 503 Service Unavailable, again in",
        "-> archive: delivered at attempt ",
        "quietcorner: not announced. None of its tags is in the filter",
        "aurora_plays: not announced. This stream was announced before.",
    ):
        assert step in done.stdout
    assert done.stderr == ""
    assert not (tmp_path / "mine").exists(), "the demo touched the person's own data directory"


async def test_nothing_in_its_config_needs_a_look() -> None:
    async with Simulator() as simulator:
        found = examine(environment.config(simulator), simulator.environment())
    assert (found.problems, found.warnings) == ((), ())


async def post(simulator: Simulator, name: str, login: str) -> None:
    """A POST as our program would make it, but without a signature."""
    body = json.dumps({"streamer_login": login, "streamer_id": "1", "stream": {"id": "2"}})
    async with aiohttp.ClientSession() as session, session.post(simulator.receiver_url(name), data=body) as answer:
        await answer.read()


async def test_nothing_at_all_is_a_failure(tmp_path: Path) -> None:
    async with Simulator() as simulator:
        faults = assertions.faults(simulator, tmp_path / "output.json")
    assert "pixelforge did not arrive at chat" in faults
    assert "soupandstories is not in output.json" in faults
    assert not assertions.is_complete(simulator, tmp_path / "output.json")


async def test_doubles_strangers_and_unsigned_ones_are_failures(tmp_path: Path) -> None:
    feed = tmp_path / "output.json"
    entries = [{"payload": {"streamer_login": login}} for login in environment.EXPECTED]
    await asyncio.to_thread(feed.write_text, json.dumps(entries))
    async with Simulator() as simulator:  # no signature is demanded here, so that these get through
        for login, name in sorted(assertions.expected()):
            await post(simulator, name, login)
        await post(simulator, "chat", "pixelforge")
        await post(simulator, "chat", "quietcorner")
        faults = assertions.faults(simulator, feed)
    assert "pixelforge arrived 2 times at chat" in faults
    assert "quietcorner arrived at chat, which it must not" in faults
    assert "quietcorner is in output.json, which it must not" in faults
    assert "archive got bytewright without a right signature" in faults
