"""A config that was named and is not there: a forgotten mount must not look like an empty config."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from itsjustintv_desktop.cli import cli
from itsjustintv_desktop.engine.core.paths import Paths
from tests.support.commands import Result, clean_environ, here
from tests.support.process import Serve

STREAMER = {"ITSJUSTINTV_STREAMERS_ALICE_LOGIN": "alice", "ITSJUSTINTV_SECRETS_STORE": "memory"}
READERS = [
    ("serve",),
    ("config", "check"),
    ("config", "move-secrets", "--yes"),
    ("doctor",),
    ("test-event", "alice"),
    ("subscriptions", "list"),
    ("subscriptions", "sync"),
    ("conduit", "list"),
    ("feed", "send-anyway", "1"),
    ("pause", "--destination", "main"),
    ("resume", "--destination", "main"),
    ("import-go", "."),
]
OTHERS = [
    ("config", "path"),
    ("config", "example"),
    ("deliveries", "list"),
    ("feed", "list"),
    ("pause",),
    ("resume",),
]


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    """Without the config."""
    (tmp_path / "go" / "data").mkdir(parents=True)
    (tmp_path / "go" / "data" / "cache.json").write_text("{}")
    monkeypatch.chdir(tmp_path / "go")
    return Paths(tmp_path / "config" / "config.toml", tmp_path / "data")


def _plain(tmp_path: Path, *command: str, **environ: str) -> Result:
    """Without any option that names a file."""
    home = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "home"), "ITSJUSTINTV_SECRETS_STORE": "memory"}
    own = {"ITSJUSTINTV_DATA_DIR": str(tmp_path / "data"), **home, **environ}
    hidden: dict[str, str | None] = dict.fromkeys(clean_environ(), None)
    hidden = {name: None for name in hidden if name.startswith("ITSJUSTINTV_")}
    found = CliRunner().invoke(cli, command, env={**hidden, **own}, prog_name="itsjustintv-desktop")
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return Result(found.exit_code, found.stdout, found.stderr)


def _says_so(found: Result, path: Path) -> None:
    assert found.code == 2, found
    said = " ".join((found.out + found.err).split())
    assert f"{path}: there is no such file" in said
    assert "Traceback" not in found.err


@pytest.mark.parametrize(
    ("field", "value", "code"), [("ENABLED", "false", 2), ("ENABLED", "true", 0), ("LOGIN", "x", 0)]
)
def test_a_streamer_in_the_environment_that_is_switched_off_is_none(
    paths: Paths, field: str, value: str, code: int
) -> None:
    environ = {f"ITSJUSTINTV_STREAMERS_ALICE_{field}": value, "ITSJUSTINTV_SECRETS_STORE": "memory"}
    found = here(paths, "config", "check", environ=environ)
    assert found.code == code, found
    if code:
        _says_so(found, paths.config)


@pytest.mark.parametrize("command", READERS, ids=" ".join)
def test_a_command_that_reads_it_says_so(paths: Paths, command: tuple[str, ...]) -> None:
    _says_so(here(paths, *command, environ={"ITSJUSTINTV_SECRETS_STORE": "memory"}), paths.config)
    assert not paths.config.exists()


@pytest.mark.parametrize("command", [("serve",), ("config", "check"), ("doctor",)], ids=" ".join)
def test_the_variable_names_it_as_well(tmp_path: Path, command: tuple[str, ...]) -> None:
    path = tmp_path / "not" / "mounted.toml"
    _says_so(_plain(tmp_path, *command, ITSJUSTINTV_CONFIG=str(path)), path)


@pytest.mark.parametrize("command", OTHERS, ids=" ".join)
def test_a_command_that_does_not_read_it_works(paths: Paths, command: tuple[str, ...]) -> None:
    assert here(paths, *command).code == 0


@pytest.mark.parametrize("command", [("config", "check"), ("config", "move-secrets", "--yes")], ids=" ".join)
def test_streamers_of_the_environment_excuse_it(paths: Paths, command: tuple[str, ...]) -> None:
    found = here(paths, *command, environ=STREAMER)
    assert found.code == 0, found


def test_other_settings_of_the_environment_do_not(paths: Paths) -> None:
    _says_so(here(paths, "config", "check", environ={"ITSJUSTINTV_TWITCH_CLIENT_ID": "abc"}), paths.config)


def test_a_link_that_leads_nowhere_is_none(paths: Paths, tmp_path: Path) -> None:
    paths.config.parent.mkdir()
    paths.config.symlink_to(tmp_path / "unmounted" / "config.toml")
    _says_so(here(paths, "config", "check"), paths.config)


def test_as_json(paths: Paths) -> None:
    found = here(paths, "config", "check", "--json")
    assert (found.code, found.json["ok"]) == (2, False)
    assert found.json["problems"][0].startswith(f"{paths.config}: there is no such file")
    report = here(paths, "doctor", "--json").json
    assert (report["ok"], report["checks"][0]["name"]) == (False, "config")
    assert "there is no such file" in report["checks"][0]["message"]


async def test_serve_starts_with_streamers_of_the_environment(paths: Paths) -> None:
    serve = Serve(paths, {**clean_environ(STREAMER), "ITSJUSTINTV_SERVER_PORT": "0"})
    try:
        await serve.started()
        assert await serve.stop() == 0
    finally:
        await serve.close()


def test_the_usual_place_may_be_empty_and_doctor_says_that_nothing_is_set_up(tmp_path: Path) -> None:
    checked = _plain(tmp_path, "config", "check")
    assert checked.code == 0, checked
    assert "there is no such file" in checked.out
    assert checked.out.count("warning: ") == 3, "no client id, no streamer, no destination"
    assert checked.out.endswith("0 streamers, 0 destinations: it can be used, see the warnings\n")
    found = _plain(tmp_path, "doctor", "--json")
    assert found.code == 1
    (config,) = [check for check in json.loads(found.out)["checks"] if check["name"] == "config"]
    assert config["state"] == "red"
    assert config["message"].startswith("Nothing is set up: ")
    assert str(tmp_path / "home") in config["message"]
