"""What a service manager hears: on a real socket, from `serve` as a process and from the loop alone."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from itsjustintv_desktop.commands.sdnotify import ServiceManager
from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.engine.core.tasks import Tasks
from tests.support.process import Serve

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX") or sys.platform == "win32", reason="systemd is Linux's")


class Manager:
    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)

    def hear(self, timeout: float = 20.0) -> str:
        """The next message; "" if there was none in time."""
        self.socket.settimeout(timeout)
        try:
            return self.socket.recv(4096).decode()
        except TimeoutError:
            return ""

    def drain(self) -> None:
        self.socket.setblocking(False)
        try:
            while self.socket.recv(4096):
                pass
        except BlockingIOError:
            return


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    found = Manager(str(tmp_path / "notify"))
    yield found
    found.socket.close()


async def test_serve_says_ready_alive_and_stopping(manager: Manager, tmp_path: Path) -> None:
    paths = Paths(config=tmp_path / "config" / "config.toml", data=tmp_path / "data")
    paths.config.parent.mkdir()
    paths.config.write_text('[server]\nport = 0\n[secrets]\nstore = "memory"\n')
    serve = Serve(paths, {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "600000"})
    try:
        await serve.started()
        assert await asyncio.to_thread(manager.hear) == "READY=1"
        began = time.monotonic()
        for _ in range(4):
            assert await asyncio.to_thread(manager.hear) == "WATCHDOG=1"
        assert time.monotonic() - began > 0.3, "signs of life come by the clock, not in a rush"
        # Stopped, it is silent: systemd would kill it now.
        serve.process.send_signal(signal.SIGSTOP)
        manager.drain()
        assert await asyncio.to_thread(manager.hear, 0.7) == ""
        serve.process.send_signal(signal.SIGCONT)
        assert await asyncio.to_thread(manager.hear) == "WATCHDOG=1"
        assert await serve.stop() == 0
        heard = []
        while word := await asyncio.to_thread(manager.hear, 0.1):
            heard.append(word)
        assert [word for word in heard if word != "WATCHDOG=1"] == ["STOPPING=1"]
    finally:
        await serve.close()


async def test_a_loop_that_stands_still_gives_no_sign(manager: Manager, tmp_path: Path) -> None:
    tasks = Tasks()
    told = ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "300000"})
    told.watch_over(tasks)
    assert await asyncio.to_thread(manager.hear) == "WATCHDOG=1"
    time.sleep(0.35)
    manager.socket.setblocking(False)
    with pytest.raises(BlockingIOError):
        manager.socket.recv(100)
    await tasks.stop()


async def test_nobody_who_watches_means_no_task(tmp_path: Path) -> None:
    for environ in (
        {},
        {"WATCHDOG_USEC": "1000000"},
        {"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "0"},
        {"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "soon"},
        {"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": str(os.getpid() + 1)},
    ):
        tasks = Tasks()
        ServiceManager(environ).watch_over(tasks)
        assert len(tasks) == 0
    mine = ServiceManager({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "1500000", "WATCHDOG_PID": str(os.getpid())})
    assert mine.watchdog == 1.5


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has abstract sockets")
def test_an_address_of_the_abstract_namespace() -> None:
    name = f"itsjustintv-{os.getpid()}-{time.monotonic_ns()}"
    manager = Manager(f"\0{name}")
    ServiceManager({"NOTIFY_SOCKET": f"@{name}"}).tell("READY=1", "STATUS=well")
    assert manager.hear() == "READY=1\nSTATUS=well"
    manager.socket.close()


def test_a_manager_that_is_deaf_or_gone_is_no_fault(tmp_path: Path) -> None:
    ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "nobody")}).tell("READY=1")
    manager = Manager(str(tmp_path / "full"))
    deaf = ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "full")})
    began = time.monotonic()
    for _ in range(2000):
        deaf.tell("WATCHDOG=1")  # its queue is full long before
    assert time.monotonic() - began < 10
    manager.socket.close()
