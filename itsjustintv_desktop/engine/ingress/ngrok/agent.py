"""The agent: one run of its program, then process, local API and endpoint as one whole, and one left by a killed run.

A left one holds the account's session, so the next start ends it. Only ever that very process: its id, its start time,
its program and our own config file on its command line must fit.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec
import structlog

from itsjustintv_desktop.engine.core import files
from itsjustintv_desktop.engine.core.errors import TunnelError, TunnelRefusedError, os_sentence
from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.engine.ingress.ngrok import messages, settings
from itsjustintv_desktop.engine.ingress.ngrok.api import AgentApi
from itsjustintv_desktop.engine.ingress.ngrok.messages import Fault
from itsjustintv_desktop.engine.ingress.ngrok.settings import NgrokSettings, harmless, settings_path

_log = structlog.get_logger(__name__)

_LONGEST_LINE: Final = 64 * 1024
_LAST_WORDS: Final = 1.0
"""Seconds that what it said last may take to be read."""
_LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")
_FLAGS: Final = getattr(subprocess, "CREATE_NO_WINDOW", 0) | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
_NOT_READY: Final = 503
_NOT_FOUND: Final = 404
_MUTE_LIMIT: Final = 3
_NAME: Final = "agent.json"
_CLOCK_MAY_DRIFT: Final = 5.0
"""Seconds: some systems count start times from a boot time that moves when the clock is set."""
_MOST: Final = 65536


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
        line = messages.read(raw)
        if line.address and line.address.rpartition(":")[0] in _LOOPBACK:
            self.api_address = line.address
        if line.is_up:
            self.session, self.fault, self.trouble = True, None, ""
            self._gave_up.clear()
        if not line.text:
            return
        shown = messages.redact(line.text, self._token)
        whole = line.text
        if line.is_last_words:  # one message, spread over several lines
            self._gave_up = [*self._gave_up[-20:], line.text]
            whole = " ".join(self._gave_up)
            shown = messages.redact(whole, self._token)
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


class Running:
    """Made for one start. `close` ends everything, whatever state it is in."""

    def __init__(
        self, plan: NgrokSettings, *, folder: Path, environ: Mapping[str, str], on_news: Callable[[], None]
    ) -> None:
        self.plan = plan
        self.agent = Agent(token=plan.token, domain=plan.route.domain, on_news=on_news)
        self.address: str | None = None
        """The public address, https://host."""
        self.version = ""
        self.region = ""
        self._folder = folder
        self._environ = environ
        self._api: AgentApi | None = None
        self._made = 0
        self._mute = 0

    async def start(self) -> Fault | None:
        """Start the process."""
        try:
            path = await asyncio.to_thread(
                settings.write,
                self._folder,
                token=self.plan.token,
                region=self.plan.route.region,
                proxy=self.plan.route.proxy.with_password if self.plan.route.proxy is not None else "",
            )
        except OSError as error:
            return messages.unwritable(os_sentence(error))
        try:
            await self.agent.start(self.plan.program, path, self._environ)
        except TunnelError as error:
            return messages.broken_program(error.message)
        try:
            await asyncio.to_thread(remember, self._folder, self.agent.pid)
        except OSError as error:
            return messages.unwritable(os_sentence(error))
        return None

    @property
    def ready_for_endpoint(self) -> bool:
        """It is connected to ngrok and can be told what to serve."""
        return self.agent.session is True and self.agent.api_address is not None

    def end(self) -> Fault:
        """Why the process ended by itself."""
        if self.agent.fault is not None and not (self.address and self.agent.fault.may_pass):
            return self.agent.fault
        why = f": {self.agent.trouble}" if self.agent.trouble else ""
        return messages.crashed(f"ended (exit code {self.agent.exit_code}){why}")

    async def open(self) -> Fault | None:
        """Make the endpoint. None also if the agent was not ready after all: it is asked again at the next look."""
        if self._api is None:
            assert self.agent.api_address is not None, "not before it is ready"
            # The token is read by now and need not lie on the disk.
            with contextlib.suppress(OSError):
                await asyncio.to_thread(settings.remove, self._folder)
            self._api = AgentApi(self.agent.api_address)
        route = self.plan.route
        self._made += 1  # a name that was refused once may stay taken
        try:
            address = await self._api.create(self._name, url=route.url, upstream=route.upstream)
        except TunnelRefusedError as error:
            return self._refused(error)
        except TunnelError as error:
            return messages.crashed(f"does not answer ({error.message})") if self._grows_mute() else None
        return self._take(address)

    async def look(self) -> Fault | None:
        """Ask it how it is; make the endpoint anew if it is gone."""
        assert self._api is not None, "not before `open`"
        try:
            status = await self._api.status()
            if status.online is not None:
                self.agent.session = status.online
            self.version, self.region = status.version, status.region
            if self.agent.session is False:
                return None
            address = await self._api.address_of(self._name)
        except TunnelError:
            return messages.crashed("does not answer any more and was stopped") if self._grows_mute() else None
        self._mute = 0
        if address is None:
            self.address = None  # nobody answers there until the new one is made
            return await self.open()
        return self._take(address)

    async def close(self) -> None:
        """Disconnect, end the process, take the token off the disk. In 5 s at most."""
        if self._api is not None and self.address is not None and not self.agent.ended:
            with contextlib.suppress(TunnelError, TimeoutError):
                async with asyncio.timeout(0.7):
                    await self._api.remove(self._name)
        await self.agent.stop()
        self.address = None  # it ended with the agent; this may be cancelled half-way and called again
        if self._api is not None:
            await self._api.close()
        with contextlib.suppress(OSError):
            await asyncio.to_thread(settings.remove, self._folder)
            await asyncio.to_thread(forget, self._folder)

    @property
    def _name(self) -> str:
        return f"itsjustintv-{self._made}"

    def _take(self, address: str) -> Fault | None:
        if not address.startswith("https://"):
            return messages.crashed("gave an address that is not https")
        self.address = address.rstrip("/")
        return None

    def _refused(self, error: TunnelRefusedError) -> Fault | None:
        if error.status == _NOT_READY:
            return None
        if error.status == _NOT_FOUND:
            return messages.TOO_OLD
        shown = messages.redact(error.message, self.plan.token)
        judged = messages.classify(error.message, detail=shown, domain=self.plan.route.domain)
        return judged or messages.crashed(f"could not open the address ({shown})")

    def _grows_mute(self) -> bool:
        self._mute += 1
        return self._mute >= _MUTE_LIMIT


class Record(msgspec.Struct, frozen=True):
    """`started` is Unix seconds as the system gives them, `program` the path of the running executable."""

    pid: int
    started: float
    program: str


def remember(folder: Path, pid: int) -> None:
    """Write down which process the agent is. Raises OSError. A process that ended already is not written down."""
    import psutil

    try:
        process = psutil.Process(pid)
        record = Record(pid, process.create_time(), process.exe())
    except psutil.Error:
        return
    files.clear_leftovers(folder / _NAME)
    files.write_atomic(folder / _NAME, msgspec.json.encode(record), durable=False)


def forget(folder: Path) -> None:
    """The agent has ended. Raises OSError."""
    (folder / _NAME).unlink(missing_ok=True)


def reap(folder: Path, *, patience: float = 3.0) -> bool:
    """End the agent of an earlier run: ask, wait `patience` seconds, kill. True if there was one. Raises OSError."""
    try:
        record = msgspec.json.decode(files.read(folder / _NAME, _MOST), type=Record)
    except FileNotFoundError:
        return False
    except msgspec.DecodeError:
        forget(folder)
        return False
    found = _end(record, str(settings_path(folder)), patience)
    forget(folder)
    if found:
        _log.warning("an ngrok agent that an earlier run left behind was ended", pid=record.pid)
    return found


def _end(record: Record, settings: str, patience: float) -> bool:
    import psutil

    try:
        process = psutil.Process(record.pid)
        if (
            abs(process.create_time() - record.started) > _CLOCK_MAY_DRIFT
            or process.exe() != record.program
            or settings not in process.cmdline()
        ):
            return False
        process.terminate()
        try:
            process.wait(patience)
        except psutil.TimeoutExpired:
            process.kill()
            with contextlib.suppress(psutil.TimeoutExpired):
                process.wait(patience)
    except psutil.Error:  # it ended meanwhile, or it is somebody else's
        return False
    return True
