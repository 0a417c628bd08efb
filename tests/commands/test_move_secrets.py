"""`config move-secrets`: out of the file, into the vault, and still in force."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from itsjustintv_desktop.cli import cli
from itsjustintv_desktop.engine.control.lock import InstanceLock
from itsjustintv_desktop.engine.core.clock import SystemClock
from itsjustintv_desktop.engine.storage.secrets import TWITCH_CLIENT_SECRET, SecretStore

PASSPHRASE = "correct horse battery staple"
TEXT = """# mine
[secrets]
store = "passphrase"
[twitch]
client_id = "abc"
client_secret = "very-secret-value"  # from the console
[destinations.chat]
url = "https://discord.com/api/webhooks/1/secret-path"
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ITSJUSTINTV_PASSPHRASE", PASSPHRASE)
    path = tmp_path / "config" / "config.toml"
    path.parent.mkdir()
    path.write_text(TEXT, encoding="utf-8")
    return path


def run(config: Path, *arguments: str, answer: str = "") -> Result:
    places = ["--config", str(config), "--data-dir", str(config.parents[1] / "data")]
    return CliRunner().invoke(cli, [*places, "config", "move-secrets", *arguments], input=answer)


def test_they_leave_the_file_and_are_kept(config: Path) -> None:
    done = run(config, "--yes")
    assert done.exit_code == 0, done.output
    text = config.read_text(encoding="utf-8")
    assert "very-secret-value" not in text
    assert "secret-path" not in text
    assert "# mine" in text
    assert 'url = "@keyring"' in text
    assert not any(b"very-secret" in file.read_bytes() for file in config.parent.iterdir())

    async def kept() -> tuple[str | None, str | None]:
        vault = config.parents[1] / "data" / "secrets.vault"
        store = SecretStore.open("passphrase", vault=vault, passphrase=PASSPHRASE, clock=SystemClock())
        try:
            return await store.get(TWITCH_CLIENT_SECRET), (await store.destination("chat")).url
        finally:
            await store.close()

    assert asyncio.run(kept()) == ("very-secret-value", "https://discord.com/api/webhooks/1/secret-path")
    assert "No secret stands in the file" in run(config).output


def test_a_no_changes_nothing(config: Path) -> None:
    done = run(config, answer="n\n")
    assert done.exit_code == 1
    assert "twitch.client_secret" in done.output
    assert "very-secret-value" not in done.output
    assert config.read_text(encoding="utf-8") == TEXT


def test_what_stays_is_named(config: Path) -> None:
    config.write_text(TEXT + 'headers = { Authorization = "Bearer stays-here" }\n', encoding="utf-8")
    for said in (run(config, "--yes").output, run(config).output):
        assert "destinations.chat.headers.Authorization stays" in said
        assert "stays-here" not in said


def test_what_the_environment_sets_too_leaves_the_file(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ITSJUSTINTV_TWITCH_CLIENT_SECRET", "another-one")
    assert "twitch.client_secret" in run(config, "--yes").output
    assert "very-secret-value" not in config.read_text(encoding="utf-8")


def test_not_while_the_program_runs(config: Path) -> None:
    data = config.parents[1] / "data"
    data.mkdir()
    lock = InstanceLock(data / "instance.lock")
    lock.acquire()
    try:
        done = run(config, "--yes")
    finally:
        lock.release()
    assert done.exit_code == 1
    assert "already runs" in done.output
    assert config.read_text(encoding="utf-8") == TEXT
