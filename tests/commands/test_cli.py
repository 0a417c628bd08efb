"""The command line as a whole: help everywhere, exit codes, errors as sentences."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from itsjustintv_desktop import __version__
from itsjustintv_desktop.cli import cli
from itsjustintv_desktop.engine.core.paths import Paths
from tests.support.commands import clean_environ, here
from tests.support.process import ROOT


def _commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from _commands(found, (*path, name))


def test_the_commands_of_the_contract_are_there() -> None:
    found = set(_commands(cli))
    wanted = [
        "serve", "demo", "simulator", "config check", "config example", "config path", "deliveries list",
        "deliveries retry", "deliveries drop", "deliveries resend", "test-event", "doctor", "subscriptions list",
        "subscriptions sync", "subscriptions delete", "import-go",
    ]  # fmt: skip
    assert {tuple(name.split()) for name in wanted} <= found


@pytest.mark.parametrize("path", list(_commands(cli)), ids=" ".join)
def test_every_command_has_help(path: tuple[str, ...]) -> None:
    for option in ("--help", "-h"):
        result = CliRunner().invoke(cli, [*path, option])
        assert result.exit_code == 0
        assert result.stdout.startswith("Usage: ")
        said = result.stdout.replace("...]", "").replace("[COMMAND]", "COMMAND").replace("COMMAND [ARGS]...", "")
        assert "..." not in said, "a summary is cut off"
        assert result.stderr == ""


def test_global_options_are_those_of_the_contract() -> None:
    text = CliRunner().invoke(cli, ["--help"]).stdout
    for option in ("--config", "--data-dir", "--log-level", "--version"):
        assert option in text


@pytest.mark.parametrize("program", [("-m", "itsjustintv_desktop"), None], ids=["module", "script"])
def test_both_ways_to_start_it(program: tuple[str, ...] | None) -> None:
    if program is None:
        script = Path(sys.executable).with_name("itsjustintv-desktop" + (".exe" if sys.platform == "win32" else ""))
        if not script.exists():
            pytest.skip("the package is not installed in this environment")
        start = [str(script)]
    else:
        start = [sys.executable, *program]
    result = subprocess.run([*start, "--version"], capture_output=True, text=True, cwd=ROOT, timeout=30, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.strip() == f"itsjustintv-desktop, version {__version__}"


@pytest.mark.parametrize(
    "command",
    [
        ["no-such-command"],
        ["--no-such-option"],
        ["--log-level", "loud", "serve"],
        ["serve", "extra"],
        ["deliveries"],
        ["deliveries", "retry"],
        ["deliveries", "retry", "one"],
        ["deliveries", "retry", "0"],
        ["deliveries", "drop", "99999999999999999999999"],
        ["deliveries", "list", "--state", "lost"],
        ["deliveries", "list", "--limit", "0"],
        ["test-event"],
        ["simulator", "--port", "65536"],
    ],
)
def test_wrong_usage_is_2(tmp_path: Path, command: list[str]) -> None:
    result = here(Paths(tmp_path / "config.toml", tmp_path / "data"), *command)
    assert result.code == 2
    assert result.out == ""
    assert "Usage: " in result.err
    assert not (tmp_path / "data").exists()


def test_an_error_is_a_title_and_a_sentence_on_stderr(tmp_path: Path) -> None:
    result = here(Paths(tmp_path / "config.toml", tmp_path / "data"), "deliveries", "retry", "5")
    assert (result.code, result.out) == (1, "")
    assert result.err.splitlines() == [
        "Not found.",
        "There is no delivery 5. See `deliveries list` for those there are.",
    ]


@pytest.mark.parametrize(
    "command", [["serve"], ["deliveries", "list"], ["deliveries", "drop", "1"], ["test-event", "alice"]]
)
def test_a_data_directory_that_cannot_be_made_is_a_sentence(tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "file").write_text("")
    result = here(Paths(tmp_path / "config.toml", tmp_path / "file" / "data"), *command)
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("The data directory cannot be used.\n")
    assert "--data-dir" in result.err


@pytest.mark.parametrize("command", [["serve"], ["config", "check"], ["test-event", "alice"]])
def test_a_config_that_cannot_be_used_is_2_and_names_the_line(tmp_path: Path, command: list[str]) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[server]\nprot = 0\n\n[retry]\ninitial_delay = "soon"\n[streamers.x]\nlogin = 7\n')
    result = here(Paths(config, tmp_path / "data"), *command)
    assert result.code == 2
    assert f"{config}:5" in result.err
    assert "initial_delay" in result.err
    assert f"{config}:7" in result.err  # every problem at once
    assert f"warning: {config}:2: server.prot: unknown key" in (result.out if command[0] == "config" else result.err)


def test_the_environment_names_the_files(tmp_path: Path) -> None:
    environ = clean_environ(
        {"ITSJUSTINTV_CONFIG": str(tmp_path / "mine.toml"), "ITSJUSTINTV_DATA_DIR": str(tmp_path / "mine")}
    )
    start = [sys.executable, "-m", "itsjustintv_desktop"]
    for command in (["config", "path"], ["deliveries", "list", "--json"]):
        result = subprocess.run(
            [*start, *command], capture_output=True, text=True, cwd=ROOT, env=environ, timeout=30, check=False
        )
        assert result.returncode == 0, result.stderr
        assert result.stdout.strip() in {str(tmp_path / "mine.toml"), "[]"}
    assert (tmp_path / "mine" / "ledger.db").exists()
