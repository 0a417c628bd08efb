"""The `config` commands as a person or a program uses them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from itsjustintv_desktop.cli import cli
from itsjustintv_desktop.engine.config.example import example


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def run(path: Path, *arguments: str, environ: dict[str, str] | None = None) -> Result:
    everything = ["--config", str(path), "--data-dir", str(path.parent / "data"), "config", *arguments]
    return CliRunner().invoke(cli, everything, env=environ or {})


def test_a_good_config(path: Path) -> None:
    path.write_text(
        '[retry]\nstate_file = "x"\n[server]\nprot = 1\n'
        '[streamers.a]\nwebhook_url = "https://a/"\n[streamers.b]\nlogin = "b"\n'
    )
    result = run(path, "check")
    assert result.exit_code == 0
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert lines[0].startswith(f"warning: {path}:4: server.prot: ")
    assert lines[1].startswith(f"note: {path}:2: retry.state_file: ")
    assert lines[-1] == "2 streamers, 1 destination: all well"


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
    assert len(found["warnings"]) == ok
    assert len(found["problems"]) == (not ok)


def test_no_file_is_no_mistake(path: Path) -> None:
    result = run(path, "check")
    assert result.exit_code == 0
    assert "there is no such file" in result.stdout
    assert result.stdout.endswith("0 streamers, 0 destinations: all well\n")


def test_the_example_can_be_saved_and_checked(path: Path) -> None:
    result = run(path, "example")
    assert result.stdout == example()
    path.write_text(result.stdout)
    assert run(path, "check").stdout == "0 streamers, 0 destinations: all well\n"


def test_where_it_is(path: Path) -> None:
    assert run(path, "path").stdout == f"{path}\n"
    assert json.loads(run(path, "path", "--json").stdout) == {"file": str(path), "exists": False}
