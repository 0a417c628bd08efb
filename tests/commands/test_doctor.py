"""`doctor`: its answer, its JSON and its exit codes, with and without a running program."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from itsjustintv_desktop.commands import doctor
from itsjustintv_desktop.engine.control import address
from itsjustintv_desktop.engine.control.address import ControlAddress
from itsjustintv_desktop.engine.control.lock import InstanceLock
from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.engine.ingress.catch_up import catch_up
from itsjustintv_desktop.engine.monitoring.doctor.report import (
    Check,
    CheckState,
    Chosen,
    amber,
    chosen,
    green,
    red,
    report_of,
)
from itsjustintv_desktop.engine.twitch.subscriptions import SubscriptionsState, reconciler
from tests.support.commands import beside, clean_environ, here
from tests.support.engine import Running, running_engine
from tests.support.ports import free_port
from tests.support.process import MODULE, ROOT, arguments
from tests.support.waiting import until

CONFIG = """
[twitch]
transport = "conduit"
[destinations.main]
url = "RECEIVER/main"
[streamers.alice]
login = "alice"
destinations = ["main"]
[streamers.bob]
login = "bob"
destinations = ["main"]
"""


@pytest.fixture
async def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Running]:
    """Everything is subscribed to."""
    monkeypatch.setattr(reconciler, "_SETTLE_SECONDS", 0.01)
    monkeypatch.setattr(catch_up, "LEAST", 0.01)
    async with running_engine(tmp_path, CONFIG, logins=("alice", "bob"), subscribe=False, secret=None) as running:
        reach = running.engine.reach

        def settled() -> bool:
            held = reach.subscriptions.status
            is_subscribed = held.state is SubscriptionsState.OK and held.enabled == 4
            return is_subscribed and reach.catch_up.status.state.value == "ok"

        await until(settled, what="all is subscribed to")
        yield running


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(tmp_path / "config.toml", tmp_path / "data")


async def test_a_running_program_in_all_its_ways_to_be_asked(running: Running) -> None:
    environ = running.simulator.environment()

    async def ask(*options: str) -> tuple[int, str, str]:
        found = await beside(running.paths, "doctor", *options, environ=environ)
        return found.code, found.out, found.err

    whole, machine, local, one, nobody = await asyncio.gather(
        ask(), ask("--json"), ask("--local"), ask("--streamer", "alice"), ask("--streamer", "mallory")
    )
    code, out, err = whole
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert all(line.startswith(("green ", "    ")) for line in lines[:-3]), out
    assert lines[0].startswith("green program: It runs and listens at 127.0.0.1 port ")
    assert lines[-3:-1] == ["", "All 2 streams will be announced."]
    assert 'An OBS "bandwidth test" fires no event' in lines[-1]

    code, out, _ = machine
    assert code == 0
    assert out.startswith('{\n  "ok": true,\n  "checks": [\n    {\n      "name": "program",\n      "state": "green",')

    code, out, _ = local
    assert code == 0
    assert "green public port: It answers at 127.0.0.1 port " in out
    assert out.endswith("\nThe program is healthy.\n")
    assert "OBS" not in out

    code, out, _ = one
    assert code == 0
    assert "streamer alice" in out
    assert "streamer bob" not in out
    assert "alice: Your next stream will be announced." in out

    code, out, err = nobody
    assert (code, out) == (1, "")
    assert "There are: alice, bob." in err


async def test_something_red_is_1(running: Running) -> None:
    running.engine.supervisor.broken["announce.pipeline"] = "ValueError"
    environ = running.simulator.environment()
    whole, local = await asyncio.gather(
        beside(running.paths, "doctor", environ=environ), beside(running.paths, "doctor", "--local", environ=environ)
    )
    assert whole.code == 1
    assert "red   program: Parts of it broke" in whole.out
    assert "No stream will be announced. Fix what is red (1)." in whole.out
    assert local.code == 1
    assert local.out.endswith("\nThe program is not healthy.\n")


async def test_a_program_that_does_not_run_and_what_can_be_told_all_the_same(running: Running) -> None:
    await running.stop()
    found = await beside(running.paths, "doctor", "--json", environ=running.simulator.environment())
    assert found.code == 1
    assert found.json["ok"] is False
    states = {check["name"]: check["state"] for check in found.json["checks"]}
    assert {name for name, state in states.items() if state == "red"} == {"program"}
    assert states["token"] == states["streamer alice"] == "green"
    assert found.json["checks"][0]["fix"] == "Start it (`serve`), and let it start with the machine."


def test_twitch_cannot_be_reached(paths: Paths) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    environ = {
        "ITSJUSTINTV_TWITCH_API_URL": nowhere,
        "ITSJUSTINTV_TWITCH_AUTH_URL": nowhere,
        "ITSJUSTINTV_TWITCH_CLIENT_ID": "id",
        "ITSJUSTINTV_TWITCH_CLIENT_SECRET": "secret",
        "ITSJUSTINTV_SECRETS_STORE": "memory",
        "ITSJUSTINTV_STREAMERS_ALICE_LOGIN": "alice",
    }
    found = here(paths, "doctor", environ=environ)
    assert found.code == 1
    assert "red   token: Twitch could not be asked: " in found.out
    assert "amber clock: " in found.out
    assert "amber streamer alice: Which channel it is could not be asked of Twitch yet" in found.out


def test_locally_a_program_that_does_not_run(paths: Paths) -> None:
    begun = time.monotonic()
    found = here(paths, "doctor", "--local", "--json")
    assert time.monotonic() - begun < 5
    assert (found.code, found.err) == (1, "")
    assert found.json == {
        "ok": False,
        "checks": [
            {
                "name": "program",
                "state": "red",
                "message": "The program is not running.",
                "fix": "Start it (`serve`), and let it start with the machine.",
            }
        ],
    }
    assert not paths.data.exists()  # nothing was made in order to look


def test_a_control_file_of_a_program_that_was_killed(paths: Paths) -> None:
    paths.create()
    address.write(paths.control, ControlAddress(port=free_port(), token="t", pid=1))
    found = here(paths, "doctor", "--local")
    assert found.code == 1
    assert found.out.startswith("red   program: It does not answer: it does not run any more, or hangs.")


def test_a_program_that_holds_the_files_and_does_not_answer(paths: Paths) -> None:
    paths.create()
    lock = InstanceLock(paths.lock)
    lock.acquire()
    try:
        found = here(paths, "doctor")
    finally:
        lock.release()
    assert found.code == 1
    assert "red   program: The running program did not answer: " in found.out


def test_a_config_that_cannot_be_used_is_2(paths: Paths) -> None:
    paths.config.write_text('[server]\nport = "x"\n[retry]\ninitial_delay = "soon"\n')
    found = here(paths, "doctor", "--json")
    assert found.code == 2
    (check,) = found.json["checks"]
    assert (found.json["ok"], check["name"], check["state"]) == (False, "config", "red")
    assert f"{paths.config}:2" in check["message"]
    assert f"{paths.config}:4" in check["message"]
    assert "config check" in check["fix"]
    assert here(paths, "doctor").code == 2


def test_wrong_usage_is_2(paths: Paths) -> None:
    found = here(paths, "doctor", "--local", "--streamer", "alice")
    assert (found.code, found.out) == (2, "")
    assert "leave --streamer out" in found.err


def _told(capsys: pytest.CaptureFixture[str], *checks: Check, streamer: str | None = None) -> list[str]:
    doctor._show(report_of(checks), streamer=streamer, local=False)
    return capsys.readouterr().out.splitlines()


def test_signs_fixes_and_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    lines = _told(capsys, green("a", "Well."), amber("b", "So so.", "Look."), red("c", "Bad.", "Mend."))
    assert lines[:5] == ["green a: Well.", "amber b: So so.", "    Look.", "red   c: Bad.", "    Mend."]
    assert lines[6] == "No stream will be announced. Fix what is red (1)."
    lines = _told(capsys, green("a", "Well."), amber("b", "So so."), streamer="alice")
    assert lines[3] == "alice: Your next stream will be announced. Look at what is amber (1)."


def test_what_a_person_switched_off_or_paused_is_told_calmly(capsys: pytest.CaptureFixture[str]) -> None:
    paused = Chosen(name="destination main", state=CheckState.RED, message="It is paused.")
    lines = _told(capsys, green("a", "Well."), chosen("destination spare", "It is off."), paused, amber("b", "So so."))
    assert lines[1:3] == ["off   destination spare: It is off.", "off   destination main: It is paused."]
    assert lines[5] == "No stream will be announced. Look at what is amber (1)."


def test_a_crowd_that_is_well_is_only_counted(capsys: pytest.CaptureFixture[str]) -> None:
    crowd = [green(f"streamer s{number}", "Well.") for number in range(1000)]
    lines = _told(capsys, *crowd, red("streamer bad", "Bad."), green("destination main", "Well."), green("disk", "Ok."))
    assert lines[:4] == [
        "red   streamer bad: Bad.",
        "green disk: Ok.",
        "green 1000 streamers are well.",
        "green 1 destination is well.",
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals of this kind")
@pytest.mark.parametrize(
    ("environ", "line"),
    [
        ({"PYTHONIOENCODING": "utf-8"}, "\x1b[31m✗\x1b[0m program: "),
        ({"PYTHONIOENCODING": "utf-8", "NO_COLOR": "1"}, "✗ program: "),
        ({"PYTHONIOENCODING": "ascii"}, "\x1b[31mred  \x1b[0m program: "),
    ],
)
def test_in_a_terminal(paths: Paths, environ: dict[str, str], line: str) -> None:
    terminal, inside = os.openpty()
    try:
        subprocess.run(
            [sys.executable, *MODULE, *arguments(paths), "doctor", "--local"],
            cwd=ROOT, env=clean_environ(environ), stdout=inside, stderr=subprocess.PIPE, timeout=30, check=False,
        )  # fmt: skip
        shown = os.read(terminal, 10_000).decode()
    finally:
        os.close(inside)
        os.close(terminal)
    assert shown.startswith(line)
