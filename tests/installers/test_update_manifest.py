"""The manifest of a release, made and signed with throw-away keys, and believed by the program that it is for."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from installers import ROOT, merge, update_manifest
from itsjustintv_desktop import __version__
from itsjustintv_desktop.engine.config.endpoints import PROJECT, Endpoints
from itsjustintv_desktop.engine.monitoring.updates import signing
from itsjustintv_desktop.engine.monitoring.updates.signing import order
from tests.engine.monitoring.updates.conftest import House, house

__all__ = ["house"]


@pytest.fixture(autouse=True)
def _no_key_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("UPDATE_KEY", "UPDATE_KEY_PASSPHRASE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout of version 1.3.0, dated, that pins no key yet."""
    folder = tmp_path / "checkout"
    (folder / "itsjustintv_desktop").mkdir(parents=True)
    (folder / "resources").mkdir()
    (folder / "itsjustintv_desktop" / "__init__.py").write_text('__version__ = "1.3.0"\n')
    (folder / "CHANGELOG.md").write_text("# Changes\n\n## 1.3.0 (2026-12-01)\n\n- New.\n")
    (folder / "briefcase.toml").write_text((ROOT / "briefcase.toml").read_text())
    (folder / "resources" / signing.KEYS).write_text("# none yet\n")
    return folder


class Owner:
    """Who makes releases: a private key in a file, its public half pinned."""

    def __init__(self, root: Path, name: str, passphrase: str = "") -> None:
        self.path = root.parent / name
        self.public = update_manifest.new_key(self.path, passphrase)
        self.pem = self.path.read_text()

    def pin(self, root: Path) -> None:
        with (root / "resources" / signing.KEYS).open("a") as file:
            file.write(f"{self.public}  # of a test\n")


def made(root: Path, *words: str) -> Path:
    folder = root / "build" / "update"
    update_manifest.main([str(folder), *words], root)
    return folder


def fails(root: Path, *words: str) -> str:
    with pytest.raises(SystemExit) as stopped:
        made(root, *words)
    return str(stopped.value)


async def test_an_installed_program_believes_it(root: Path, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = Owner(root, "key.pem")
    owner.pin(root)
    monkeypatch.setenv("UPDATE_KEY", owner.pem)
    folder = made(root, "--days", "100000")
    house.server.raw = (folder / "latest.json").read_bytes()
    house.server.signatures = (folder / "latest.json.sig").read_bytes()
    monkeypatch.setattr(signing, "pinned_keys", lambda: signing.parse_keys(owner.public))
    await house.start()
    check = await house.asked()
    assert check.view is not None
    assert check.view.version == "1.3.0"
    assert check.view.released == 1796083200.0, "midnight of 1 December 2026 in UTC"
    assert check.view.download_url == f"{PROJECT}/releases/tag/v1.3.0"
    assert check.view.notes_url == f"{PROJECT}/blob/v1.3.0/CHANGELOG.md"


def test_a_checkout_without_a_key_is_not_released(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPDATE_KEY", Owner(root, "key.pem").pem)
    assert "resources/update-keys.txt has no key" in fails(root).replace("\\", "/")
    assert "has no key" in fails(root, "--has-key")
    assert not (root / "build").exists()
    Owner(root, "another.pem").pin(root)
    update_manifest.main(["--has-key"], root)
    assert "is not signed by a key" in fails(root), "it was signed by a key that no program believes"


@pytest.mark.parametrize(
    ("pem", "why"),
    [
        ("", "no UPDATE_KEY"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "cannot be read"),
        ("ed25519", "no UPDATE_KEY"),
    ],
)
def test_a_key_that_is_none(root: Path, monkeypatch: pytest.MonkeyPatch, pem: str, why: str) -> None:
    Owner(root, "key.pem").pin(root)
    monkeypatch.setenv("UPDATE_KEY", pem)
    assert why in fails(root)


def test_a_key_of_another_kind(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    Owner(root, "key.pem").pin(root)
    monkeypatch.setenv("UPDATE_KEY", pem.decode())
    assert "not Ed25519" in fails(root)


def test_a_key_under_a_passphrase(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = Owner(root, "key.pem", "open sesame")
    owner.pin(root)
    assert "ENCRYPTED" in owner.pem
    monkeypatch.setenv("UPDATE_KEY", owner.pem)
    assert "UPDATE_KEY_PASSPHRASE does not fit" in fails(root)
    monkeypatch.setenv("UPDATE_KEY_PASSPHRASE", "open sesame")
    made(root)
    monkeypatch.setenv("UPDATE_KEY_PASSPHRASE", "guessed")
    assert "does not fit" in fails(root)


def test_both_keys_sign_while_they_change(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = Owner(root, "old.pem"), Owner(root, "new.pem")
    new.pin(root)
    monkeypatch.setenv("UPDATE_KEY", old.pem + new.pem)
    folder = made(root)
    assert len((folder / "latest.json.sig").read_bytes().splitlines()) == 2
    for owner in (old, new):
        found = update_manifest.verify(folder, signing.parse_keys(owner.public), version="1.3.0", now=time.time())
        assert found.version == "1.3.0"


def test_what_was_made_is_judged_before_it_goes_out(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = Owner(root, "key.pem")
    owner.pin(root)
    monkeypatch.setenv("UPDATE_KEY", owner.pem)
    folder = made(root)
    made(root, "--verify")
    with pytest.raises(ValueError, match="no longer good"):
        update_manifest.verify(folder, update_manifest.pinned(root), version="1.3.0", now=time.time() + 181 * 86400)
    with pytest.raises(ValueError, match=r"names 1\.3\.0, and this is 1\.3\.1"):
        update_manifest.verify(folder, update_manifest.pinned(root), version="1.3.1", now=time.time())
    path = folder / "latest.json"
    path.write_bytes(path.read_bytes().replace(b"1.3.0", b"1.3.9"))
    assert "is not signed" in fails(root, "--verify")


def test_a_version_without_its_date_is_not_told_of(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = Owner(root, "key.pem")
    owner.pin(root)
    monkeypatch.setenv("UPDATE_KEY", owner.pem)
    (root / "CHANGELOG.md").write_text("# Changes\n\n## 1.3.0 (not released)\n\n- New.\n")
    assert "its date first" in fails(root)
    (root / "CHANGELOG.md").write_text("# Changes\n")
    assert "no heading" in fails(root)


def test_nobody_is_told_of_a_pre_release(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    owner = Owner(root, "key.pem")
    owner.pin(root)
    monkeypatch.setenv("UPDATE_KEY", owner.pem)
    (root / "itsjustintv_desktop" / "__init__.py").write_text('__version__ = "1.3.0rc1"\n')
    (root / "CHANGELOG.md").write_text("# Changes\n\n## 1.3.0rc1 (2026-12-01)\n\n- New.\n")
    assert not made(root).exists()
    assert capsys.readouterr().out == "1.3.0rc1 is a pre-release: no installed program is told of it\n"
    with pytest.raises(ValueError, match="pre-release"):
        update_manifest.manifest(root, now=time.time())


def test_a_new_key_is_its_owners_alone_and_never_written_over(root: Path) -> None:
    owner = Owner(root, "key.pem")
    if sys.platform != "win32":
        assert owner.path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(SystemExit):
        update_manifest.main(["--new-key", str(owner.path)], root)
    assert owner.path.read_text() == owner.pem


def test_the_release_check_needs_nothing_but_python() -> None:
    """The first job of the workflow has no packages."""
    told = subprocess.run(
        [sys.executable, "-S", "-m", "installers.update_manifest", "--has-key"],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": ""}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert "Traceback" not in told.stderr
    assert told.returncode == (0 if signing.pinned_keys() else 1)


def test_no_private_key_lies_in_this_repository_and_what_is_pinned_can_be_read() -> None:
    assert "PRIVATE" not in (ROOT / "resources" / signing.KEYS).read_text()
    assert all(len(key) == signing.KEY_SIZE for key in signing.pinned_keys())


def test_the_address_is_the_projects_own() -> None:
    assert merge.merged()["tool"]["briefcase"]["url"] == PROJECT
    assert Endpoints().updates_url == f"{PROJECT}/releases/latest/download/latest.json"
    order(__version__)
