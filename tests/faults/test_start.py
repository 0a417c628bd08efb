"""What the program finds when it starts: files that are broken, held, missing or not ours. As its user sees it: the
exit code and the sentence of `serve`, or the line in its log while it runs all the same.
"""

from __future__ import annotations

import json
import socket
import sqlite3
import sys
import time
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from itsjustintv_desktop.engine.control import address
from itsjustintv_desktop.engine.control.address import ControlAddress
from itsjustintv_desktop.engine.control.client import ControlClient
from itsjustintv_desktop.engine.core.paths import Paths
from tests.support import process, rawhttp, signed
from tests.support.commands import Result, beside
from tests.support.disks import small_disk
from tests.support.process import Serve
from tests.support.waiting import until

CONFIG = '[server]\nport = 0\n[secrets]\nstore = "memory"\n[streamers.alice]\nlogin = "alice"\n'
pytestmark = pytest.mark.slow
posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions and links")


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    paths = Paths(tmp_path / "config" / "config.toml", tmp_path / "data")
    paths.config.parent.mkdir()
    paths.config.write_text(CONFIG, encoding="utf-8")
    return paths


@pytest.fixture
async def serve(paths: Paths) -> AsyncIterator[Serve]:
    """Not started yet."""
    serve = Serve(paths, {})
    try:
        yield serve
    finally:
        await serve.close()


async def _refused(paths: Paths, code: int, says: str, **environ: str) -> Result:
    """`serve` ends by itself with that code and that sentence, without a traceback, and lets go of everything."""
    result = await beside(paths, "serve", environ=environ)
    assert (result.code, result.out) == (code, ""), result.err
    assert says in result.err
    assert "Traceback" not in result.err
    return result


async def _runs(serve: Serve, says: str | None = None) -> str:
    """It starts, answers, says that in its log, and ends cleanly; its whole log."""
    await serve.started()
    if says is not None:
        await until(lambda: says in serve.log.read_text(), what=says)
    assert await serve.stop() == 0, serve.tail()
    return serve.log.read_text()


def _config(line: str, code: int, says: str) -> Any:
    return pytest.mark.fault(f"config at the start: {line}", seen=f'`serve` ends with {code}: "{says}"')


BROKEN = {
    "half written": ("[server]\nport = 0\n[destinations.main\nurl = ", "needs a ] at its end"),
    "cut off in a text": ('[server]\nport = 0\n[twitch]\nclient_id = "abc', "config.toml:4"),
    "mistakes": ('[server]\nport = "x"\n[retry]\nmax_delay = 7\n', "config.toml:4: retry.max_delay"),
    "UTF-16": (b"\xff\xfe" + "[server]\n".encode("utf-16-le"), "it is UTF-16; save it as UTF-8"),
    "rubbish": (bytes(range(256)) * 4, "not UTF-8"),
}


@pytest.mark.parametrize(
    ("content", "says"),
    [pytest.param(*case, id=name, marks=_config(name, 2, case[1])) for name, case in BROKEN.items()],
)
async def test_a_config_that_cannot_be_used(paths: Paths, content: str | bytes, says: str) -> None:
    paths.config.write_bytes(content if isinstance(content, bytes) else content.encode())
    await _refused(paths, 2, says)
    assert not paths.control.exists()
    assert paths.config.read_bytes() == (content if isinstance(content, bytes) else content.encode())


@pytest.mark.fault("config at the start: with a byte order mark", seen="Nothing: it is read like any other.")
async def test_a_config_with_a_mark(paths: Paths, serve: Serve) -> None:
    paths.config.write_bytes(b"\xef\xbb\xbf" + CONFIG.replace("\n", "\r\n").encode())
    log = await _runs(serve)
    assert "cannot be used" not in log


@pytest.mark.fault(
    "config at the start: the one that was named is not there (a forgotten mount)",
    seen='`serve` ends with 2: "there is no such file"',
)
async def test_no_config(paths: Paths) -> None:
    paths.config.unlink()
    bare = {"ITSJUSTINTV_SERVER_PORT": "0", "ITSJUSTINTV_SECRETS_STORE": "memory"}
    await _refused(paths, 2, "there is no such file", **bare)
    assert not paths.config.exists()


@pytest.mark.fault(
    "config at the start: there is none, and the environment brings the streamers",
    seen='`serve` runs and logs "there is no such file"',
)
async def test_a_config_of_the_environment_alone(paths: Paths, serve: Serve) -> None:
    paths.config.unlink()
    serve.environ |= {"ITSJUSTINTV_SERVER_PORT": "0", "ITSJUSTINTV_SECRETS_STORE": "memory"}
    serve.environ["ITSJUSTINTV_STREAMERS_ALICE_LOGIN"] = "alice"
    await _runs(serve, "there is no such file")


@pytest.mark.fault(
    "config at the start: none at the usual place",
    seen='`serve` runs; its health says "Nothing is set up", and so does `doctor`',
)
async def test_nothing_at_the_usual_place(paths: Paths, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    paths.config.unlink()
    monkeypatch.setattr(process, "arguments", lambda paths: ["--data-dir", str(paths.data)])
    serve.environ |= {"ITSJUSTINTV_SERVER_PORT": "0", "ITSJUSTINTV_SECRETS_STORE": "memory"}
    serve.environ |= {"XDG_CONFIG_HOME": str(paths.data.parent), "HOME": str(paths.data.parent)}
    await serve.started()
    found = address.read(paths.control)
    assert found is not None
    async with ControlClient(found) as client:
        config = (await client.health())["parts"]["config"]
        (check,) = [check for check in (await client.diagnostics.doctor()).checks if check.name == "config"]
    assert config["status"] == "failing"
    assert config["reason"].startswith("Nothing is set up")
    assert (check.state.value, check.message) == ("red", config["reason"])
    assert await serve.stop() == 0


@pytest.mark.fault(
    "instances: a second one with the same data directory",
    seen='the second ends with 1: "already runs with this data directory"; the first goes on',
)
async def test_two_instances(paths: Paths, serve: Serve) -> None:
    await serve.started()
    before = paths.control.read_bytes()
    result = await beside(paths, "serve")
    assert (result.code, result.out) == (1, "")
    assert "already runs with this data directory" in result.err
    assert paths.control.read_bytes() == before
    listed = await beside(paths, "deliveries", "list", "--json")
    assert (listed.code, listed.json) == (0, [])
    assert await serve.stop() == 0


@pytest.mark.fault("instances: the port is taken", seen='`serve` ends with 1: "another program uses it"')
async def test_the_port_is_taken(paths: Paths) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        result = await _refused(paths, 1, "another program uses it", ITSJUSTINTV_SERVER_PORT=str(port))
    assert f"port {port}" in result.err
    assert "Choose another [server] listen_addr or port" in result.err


@pytest.mark.fault(
    "instances: the port is taken, over a conduit",
    seen='`serve` runs at any free port and logs "nothing has to reach it there now"',
)
async def test_the_port_is_taken_over_a_conduit(paths: Paths, serve: Serve) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        paths.config.write_text(CONFIG.replace("port = 0", f"port = {port}") + '[twitch]\ntransport = "conduit"\n')
        log = await _runs(serve, "nothing has to reach it there now")
    assert f"Cannot listen on 127.0.0.1 port {port}" in log


@pytest.mark.fault(
    "instances: a lock file and a control.json that a killed one left",
    seen="Nothing: they do not count, and are replaced.",
)
async def test_a_stale_lock(paths: Paths, serve: Serve) -> None:
    paths.create()
    paths.lock.write_text("4242\n", encoding="utf-8")
    address.write(paths.control, ControlAddress(port=9, token="stale", pid=2**22 + 1))
    await serve.started()
    found = address.read(paths.control)
    assert found is not None
    assert found.pid == serve.process.pid
    assert await serve.stop() == 0


@pytest.mark.fault("instances: a control.json that is no JSON", seen="Nothing: it is replaced.")
async def test_a_damaged_control_json(paths: Paths, serve: Serve) -> None:
    paths.create()
    paths.control.write_bytes(b'{"port": 12')
    await serve.started()
    assert json.loads(paths.control.read_bytes())["pid"] == serve.process.pid
    assert await serve.stop() == 0


async def _made(serve: Serve) -> None:
    """There is a ledger of an earlier run."""
    assert (await _runs(serve)) is not None


@pytest.mark.fault(
    "ledger: written by a newer version",
    seen='`serve` ends with 1: "Install the newer version again; nothing was changed."',
)
async def test_a_newer_ledger(paths: Paths, serve: Serve) -> None:
    await _made(serve)
    with closing(sqlite3.connect(paths.ledger)) as ledger:
        ledger.execute("PRAGMA user_version = 99")
    before = paths.ledger.read_bytes()
    await _refused(paths, 1, "Install the newer version again; nothing was changed.")
    assert paths.ledger.read_bytes() == before


def _spoil(path: Path, how: str) -> None:
    whole = path.read_bytes()
    spoilt = {
        "text": b"this is no ledger\n" * 1000,
        "half": whole[: len(whole) // 2 // 4096 * 4096],
        "zeros at the beginning": b"\0" * 4096 + whole[4096:],
    }
    path.write_bytes(spoilt[how])


@pytest.mark.parametrize(
    "how",
    [
        pytest.param(
            how,
            id=how,
            marks=pytest.mark.fault(
                f"ledger: damaged ({how})",
                seen="`serve` runs with a new one and logs that the ledger was damaged and put aside as "
                "ledger.db.damaged-TIME; nothing of it is overwritten",
            ),
        )
        for how in ("text", "half", "zeros at the beginning")
    ],
)
async def test_a_damaged_ledger(paths: Paths, serve: Serve, how: str) -> None:
    await _made(serve)
    _spoil(paths.ledger, how)
    before = paths.ledger.read_bytes()
    log = await _runs(serve, "The ledger was damaged. It was put aside as")
    assert "Traceback" not in log
    (aside,) = paths.data.glob("ledger.db.damaged-*")
    assert aside.read_bytes() == before
    with closing(sqlite3.connect(paths.ledger)) as ledger:
        assert ledger.execute("SELECT count(*) FROM events").fetchone() == (1,)  # "a new one begins here"


@pytest.mark.fault(
    "ledger: another program holds it locked",
    seen='`serve` ends with 1: "Another program holds the ledger file. Close it."',
)
async def test_a_locked_ledger(paths: Paths, serve: Serve) -> None:
    await _made(serve)
    with closing(sqlite3.connect(paths.ledger, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        other.execute("INSERT INTO meta VALUES ('a', 'b')")
        await _refused(paths, 1, "Another program holds the ledger file. Close it.")
        other.execute("ROLLBACK")
    await _runs(serve)


@posix
@pytest.mark.fault("ledger: a symbolic link in its place", seen='`serve` ends with 1: "it is a symbolic link"')
async def test_a_ledger_that_is_a_link(paths: Paths, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious")
    paths.create()
    paths.ledger.symlink_to(precious)
    await _refused(paths, 1, "it is a symbolic link")
    assert precious.read_bytes() == b"precious"


@pytest.mark.small_disk
@pytest.mark.fault(
    "disk: the data directory is read-only", seen='`serve` ends with 1: "the disk is read-only"; then it runs again'
)
async def test_a_read_only_data_directory(paths: Paths, serve: Serve) -> None:
    with small_disk(paths.data, "4m") as disk:
        await _made(serve)
        disk.read_only(True)
        await _refused(paths, 1, "the disk is read-only")
        disk.read_only(False)
        await _runs(serve)


@pytest.mark.small_disk
@pytest.mark.fault("disk: full when it starts", seen='`serve` ends with 1: "disk is full"; with space it starts')
async def test_a_full_disk_at_the_start(paths: Paths, serve: Serve) -> None:
    with small_disk(paths.data, "4m") as disk:
        disk.fill()
        await _refused(paths, 1, "disk is full")
        disk.free()
        await _runs(serve)


@posix
@pytest.mark.fault("disk: the data directory cannot be made", seen='`serve` ends with 1: "choose another --data-dir"')
async def test_a_data_directory_that_cannot_be_made(paths: Paths, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    await _refused(Paths(paths.config, tmp_path / "file" / "data"), 1, "choose another --data-dir")


@pytest.mark.fault(
    "keyring: there is none",
    seen='`serve` runs, answers 503 to Twitch and logs "must wait for the webhook secret" and "no keyring"; '
    "no secret is written anywhere",
)
async def test_no_keyring(paths: Paths, serve: Serve) -> None:
    paths.config.write_text(CONFIG.replace("memory", "keyring"), encoding="utf-8")
    serve.environ |= {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent", "XDG_RUNTIME_DIR": str(paths.data)}
    url = await serve.started()
    await until(lambda: "must wait for the webhook secret" in serve.log.read_text(), what="it says so")
    assert "no keyring" in serve.log.read_text()
    host, _, port = url.removeprefix("http://").rpartition(":")
    answer = await rawhttp.ask((host, int(port)), signed.online(time.time()).request())
    assert answer.status == 503
    assert await serve.stop() == 0
    assert not paths.vault.exists()
