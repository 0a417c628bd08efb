"""One run of the agent program: started, listened to, stopped."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import structlog

from itsjustintv_desktop.engine.core.errors import TunnelError, os_sentence
from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.engine.ingress.ngrok import agent_output, messages
from itsjustintv_desktop.engine.ingress.ngrok.messages import Fault
from itsjustintv_desktop.engine.ingress.ngrok.program import harmless

_LONGEST_LINE: Final = 64 * 1024
_LAST_WORDS: Final = 1.0
"""Seconds that what it said last may take to be read."""
_LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")
_FLAGS: Final = getattr(subprocess, "CREATE_NO_WINDOW", 0) | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
_log = structlog.get_logger(__name__)


class Agent:
    """`on_news` is called on the loop whenever it said something or ended."""

    def __init__(self, *, token: str, domain: str, on_news: Callable[[], None]) -> None:
        self._token = token
        self._domain = domain
        self._on_news = on_news
        self._process: Process | None = None
        self._tasks = Tasks()
        self._gave_up: list[str] = []
        self.api_address: str | None = None
        """host:port of its local API, once it said so."""
        self.session: bool | None = None
        """Whether it is connected to ngrok; None before it was or could not be."""
        self.fault: Fault | None = None
        """What ngrok refused it for."""
        self.trouble = ""
        """The last thing it complained of, fit to show."""
        self.heard = 0
        """How many lines it has said."""
        self.exit_code: int | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, "not started"
        return self._process.pid

    @property
    def ended(self) -> bool:
        """It has ended, and what it said was read."""
        return self.exit_code is not None

    async def start(self, program: Path, settings: Path, environ: Mapping[str, str]) -> None:
        """Start it. Raises TunnelError. It gets `environ` without our variables and ngrok's, which hold secrets."""
        try:
            # A session of its own: Ctrl-C in our terminal is for us, and we stop it in order.
            self._process = await asyncio.create_subprocess_exec(
                program, "start", "--none", "--log", "stdout", "--config", settings,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=harmless(environ),
                start_new_session=sys.platform != "win32", creationflags=_FLAGS,
            )  # fmt: skip
        except OSError as error:
            raise TunnelError(os_sentence(error)) from error
        self._tasks.start("ngrok.listen", self._listen(self._process))
        self._tasks.start("ngrok.end", self._see_end(self._process))

    async def stop(self) -> None:
        """Ask it to end, after 2 s kill it; in 4 s at most it is gone. Harmless when it has ended."""
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            if not await _ends(process, 2.0):
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await _ends(process, 2.0)
        await self._tasks.stop(1.0)
        # asyncio has no other way to let go of a pipe that is still open at the other end.
        process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001

    async def _listen(self, process: Process) -> None:
        assert process.stdout is not None
        rest = b""
        while data := await process.stdout.read(_LONGEST_LINE):
            *whole, rest = (rest + data).split(b"\n")
            for line in whole:
                self._hear(line.decode(errors="replace").strip())
            rest = rest[-_LONGEST_LINE:]
            self._on_news()
        self.exit_code = await process.wait()
        self._on_news()

    async def _see_end(self, process: Process) -> None:
        """It has ended even if a process of its own still holds the pipe."""
        code = await process.wait()
        await asyncio.sleep(_LAST_WORDS)
        if self.exit_code is None:
            self.exit_code = code
            self._on_news()

    def _hear(self, raw: str) -> None:
        if not raw:
            return
        self.heard += 1
        line = agent_output.read(raw)
        if line.address and line.address.rpartition(":")[0] in _LOOPBACK:
            self.api_address = line.address
        if line.is_up:
            self.session, self.fault, self.trouble = True, None, ""
            self._gave_up.clear()
        if not line.text:
            return
        shown = agent_output.redact(line.text, self._token)
        whole = line.text
        if line.is_last_words:  # one message, spread over several lines
            self._gave_up = [*self._gave_up[-20:], line.text]
            whole = " ".join(self._gave_up)
            shown = agent_output.redact(whole, self._token)
        elif line.is_down:
            self.session = False
        else:
            return
        if shown != self.trouble:
            self.trouble = shown
            _log.debug("ngrok's program says", text=shown)
        self.fault = messages.classify(whole, detail=shown, domain=self._domain) or self.fault


async def _ends(process: Process, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await process.wait()
    except TimeoutError:
        return False
    return True
