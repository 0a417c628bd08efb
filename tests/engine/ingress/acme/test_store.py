"""The folder of the certificate: whose it is, and who may read it."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.core.errors import CertificateError
from itsjustintv_desktop.engine.ingress.acme.store import Account, Cache, CertStore, self_signed

PAIR = self_signed(["a.example.com"])

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="it has no modes of files")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("given", [None, 0o755])
def test_a_folder_of_its_own_is_closed_to_others(tmp_path: Path, given: int | None) -> None:
    folder = tmp_path / "acme_certs"
    if given is not None:
        folder.mkdir()
        folder.chmod(given)
    store = CertStore(folder)
    store.save_pair(PAIR)
    store.save_cache(Cache())
    assert mode(folder) == 0o700
    assert {mode(path) for path in folder.iterdir()} == {0o600}


def test_a_folder_that_others_use_too_is_left_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "ssl"
    folder.mkdir()
    folder.chmod(0o755)
    theirs = folder / "of-another-program.pem"
    theirs.write_text("theirs")
    theirs.chmod(0o644)
    store = CertStore(folder)
    store.save_pair(PAIR)
    assert (mode(folder), mode(theirs)) == (0o755, 0o644)
    assert mode(folder / "key.pem") == 0o600


def test_a_key_is_not_written_through_a_link(tmp_path: Path) -> None:
    elsewhere = tmp_path / "readable-by-all"
    elsewhere.write_text("")
    folder = tmp_path / "acme_certs"
    folder.mkdir()
    (folder / "key.pem").symlink_to(elsewhere)
    with pytest.raises(CertificateError, match="symbolic link"):
        CertStore(folder).save_pair(PAIR)
    assert elsewhere.read_text() == ""


def test_what_is_shown_of_keys() -> None:
    account = Account(key={"d": "marked-secret"}, uri="https://ca.example/account/1")
    assert "marked-secret" not in repr(Cache(accounts={"https://ca.example": account}))
    assert "PRIVATE KEY" not in repr(PAIR)
