"""Signing and verifying with a throw-away key and real gpg, the command of the README included."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from installers import ROOT, sign
from tests.keyring_session import require_program

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="released from Linux")]

PASSPHRASE = "a throw-away key's"
PARAMETERS = f"""
Key-Type: eddsa
Key-Curve: ed25519
Key-Usage: sign
Name-Real: A test
Expire-Date: 1d
Passphrase: {PASSPHRASE}
%commit
"""


class Key:
    """A key pair of its own, armoured."""

    def __init__(self) -> None:
        with sign._keyring() as gpg:
            sign._run([*gpg, "--gen-key"], given=PARAMETERS)
            self.public = sign._run([*gpg, "--armor", "--export"])
            unlocked = ["--pinentry-mode", "loopback", "--passphrase-fd", "0"]
            self.secret = sign._run([*gpg, *unlocked, "--armor", "--export-secret-keys"], given=f"{PASSPHRASE}\n")


@pytest.fixture(scope="module")
def key() -> Key:
    require_program("gpg", "gnupg")
    return Key()


def filled(folder: Path) -> Path:
    (folder / "it_1.0_amd64.deb").write_bytes(b"a package")
    (folder / "it-1.0.dmg").write_bytes(b"an image")
    return folder


@pytest.fixture(scope="module")
def signed_once(key: Key, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """gpg takes its time over a passphrase."""
    made = filled(tmp_path_factory.mktemp("signed"))
    sign.sign(made, key.secret, PASSPHRASE)
    return made


@pytest.fixture
def signed(signed_once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(signed_once, tmp_path / "dist"))


def test_every_artifact_is_signed_and_summed(signed: Path, key: Key) -> None:
    assert {path.name for path in sign.verify(signed, key.public)} == {"it_1.0_amd64.deb", "it-1.0.dmg"}
    assert {path.name for path in signed.glob("*.asc")} == {
        "SHA256SUMS.asc", "it_1.0_amd64.deb.asc", "it-1.0.dmg.asc", "itsjustintv.asc",
    }  # fmt: skip
    assert sign.verify(signed, (signed / "itsjustintv.asc").read_text())
    assert "PRIVATE" not in (signed / "itsjustintv.asc").read_text()
    sums = (signed / "SHA256SUMS").read_text().splitlines()
    assert [line.split("  ")[1] for line in sums] == ["it-1.0.dmg", "it_1.0_amd64.deb"]
    # Twice gives the same files, not signatures of signatures.
    sign.sign(signed, key.secret, PASSPHRASE)
    assert len(list(signed.iterdir())) == 7


@pytest.mark.parametrize("name", ["it_1.0_amd64.deb", "SHA256SUMS"])
def test_a_changed_file_is_noticed(signed: Path, key: Key, name: str) -> None:
    (signed / name).write_bytes((signed / name).read_bytes() + b" ")
    with pytest.raises(sign.SignatureError, match="BAD signature"):
        sign.verify(signed, key.public)


def test_what_is_missing_or_strange_is_noticed(signed: Path, key: Key) -> None:
    (signed / "more.deb").write_bytes(b"of somebody else")
    with pytest.raises(sign.SignatureError, match=r"more\.deb has no signature"):
        sign.verify(signed, key.public)
    # With a good signature, taken from another release say, it is still none of these.
    shutil.copy(signed / "it-1.0.dmg", signed / "more.deb")
    shutil.copy(signed / "it-1.0.dmg.asc", signed / "more.deb.asc")
    with pytest.raises(sign.SignatureError, match=r"does not name more\.deb"):
        sign.verify(signed, key.public)
    (signed / "more.deb").unlink()
    (signed / "it-1.0.dmg").unlink()
    with pytest.raises(sign.SignatureError, match=r"it-1\.0\.dmg"):
        sign.verify(signed, key.public)


def test_another_key_is_refused(signed: Path) -> None:
    with pytest.raises(sign.SignatureError, match="public key"):
        sign.verify(signed, Key().public)


def test_without_a_key_or_with_a_wrong_passphrase_nothing_is_signed(
    tmp_path: Path, key: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RELEASE_KEY", raising=False)
    folder = filled(tmp_path)
    with pytest.raises(sign.SignatureError):
        sign.sign(folder, key.secret, "wrong")
    assert not list(folder.glob("*.asc"))
    with pytest.raises(SystemExit):
        sign.main([str(folder)])


@pytest.fixture
def home(tmp_path: Path, key: Key) -> Iterator[Path]:
    """A stranger's own keyring folder, short enough for gpg's sockets, and the published key beside the downloads."""
    with sign._keyring() as gpg:
        yield Path(gpg[gpg.index("--homedir") + 1])


def test_the_commands_of_the_readme(signed: Path, home: Path) -> None:
    """What a stranger types after a download of one of the artifacts."""
    (signed / "it-1.0.dmg").unlink()
    text = (ROOT / "README.md").read_text()
    found = re.search(r"```\n(gpg --import.*?)```", text, re.DOTALL)
    assert found is not None
    environ = {**os.environ, "GNUPGHOME": str(home), "LC_ALL": "C"}
    words: list[str] = []
    for line in found[1].strip().splitlines():
        words = shlex.split(line)
        done = subprocess.run(words, cwd=signed, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{line}: {done.stderr}"
    (signed / "it_1.0_amd64.deb").write_bytes(b"changed")
    done = subprocess.run(words, cwd=signed, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode != 0
