"""`tunnel install`: asks first, shows what it does, and says what went wrong."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner
from pyngrok import installer

from itsjustintv_desktop.cli import cli
from itsjustintv_desktop.engine.core.paths import Paths
from tests.engine.ingress.ngrok.test_install import tgz
from tests.support import ngrok_agent
from tests.support.commands import here
from tests.support.process import arguments

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a script with a shebang")


class _Files(BaseHTTPRequestHandler):
    body = tgz()
    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Quiet."""


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[_Files]]:
    """Instead of ngrok's server."""
    files = type("Files", (_Files,), {"asked": 0})
    server = ThreadingHTTPServer(("127.0.0.1", 0), files)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}/ngrok.tgz"
    monkeypatch.setattr(installer, "PLATFORMS", dict.fromkeys(installer.PLATFORMS, url))
    yield files
    server.shutdown()
    server.server_close()
    thread.join(10)


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(tmp_path / "config.toml", tmp_path / "data")


def test_it_installs(paths: Paths, downloads: type[_Files]) -> None:
    result = here(paths, "tunnel", "install", "--yes")
    assert (result.code, result.err) == (0, "")
    assert f"ngrok {ngrok_agent.VERSION} is installed" in result.out
    assert "127.0.0.1" in result.out, "it says where it downloads from"
    assert (paths.data / "ngrok" / "bin" / "ngrok").exists()


@pytest.mark.parametrize(("answer", "code", "asked"), [("y\n", 0, 1), ("n\n", 1, 0), ("", 1, 0)])
def test_it_asks_first(paths: Paths, downloads: type[_Files], answer: str, code: int, asked: int) -> None:
    result = CliRunner().invoke(cli, [*arguments(paths), "tunnel", "install"], input=answer)
    assert (result.exit_code, downloads.asked) == (code, asked)
    assert (paths.data / "ngrok" / "bin" / "ngrok").exists() == (code == 0)


def test_trouble_is_a_title_and_a_sentence(paths: Paths, downloads: type[_Files]) -> None:
    downloads.body = b"a login page"
    result = here(paths, "tunnel", "install", "--yes")
    assert result.code == 1
    assert result.err.startswith("The tunnel has a problem.\nWhat ngrok's server sent is not ngrok's program.")
