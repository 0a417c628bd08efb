"""`import-go` as its users run it."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import pytest

from itsjustintv_desktop.engine.control.lock import InstanceLock
from itsjustintv_desktop.engine.core.clock import format_rfc3339
from tests.engine.import_go.gofolder import CONFIG, ENVIRON, GLOBAL_URL, SECRETS, GoFolder, over, payload, told, waiting
from tests.keyring_session import keyring_session
from tests.support.commands import Result, beside, here


@pytest.fixture
def go(tmp_path: Path) -> GoFolder:
    return GoFolder(tmp_path)


def run(go: GoFolder, *more: str, **environ: str) -> Result:
    with go.untouched():
        return here(go.paths, "import-go", *more, environ={**ENVIRON, **environ})


def parts(result: Result) -> dict[str, Any]:
    return {part["name"]: part for part in result.json["parts"]}


def test_it_tells_what_it_did_and_what_comes_next(go: GoFolder) -> None:
    go.queue(waiting(), waiting("bob", "https://nobody.example/alices-token"), 5)
    go.write("output.json", [over(at=-at) for at in (30, 20)])
    result = run(go, str(go.root))
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()
    assert any(line.startswith("config.toml ") and "taken over" in line for line in lines)
    assert any(line.startswith("retry_state.json ") and "2 taken over, 1 left out" in line for line in lines)
    assert any(line.startswith("cache.json ") and "nothing there" in line for line in lines)
    assert "Next:" in lines
    for word in ("config check", "doctor", "serve", "Stop the Go service"):
        assert word in result.out
    for secret in (*SECRETS, "the-client-secret", "the-webhook-secret"):
        assert secret not in result.out
    assert "already there" in run(go, str(go.root)).out


def test_json_for_programs(go: GoFolder) -> None:
    go.write("cache.json", [told("100", "1", -60)])
    go.write("output.json", b"[")
    result = run(go, str(go.data), "--json")
    assert result.code == 1, "something could not be taken over"
    found = result.json
    assert (found["ok"], found["folder"], found["data"]) == (False, str(go.root), str(go.paths.data))
    config = parts(result)["config.toml"]
    assert set(config) == {"name", "state", "taken", "already_there", "left_out", "notes"}
    assert (config["state"], config["taken"]) == ("done", 1)
    assert parts(result)["output.json"]["state"] == "failed"
    assert found["next_steps"]


def test_afterwards_the_queue_is_seen(go: GoFolder) -> None:
    """Times of now: the commands use the machine's clock."""
    go.queue(waiting("bob", GLOBAL_URL, payload=payload("bob", at=0)))
    assert run(go, str(go.root)).code == 0
    listed = here(go.paths, "deliveries", "list", "--json", environ=ENVIRON).json
    assert [(one["streamer"], one["destination"], one["state"]) for one in listed] == [("bob", "global", "pending")]
    assert here(go.paths, "config", "check", environ=ENVIRON).code == 0


@pytest.mark.parametrize("more", [[], ["/nowhere/at/all"], ["."] * 2])
def test_wrong_usage(go: GoFolder, more: list[str]) -> None:
    assert run(go, *more).code == 2


def test_a_folder_of_something_else(go: GoFolder, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    result = run(go, str(tmp_path / "other"))
    assert result.code == 1
    assert "no folder of the Go service" in result.err


def test_a_config_that_cannot_be_used(go: GoFolder) -> None:
    go.config(CONFIG + "[[[")
    result = run(go, str(go.root))
    assert result.code == 2
    assert "config.toml:" in result.err
    assert "--go-config" in result.err


def test_while_the_program_runs_it_is_refused(go: GoFolder) -> None:
    go.paths.create()
    lock = InstanceLock(go.paths.lock)
    lock.acquire()
    try:
        result = run(go, str(go.root))
    finally:
        lock.release()
    assert result.code == 1
    assert "Stop it" in result.err


def test_secrets_can_be_moved_at_once(go: GoFolder) -> None:
    assert run(go, str(go.root), "--move-secrets").code == 0
    assert "the-client-secret" not in go.paths.config.read_text(encoding="utf-8")


def test_without_a_keyring_the_rest_is_taken_over(go: GoFolder) -> None:
    go.config(CONFIG.replace('store = "passphrase"', 'store = "memory"'))
    go.queue(waiting())
    go.write("tokens.json", {"access_token": "a-token-of-it", "expires_in": 5, "expires_at": "2030-01-01T00:00:00Z"})
    result = run(go, str(go.root), "--json")
    assert parts(result)["retry_state.json"]["taken"] == 1
    assert parts(result)["tokens.json"]["state"] == "left"


@pytest.mark.skipif(sys.platform != "linux", reason="the Secret Service is Linux' own")
async def test_with_a_real_keyring_locked_and_then_open(go: GoFolder) -> None:
    """Locked: the token is left out, the rest comes over. Open: repeating keeps it, and moves the secrets."""
    go.config(CONFIG.replace('store = "passphrase"', 'store = "keyring"'))
    expires = format_rfc3339(time.time() + 5_000_000)
    go.write("tokens.json", {"access_token": "a-token-of-the-go-service", "expires_in": 1, "expires_at": expires})
    go.queue(waiting())
    with keyring_session() as session:
        session.lock()
        first = await beside(go.paths, "import-go", str(go.root), "--json", environ=session.environment)
        assert parts(first)["retry_state.json"]["taken"] == 1
        assert parts(first)["tokens.json"]["state"] == "left"
        assert "nlock" in parts(first)["tokens.json"]["notes"][0]
        session.unlock()
        command = ("import-go", str(go.root), "--move-secrets", "--json")
        second = await beside(go.paths, *command, environ=session.environment)
        assert (second.code, second.err) == (0, "")
        assert (parts(second)["tokens.json"]["taken"], parts(second)["secrets"]["taken"]) == (1, 4)
        third = await beside(go.paths, *command, environ=session.environment)
        assert parts(third)["tokens.json"]["already_there"] == 1
        assert {part["taken"] for part in third.json["parts"]} == {0}
    assert "the-client-secret" not in go.paths.config.read_text(encoding="utf-8")
    assert go.leaks() == []
