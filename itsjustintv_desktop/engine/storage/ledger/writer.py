"""One SQLite connection in one thread, with group commit.

Events being accepted come first and are committed together, as many as wait (no lingering: a fuller batch gains
nothing and costs latency). Everything else runs as small jobs between them, also grouped, each in a savepoint of
its own. A job is called with the connection and must be short (a page of 200 rows, a purge of 500).
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import structlog

from itsjustintv_desktop.engine.core.errors import (
    AppError,
    LedgerCorruptError,
    LedgerError,
    LedgerLostError,
    LedgerUnavailableError,
    LedgerUndoneError,
)
from itsjustintv_desktop.engine.core.models import StreamEvent
from itsjustintv_desktop.engine.storage.ledger.accepting import TOGETHER, accept
from itsjustintv_desktop.engine.storage.ledger.file import LedgerFile
from itsjustintv_desktop.engine.storage.ledger.settling import Settle, done, fail, finish_all, settle_all

T = TypeVar("T")
Job = Callable[[sqlite3.Connection], Any]

_log = structlog.get_logger(__name__)

_GROUP_SECONDS = 0.002
"""How long jobs are gathered into one transaction before waiting events get their turn."""
_PROBE_SECONDS = 1.0
"""How often a failing ledger is tried again, whether or not anybody writes."""
_LOOK_SECONDS = 2.0
"""How often an idle ledger is looked for: it may have been deleted."""
_BUSY = 8
"""With so much waiting the file is not looked for at each commit, ..."""
_LOOK_AGAIN = 0.05
"""... but so often, in seconds: it would be a tenth of the time to a response."""

HANG_SECONDS = 5.0
"""A piece of work that takes longer means that the disk hangs. Nothing is taken in then until it goes on."""

_BATCH = 512
"""Most events in one commit, so that no commit gets long."""


class Writer:
    """The thread that owns the ledger file. Methods are called on the event loop unless they say otherwise."""

    def __init__(self, path: Path, *, on_notice: Callable[[str], None] | None = None) -> None:
        self._on_notice = on_notice
        self._file = LedgerFile(path, self._notice)
        self._accepts: deque[tuple[StreamEvent, Settle]] = deque()
        self._jobs: deque[tuple[Job, asyncio.Future[Any]]] = deque()
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._sleeping = False
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.failure: LedgerError | None = None
        """Why the last write failed; None while all is well. Read from any thread."""
        self.failing_since: float | None = None
        self.changed_at = time.time()
        """When it began or ceased to fail, Unix seconds."""
        self._busy_since: float | None = None
        self._probe_at = 0.0
        self._looked_at = 0.0

    @property
    def hanging(self) -> float | None:
        """Seconds that the thread has been at one piece of work, when that is too long. Asked from any thread."""
        since = self._busy_since
        if since is None:
            return None
        seconds = time.monotonic() - since
        return seconds if seconds > HANG_SECONDS else None

    @property
    def hang(self) -> LedgerUnavailableError | None:
        """The sentence for it."""
        seconds = self.hanging
        if seconds is None:
            return None
        return LedgerUnavailableError(
            f"The disk has not finished a write for {seconds:.0f} s. Nothing can be kept until it does; then it goes "
            "on by itself."
        )

    @property
    def lately(self) -> str | None:
        """What happened to the file within the last hour, as a sentence."""
        return self._file.lately

    @property
    def alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    async def open(self) -> None:
        """Open the file in the thread. Raises LedgerUnavailableError or LedgerTooNewError."""
        self._loop = asyncio.get_running_loop()
        opened: asyncio.Future[None] = self._loop.create_future()
        self._thread = threading.Thread(target=self._run, args=(opened,), name="ledger", daemon=True)
        self._thread.start()
        await opened

    async def close(self, timeout: float = 10.0) -> None:
        """Finish what is queued, close the file and end the thread."""
        thread = self._thread
        if thread is None:
            return
        self._stopping = True
        self._wake.put(None)
        await asyncio.to_thread(thread.join, timeout)
        if thread.is_alive():
            _log.error("the ledger thread did not end in time")

    def accept(self, event: StreamEvent, settle: Settle) -> None:
        """Store an event durably; `settle` hears on the loop: True new, False known, or the error."""
        if not self.alive or self._stopping:
            settle(LedgerUnavailableError("The ledger is closed."))
            return
        if (hang := self.hang) is not None:
            settle(hang)
            return
        self._accepts.append((event, settle))
        self._poke()

    async def run(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Run `job` in a transaction and return what it returns after the commit. Raises LedgerError."""
        if self._loop is None or not self.alive or self._stopping:
            raise LedgerUnavailableError("The ledger is closed.")
        if (hang := self.hang) is not None:
            raise hang
        try:
            return await self._queued(job, self._loop.create_future())
        except (LedgerCorruptError, LedgerUndoneError):  # undone; by now the ledger is repaired, or there is another
            return await self._queued(job, self._loop.create_future())

    async def _queued(self, job: Callable[[sqlite3.Connection], T], future: asyncio.Future[T]) -> T:
        self._jobs.append((job, future))
        self._poke()
        return await future

    def _poke(self) -> None:
        if self._sleeping:
            self._sleeping = False
            self._wake.put(None)

    # From here on: the thread.
    def _run(self, opened: asyncio.Future[None]) -> None:
        try:
            self._file.open()
        except AppError as error:
            self._tell(fail, opened, error)
            return
        except Exception as error:  # noqa: BLE001 - whoever opens must hear of it, whatever it is
            self._tell(fail, opened, LedgerUnavailableError(f"The ledger cannot be opened ({type(error).__name__})."))
            return
        self._tell(done, opened, None)
        try:
            while self._turn():
                pass
            self._watched(lambda: self._look(all_of_it=True))
        except BaseException as error:  # noqa: BLE001 - the end of the thread: whoever waits must hear of it
            _log.exception("the ledger thread broke")
            self.failure = LedgerUnavailableError(f"The ledger stopped ({type(error).__name__}). Restart the program.")
        finally:
            self._file.close()
            self._refuse_the_rest()

    def _turn(self) -> bool:
        if self._accepts:
            self._watched(self._commit_accepts)
        elif self.failure is not None and time.monotonic() >= self._probe_at:
            self._watched(self._probe)
        elif self._jobs:
            self._watched(self._commit_jobs)
        elif self._stopping:
            return False
        else:
            self._sleep()
        return True

    def _watched(self, work: Callable[[], object]) -> None:
        self._busy_since = time.monotonic()
        try:
            work()
        finally:
            self._busy_since = None

    def _refuse(self, failure: LedgerError) -> None:
        """All that wait to hand in an event."""
        self._tell(settle_all, [(self._accepts.popleft()[1], failure) for _ in range(len(self._accepts))])

    def _refuse_the_rest(self) -> None:
        self._stopping = True
        failure = self.failure or LedgerUnavailableError("The ledger is closed.")
        self._refuse(failure)
        self._tell(finish_all, [], [(future, failure) for _, future in self._jobs])

    def _sleep(self) -> None:
        self._sleeping = True
        # Something may have come between the look and the flag.
        if not (self._accepts or self._jobs or self._stopping):
            try:
                self._wake.get(timeout=_PROBE_SECONDS if self.failure else _LOOK_SECONDS)
            except queue.Empty:
                self._watched(self._probe if self.failure else self._look)
        self._sleeping = False

    def _commit_accepts(self) -> None:
        batch: list[tuple[Settle, bool | LedgerError]] = []
        waiting: list[Settle] = []
        hurried = self._look_unless_hurried()
        if self._file.lost and self.failure is not None:
            self._refuse(self.failure)
            return
        try:
            connection = self._file.open()
            before = connection.total_changes
            # One statement is a transaction by itself: BEGIN and COMMIT would be more rounds for Python's lock.
            many = len(self._accepts) > TOGETHER
            most = _BATCH if many else TOGETHER
            if many:
                connection.execute("BEGIN IMMEDIATE")
            while self._accepts and len(batch) < most:
                taken = [self._accepts.popleft() for _ in range(min(len(self._accepts), most - len(batch)))]
                settles = [settle for _, settle in taken]
                waiting.extend(settles)
                batch.extend(zip(settles, accept(connection, [event for event, _ in taken]), strict=True))
                if not many:
                    break
            if many:
                connection.execute("COMMIT")
        except BaseException as error:  # noqa: BLE001 - whatever it was, nothing was stored: the senders must hear so
            failure = self._failed(error)
            if not waiting:  # not even begun: whoever waits longest must not wait for ever
                waiting = [self._accepts.popleft()[1] for _ in range(len(self._accepts))]
            self._tell(settle_all, [(settle, failure) for settle in waiting])
            _end_if_fatal(error)
            return
        self._wrote(connection.total_changes - before)
        if (unsafe := self._look(committed=True, briefly=hurried)) is not None:
            batch = [(settle, unsafe) for settle in waiting]
        self._tell(settle_all, batch)

    def _commit_jobs(self) -> None:
        results: list[tuple[asyncio.Future[Any], Any]] = []
        errors: list[tuple[asyncio.Future[Any], BaseException]] = []
        hurried = self._look_unless_hurried()
        until = time.monotonic() + _GROUP_SECONDS
        future: asyncio.Future[Any] | None = None
        try:
            connection = self._file.open()
            before = connection.total_changes
            connection.execute("BEGIN IMMEDIATE")
            while self._jobs:
                job, future = self._jobs.popleft()
                connection.execute("SAVEPOINT job")
                try:
                    result = job(connection)
                except (sqlite3.Error, LedgerError, MemoryError):
                    raise
                except Exception as error:  # noqa: BLE001 - the caller gets it, the others go on
                    connection.execute("ROLLBACK TO job")
                    connection.execute("RELEASE job")
                    errors.append((future, error))
                else:
                    connection.execute("RELEASE job")
                    results.append((future, result))
                future = None
                if self._accepts or time.monotonic() > until:
                    break
            connection.execute("COMMIT")
        except BaseException as error:  # noqa: BLE001 - whatever it was, nothing was stored: the callers must hear so
            failure = self._failed(error)
            unfinished = [waiting for waiting, _ in results] + ([future] if future is not None else [])
            if not unfinished and not errors:
                unfinished = [self._jobs.popleft()[1] for _ in range(len(self._jobs))]
            errors.extend((waiting, failure) for waiting in unfinished)
            self._tell(finish_all, [], errors)
            _end_if_fatal(error)
            return
        self._wrote(connection.total_changes - before)
        # Otherwise what was done is done, wherever the file is: only who hands in an event must hear of it.
        if isinstance(undone := self._look(committed=True, briefly=hurried), LedgerUndoneError):
            results, errors = [], errors + [(waiting, undone) for waiting, _ in results]
        self._tell(finish_all, results, errors)

    def _look_unless_hurried(self) -> bool:
        """Before a commit. Whether so much waits that it was left out."""
        waiting = len(self._accepts) + len(self._jobs)
        hurried = waiting >= _BUSY and time.monotonic() - self._looked_at < _LOOK_AGAIN
        if not hurried:
            self._look()
        return hurried

    def _look(self, *, committed: bool = False, all_of_it: bool = False, briefly: bool = False) -> LedgerError | None:
        """See whether the file is still there, and mend it if not; why what was just committed may not be kept."""
        if self._file.lost:
            return self.failure
        if not briefly:
            self._looked_at = time.monotonic()
        try:
            self._file.look(committed=committed, all_of_it=all_of_it, briefly=briefly)
        except LedgerError as error:
            self._failed(error)
            return self.failure
        return None

    def _probe(self) -> None:
        """See whether a failing ledger can be written again, whatever else is asked of it."""
        try:
            if self._file.lost:
                self._file.rescue()
            connection = self._file.open()
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT OR REPLACE INTO meta(key, value) VALUES ('probe', ?)", (str(time.time()),))
            connection.execute("COMMIT")
            if not self._file.lost:
                self._file.look(committed=True)
        except Exception as error:  # noqa: BLE001 - it is tried again in a second
            self._failed(error)
        else:
            self._healed()

    def _failed(self, error: BaseException) -> LedgerError:
        connection = self._file.connection
        try:
            if connection is not None and connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error as second:
            _log.warning("the ledger could not roll back", error=str(second))
        self._probe_at = time.monotonic() + _PROBE_SECONDS
        failure = self._file.why(error)
        if self.failure is None:
            self.failing_since = self.changed_at = time.time()
            _log.error("the ledger cannot be written", reason=failure.message)
        self.failure = failure
        try:
            if isinstance(failure, LedgerCorruptError) and connection is not None:
                self._file.replace()
            elif isinstance(failure, LedgerLostError) and not self._file.lost:
                self._file.rescue()
                self._healed()
        except LedgerError as second_error:
            _log.error("a new ledger could not be begun", reason=second_error.message)
            self.failure = second_error
        return failure

    def _wrote(self, rows: int) -> None:
        """A commit came through. One of nothing but reading proves nothing: a full disk can be read."""
        if rows and not self._file.lost:
            self._healed()

    def _healed(self) -> None:
        if self.failure is not None:
            self.failure = None
            self.failing_since = None
            self.changed_at = time.time()
            _log.info("the ledger can be written again")

    def _notice(self, text: str) -> None:
        if self._on_notice is not None:
            self._tell(self._on_notice, text)

    def _tell(self, call: Callable[..., object], *arguments: object) -> None:
        assert self._loop is not None
        try:
            self._loop.call_soon_threadsafe(call, *arguments)
        except RuntimeError:
            _log.warning("the loop ended before the ledger")


def _end_if_fatal(error: BaseException) -> None:
    if not isinstance(error, Exception):
        raise error
