"""The `config` commands as a person or a program uses them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from itsjustintv_desktop.cli import cli
from itsjustintv_desktop.engine.config.reference import example


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def run(path: Path, *arguments: str, environ: dict[str, str] | None = None) -> Result:
    everything = ["--config", str(path), "--data-dir", str(path.parent / "data"), "config", *arguments]
    return CliRunner().invoke(cli, everything, env=environ or {})


GOOD = """
[twitch]
client_id = "abc"
client_secret = "def"
[destinations.discord]
url = "https://discord.com/api/webhooks/1/abc"
[streamers.a]
login = "a"
destinations = ["discord"]
"""


def test_a_good_config(path: Path) -> None:
    path.write_text("[retry]\nstate_file = 'x'\n" + GOOD)
    path.chmod(0o600)
    result = run(path, "check")
    assert (result.exit_code, result.stderr) == (0, "")
    note, last = result.stdout.splitlines()
    assert note.startswith(f"note: {path}:2: retry.state_file: ")
    assert last == "1 streamer, 1 destination: all well"


def test_after_a_warning_not_all_is_well(path: Path) -> None:
    path.write_text("[server]\nprot = 1\n" + GOOD)
    path.chmod(0o600)
    result = run(path, "check")
    assert (result.exit_code, result.stderr) == (0, "")
    warning, last = result.stdout.splitlines()
    assert warning.startswith(f"warning: {path}:2: server.prot: ")
    assert last == "1 streamer, 1 destination: it can be used, see the warnings"


def test_a_secret_may_lie_in_the_keyring(path: Path) -> None:
    path.write_text(GOOD.replace('client_secret = "def"', ""))
    path.chmod(0o600)
    note, last = run(path, "check").stdout.splitlines()
    assert note.startswith(
        f"note: {path}: twitch.client_secret: no client secret in the file; it may lie in the keyring"
    )
    assert last == "1 streamer, 1 destination: all well, if the keyring holds the client secret"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('client_id = "abc"', "", "twitch.client_id: there is none"),
        ('login = "a"', 'login = "a"\nenabled = false', "streamers: all are switched off"),
        ('[streamers.a]\nlogin = "a"\ndestinations = ["discord"]', "", "streamers: there is none to watch"),
        ('destinations = ["discord"]', "", "streamers: nobody is told of a but the file output.json"),
        ("/webhooks/1/abc", "/webhooks/...", "this is no whole webhook of Discord"),
        ('/1/abc"', '/1/abc"\nenabled = false', "destinations: all are switched off, so nobody is told but the file"),
    ],
)
def test_what_can_announce_nothing_is_not_well(path: Path, before: str, after: str, said: str) -> None:
    assert before in GOOD
    path.write_text(GOOD.replace(before, after))
    path.chmod(0o600)
    result = run(path, "check")
    assert (result.exit_code, result.stderr) == (0, "")
    warnings = [line for line in result.stdout.splitlines() if line.startswith("warning: ")]
    assert len(warnings) == 1, warnings
    assert said in warnings[0]
    assert "all well" not in result.stdout


def test_a_bad_config(path: Path) -> None:
    path.write_text('[server]\nport = "80"\nprot = 1\n[retry]\njitter = 2\n')
    result = run(path, "check", environ={"ITSJUSTINTV_TWITCH_API_URL": "http://example.com/"})
    assert result.exit_code == 2
    first, second, third = result.stderr.splitlines()
    assert first == f"error: {path}:2: server.port: it is text; write it without quotes: port = 80"
    assert second.startswith(f"error: {path}:5: retry.jitter: ")
    assert third.startswith("error: ITSJUSTINTV_TWITCH_API_URL: ")
    assert result.stdout.startswith(f"warning: {path}:3: server.prot: ")
    assert "all well" not in result.stdout


@pytest.mark.parametrize(
    ("text", "ok", "code"), [("[output]\nx = 1\n", True, 0), ("[output]\nenabled = 1\n", False, 2)]
)
def test_findings_as_json(path: Path, text: str, ok: bool, code: int) -> None:
    path.write_text(text)
    result = run(path, "check", "--json")
    found = json.loads(result.stdout)
    assert result.exit_code == code
    assert list(found) == ["ok", "file", "problems", "warnings", "notices"]
    assert (found["ok"], found["file"]) == (ok, str(path))
    assert any("output.x" in warning for warning in found["warnings"]) == ok
    assert len(found["problems"]) == (not ok)


def test_the_example_can_be_saved_and_checked(path: Path) -> None:
    result = run(path, "example")
    assert result.stdout == example()
    path.write_text(result.stdout)
    said = run(path, "check").stdout
    assert said.endswith("0 streamers, 0 destinations: it can be used, see the warnings\n")
    assert said.count("warning: ") == 3


def test_where_it_is(path: Path) -> None:
    assert run(path, "path").stdout == f"{path}\n"
    assert json.loads(run(path, "path", "--json").stdout) == {"file": str(path), "exists": False}
