"""What a command makes of a control.json that leads nowhere, or to somebody else."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.control import address
from itsjustintv_desktop.engine.control.address import ControlAddress
from itsjustintv_desktop.engine.control.client import ControlClient
from itsjustintv_desktop.engine.core.errors import ControlError


@contextlib.asynccontextmanager
async def _stranger(answer: bytes) -> AsyncIterator[int]:
    """Another program on the port: it says the same to everyone."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n<html>hi</html>",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nnot found",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
        b'HTTP/1.1 500 Oops\r\nContent-Length: 17\r\n\r\n{"error": "oops"}',
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"",
    ],
)
async def test_another_program_answers(answer: bytes) -> None:
    async with _stranger(answer) as port, ControlClient(ControlAddress(port=port, token="t", pid=1)) as client:
        with pytest.raises(ControlError):
            await client.health()


async def test_nobody_answers() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with ControlClient(ControlAddress(port=port, token="t", pid=1)) as client:
        with pytest.raises(ControlError, match="the connection was refused"):
            await client.health()


async def test_a_proxy_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The token must never leave the machine."""
    async with _stranger(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}") as proxy:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy}")
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy}")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        async with ControlClient(ControlAddress(port=port, token="t", pid=1)) as client:
            with pytest.raises(ControlError):
                await client.health()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"port": "x", "token": "", "pid": 1}', b"\xff", b"{}"])
def test_a_damaged_control_json_counts_as_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "control.json"
    assert address.read(path) is None
    path.write_bytes(content)
    assert address.read(path) is None


def test_it_is_replaced_in_one_step_and_private(tmp_path: Path) -> None:
    path = tmp_path / "control.json"
    path.write_text("an older one, for everybody")
    path.chmod(0o644)
    ours = ControlAddress(port=1234, token="a token", pid=os.getpid())
    address.write(path, ours)
    assert address.read(path) == ours
    assert list(tmp_path.iterdir()) == [path]
    if sys.platform != "win32":
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "control.json"
    path.mkdir()
    with pytest.raises(OSError):
        address.write(path, ControlAddress(port=1, token="t", pid=1))
    assert list(tmp_path.iterdir()) == [path]
