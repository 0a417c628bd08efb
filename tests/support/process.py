"""The program as a process of its own: started, waited for, stopped, killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from itsjustintv_desktop.engine.core.paths import Paths

ROOT = Path(__file__).parents[2]
MODULE = ("-m", "itsjustintv_desktop")
_FLAGS = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)


class Serve:
    """`serve` on the files of `paths`, again and again: each `start` is a new process. stderr is appended to `log`."""

    def __init__(self, paths: Paths, environ: Mapping[str, str], *, program: Sequence[str] = MODULE) -> None:
        """`program` are the interpreter's arguments before the command; `environ` goes over this process' own."""
        self.paths = paths
        self.log = paths.data.parent / "serve.log"
        self.program = tuple(program)
        self.environ = {**os.environ, **environ}
        self.address: str | None = None
        """http://HOST:PORT once it is ready; None when it does not run."""
        self._process: asyncio.subprocess.Process | None = None

    @property
    def process(self) -> asyncio.subprocess.Process:
        assert self._process is not None, "not started"
        return self._process

    async def start(self) -> None:
        """Spawn it; it is not ready yet."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, *self.program, *arguments(self.paths), "serve", cwd=ROOT, env=self.environ,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, creationflags=_FLAGS,
            )  # fmt: skip

    async def ready(self, timeout: float = 30.0) -> str | None:
        """Wait for its line and return the address; None if it ended before."""
        if self.address is not None:
            return self.address
        assert self.process.stdout is not None
        async with asyncio.timeout(timeout):
            line = (await self.process.stdout.readline()).decode().strip()
        if not line:
            return None
        word, _, self.address = line.partition(" ")
        assert word == "ready", line
        return self.address

    async def started(self) -> str:
        """`start` and `ready` in one; fails the test if it ends before."""
        await self.start()
        address = await self.ready()
        assert address is not None, f"serve ended:\n{self.tail()}"
        return address

    async def kill(self) -> None:
        """SIGKILL by its pid (Windows: TerminateProcess), and wait for the end."""
        if self.process.returncode is None:
            self.process.kill()
        await self.ended()

    async def ended(self, timeout: float = 30.0) -> int:
        """Wait until it ended, by whatever cause; its exit code (negative: a signal)."""
        assert self.process.stdout is not None
        async with asyncio.timeout(timeout):
            await self.process.stdout.read()  # to the end of the pipe, so that its transport is closed
            code = await self.process.wait()
        self.address = None
        return code

    async def stop(self, timeout: float = 30.0) -> int:
        """Ask it to stop as a service manager does; its exit code."""
        self.process.send_signal(getattr(signal, "CTRL_BREAK_EVENT", signal.SIGTERM))  # the former on Windows only
        return await self.ended(timeout)

    async def close(self) -> None:
        """Whatever became of the test: nothing of it runs on."""
        if self._process is not None:
            await self.kill()

    def tail(self, lines: int = 30) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def arguments(paths: Paths) -> list[str]:
    """The global options that name the files."""
    return ["--config", str(paths.config), "--data-dir", str(paths.data)]


async def ask(paths: Paths, environ: Mapping[str, str], *command: str, timeout: float = 60.0) -> Any:
    """Run a command that prints JSON, and return what it printed. Fails the test if it does not end with 0."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *MODULE, *arguments(paths), *command, cwd=ROOT, env={**os.environ, **environ},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(timeout):
            out, error = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    assert process.returncode == 0, error.decode(errors="replace")
    return json.loads(out)
