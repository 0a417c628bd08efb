"""Whatever lies in the place of a file: nobody waits for it."""

from __future__ import annotations

import errno
import os
import re
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.api.settings.transfer import _write
from itsjustintv_desktop.engine.config.load import load
from itsjustintv_desktop.engine.control import address
from itsjustintv_desktop.engine.control.lock import InstanceLock
from itsjustintv_desktop.engine.core import files
from itsjustintv_desktop.engine.core.clock import SystemClock
from itsjustintv_desktop.engine.core.errors import AppError
from itsjustintv_desktop.engine.ingress.acme.store import CertStore
from itsjustintv_desktop.engine.ingress.ngrok import agent
from itsjustintv_desktop.engine.storage import image_cache
from itsjustintv_desktop.engine.storage.ledger.connection import open_ledger
from itsjustintv_desktop.engine.storage.secrets.vault import Vault

PACKAGE = Path(files.__file__).parents[2]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pipes and sockets are no files there")


def pipe(path: Path) -> None:
    os.mkfifo(path)


def linked_pipe(path: Path) -> None:
    target = path.with_name("elsewhere.pipe")
    os.mkfifo(target)
    path.symlink_to(target)


def listening(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        os.chdir(path.parent)  # the path of a socket may be no longer than about 100 bytes
        made.bind(path.name)


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def terminal(path: Path) -> None:
    path.symlink_to("/dev/ptmx")


STRANGE = [pipe, linked_pipe, listening, endless, terminal, Path.mkdir]


@pytest.fixture(autouse=True)
def _here() -> Iterator[None]:
    before = Path.cwd()
    yield
    os.chdir(before)


def ends(work: Callable[[], object]) -> BaseException | None:
    """Whether it comes to an end at all, and by what error."""
    outcome: list[BaseException | None] = []

    def run() -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - that is what is asked for
            outcome.append(error)
        else:
            outcome.append(None)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(10.0)
    assert not thread.is_alive(), "it waits for ever"
    return outcome[0]


@pytest.mark.parametrize("make", STRANGE, ids=lambda make: make.__name__)
@pytest.mark.parametrize("follow", [False, True])
@pytest.mark.parametrize("flags", [os.O_RDONLY, os.O_WRONLY | os.O_CREAT, os.O_RDWR | os.O_CREAT | os.O_TRUNC])
def test_what_is_no_file_is_refused_at_once(
    tmp_path: Path, make: Callable[[Path], object], follow: bool, flags: int
) -> None:
    path = tmp_path / "thing"
    make(path)
    error = ends(lambda: files.open_descriptor(path, flags, follow=follow))
    assert isinstance(error, OSError)
    if make is Path.mkdir:
        assert error.errno == errno.EISDIR
    elif path.is_symlink() and not follow:
        assert error.errno == errno.ELOOP
    else:
        assert (error.errno, error.strerror) == (errno.EINVAL, "it is a pipe, a socket or a device, and not a file")


def test_a_file_swapped_for_a_pipe_after_the_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "thing"
    pipe(path)
    monkeypatch.setattr(files, "check", lambda *_, **__: None)
    assert isinstance(ends(lambda: files.read(path)), OSError)


def test_files_are_read_made_and_cut(tmp_path: Path) -> None:
    path, link = tmp_path / "file", tmp_path / "link"
    with pytest.raises(FileNotFoundError):
        files.read(path)
    os.close(files.open_descriptor(path, os.O_WRONLY | os.O_CREAT))
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_bytes(b"content")
    link.symlink_to(path)
    assert files.read(path, 4) == b"cont"
    assert files.read(link, follow=True) == b"content"
    with pytest.raises(OSError, match="symbolic"):
        files.read(link)
    os.close(files.open_descriptor(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC))
    assert path.read_bytes() == b""


OPENERS: dict[str, Callable[[Path], object]] = {
    "config.toml": lambda path: load(path, {}),
    "secrets.vault": lambda path: Vault(path, SystemClock()).kind(),
    "control.json": address.read,
    "instance.lock": lambda path: InstanceLock(path).acquire(),
    "ledger.db": open_ledger,
    "ledger.db-wal": lambda path: open_ledger(path.with_name("ledger.db")),
    "ledger.db-shm": lambda path: open_ledger(path.with_name("ledger.db")),
    "ledger.db-journal": lambda path: open_ledger(path.with_name("ledger.db")),
    f"{'a' * 64}.png": lambda path: image_cache.load(path.parent, "a" * 64),
    "cert.pem": lambda path: CertStore(path.parent).load(),
    "key.pem": lambda path: CertStore(path.parent).load(),
    "acme_cache.json": lambda path: CertStore(path.parent).load(),
    "agent.json": lambda path: agent.reap(path.parent),
    "exported.toml": lambda path: _write(path, "[twitch]\n"),
}


@pytest.mark.parametrize("make", STRANGE, ids=lambda make: make.__name__)
@pytest.mark.parametrize("name", OPENERS)
def test_each_file_of_ours(tmp_path: Path, name: str, make: Callable[[Path], object]) -> None:
    path = tmp_path / name
    if name == "key.pem":
        (tmp_path / "cert.pem").write_text("none")
    make(path)
    error = ends(lambda: OPENERS[name](path))
    assert error is None or isinstance(error, OSError | AppError)


def test_nothing_is_opened_past_it() -> None:
    """New code opens files through core/files.py. What is packaged with the program is no other's to write to."""
    bare = re.compile(
        r"(?<![\w.])open\(|\bos\.open\(|\bio\.open\(|\b(path|file|info|archive|source|target|given)\.open\("
        r"|\.read_(text|bytes)\(|\.write_(text|bytes)\(|\btarfile\.open\(\w*path|shutil\.copy(file|2)?\("
    )
    allowed = {
        "engine/core/files.py",
        "engine/config/reference.py",  # packaged
        "engine/monitoring/updates/signing.py",  # packaged
        "commands/serve.py",  # the null device
        "commands/demo.py",  # a folder made for it the moment before
    }
    found = [
        f"{name}:{number}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if not (name := path.relative_to(PACKAGE).as_posix()).startswith(("simulator/", "demo/"))
        and name not in allowed
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if bare.search(line) and "def open" not in line and "tempfile" not in line
    ]
    assert found == [], "open it with engine/core/files.py"
