"""Files of the data directory that a cleanup script or a sync tool deletes while the program runs."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.core.paths import Paths
from tests.support.commands import beside
from tests.support.process import Serve
from tests.support.waiting import until

CONFIG = '[server]\nport = 0\n[secrets]\nstore = "memory"\n[streamers.alice]\nlogin = "alice"\n'
pytestmark = pytest.mark.slow


@pytest.fixture
async def serve(tmp_path: Path) -> AsyncIterator[Serve]:
    """It runs."""
    paths = Paths(tmp_path / "config" / "config.toml", tmp_path / "data")
    paths.config.parent.mkdir()
    paths.config.write_text(CONFIG, encoding="utf-8")
    serve = Serve(paths, {})
    try:
        await serve.started()
        yield serve
        assert await serve.stop() == 0, serve.tail()
    finally:
        await serve.close()


async def _told(serve: Serve, file: str) -> None:
    said = "a file was deleted while the program runs; it is made again"
    await until(lambda: f"{said} file={file}" in " ".join(serve.log.read_text().split()), timeout=20, what=said)


@pytest.mark.fault(
    "files: control.json is deleted while it runs",
    seen='the log says "it is made again"; within five seconds commands reach the program as before',
)
async def test_control_json(serve: Serve) -> None:
    before = serve.paths.control.read_bytes()
    serve.paths.control.unlink()
    await _told(serve, "control.json")
    assert serve.paths.control.read_bytes() == before
    listed = await beside(serve.paths, "deliveries", "list", "--json")
    assert (listed.code, listed.json) == (0, [])


@pytest.mark.fault(
    "files: output.json is deleted while it runs",
    seen='the log says "it is made again", and it is, with all that stood in it',
)
async def test_output_json(serve: Serve) -> None:
    output = serve.paths.data / "output.json"
    await until(output.exists, what="it was written once")
    output.unlink()
    await _told(serve, "output.json")
    await until(output.exists, what="it is written again")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows deletes no file that is held open")
@pytest.mark.fault(
    "files: the lock file is deleted while it runs",
    seen='the log says "it is made again"; a second program with the same data directory is refused as before',
)
async def test_the_lock(serve: Serve) -> None:
    serve.paths.lock.unlink()
    await _told(serve, "instance.lock")
    second = await beside(serve.paths, "serve")
    assert (second.code, second.out) == (1, "")
    assert "already runs with this data directory" in second.err
