"""output.json: the last announcements for other programs to read, written off the hot path (docs/files.md)."""

from __future__ import annotations

import asyncio
import os
import threading
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import structlog

from itsjustintv_desktop.engine.config.schema import Output
from itsjustintv_desktop.engine.core import files
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import LedgerError, os_sentence
from itsjustintv_desktop.engine.core.models import DeliveryState, DeliveryView
from itsjustintv_desktop.engine.core.status import Level, Status
from itsjustintv_desktop.engine.storage.ledger import FeedEntry, Ledger
from itsjustintv_desktop.engine.storage.output_file import copy_kept, replacing

COALESCE_SECONDS = 0.25
"""At least this long between two writes: a thousand announcements in a second are a few writes, not thousands."""
PACE = 4.0
"""Between two writes passes at least this many times as long as the last one took: a large file is written rarely."""
LONGEST_PAUSE = 60.0
RETRY_SECONDS = 2.0
_PAGE = 200
_NAMED = 5

_log = structlog.get_logger(__name__)

Complete = Callable[[dict[str, Any]], dict[str, Any]]


class OutputFile:
    """Keeps the file as the ledger says."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        output: Callable[[], Output],
        resolve: Callable[[str], Path],
        complete: Complete,
        clock: Clock,
    ) -> None:
        """`complete` puts the image's data into a stored payload; it may read files and runs in a thread."""
        self._ledger = ledger
        self._output = output
        self._resolve = resolve
        self._complete = complete
        self._clock = clock
        self._dirty = asyncio.Event()
        self._dirty.set()
        self._idle = asyncio.Event()
        self._turn = threading.Lock()
        self._cleared = False
        self._unwritable: str | None = None
        self.problem_since: float | None = None
        """Since when it cannot be written, Unix seconds."""
        self._unreadable: frozenset[int] = frozenset()

    @property
    def problem(self) -> str | None:
        """A sentence while the file cannot be written, or lacks something."""
        if self._unwritable is not None:
            return f"output.json cannot be written: {self._unwritable}. It is tried again by itself."
        if self._unreadable:
            events = ", ".join(map(str, sorted(self._unreadable)[:_NAMED]))
            more = len(self._unreadable) - _NAMED
            return f"output.json lacks what cannot be read: event {events}{f' and {more} more' if more > 0 else ''}."
        return None

    def health(self) -> Status:
        return Status() if self.problem is None else Status(Level.FAILING, self.problem, self.problem_since)

    def changed(self) -> None:
        """An announcement or an outcome is new."""
        self._dirty.set()
        self._idle.clear()

    async def keep(self) -> bool:
        """Have the file written again if somebody deleted it: True."""
        output = self._output()
        if not output.enabled or output.max_lines <= 0 or not self._idle.is_set():
            return False
        if await asyncio.to_thread(os.path.lexists, self._resolve(output.file_path)):
            return False
        self.changed()
        return True

    async def settled(self) -> None:
        """Wait until the file holds all that was announced when this was called."""
        await self._idle.wait()

    async def run(self) -> None:
        """Write whenever something changed, until cancelled. After any error it may be run again."""
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            began = self._clock.monotonic()
            pause = COALESCE_SECONDS
            try:
                await self.write()
            except (OSError, LedgerError) as error:
                self._dirty.set()
                pause = RETRY_SECONDS
                why = _reason(error)
                if self._unwritable is None:
                    _log.error("output.json cannot be written", reason=why)
                    self.problem_since = self._clock.now()
                self._unwritable = why
            except BaseException:
                self._dirty.set()
                raise
            else:
                if self._unwritable is not None:
                    _log.info("output.json can be written again")
                    self._unwritable = self.problem_since = None
                if not self._dirty.is_set():
                    self._idle.set()
            # A machine that slept meanwhile may count that as well.
            await self._clock.sleep(min(max(pause, PACE * (self._clock.monotonic() - began)), LONGEST_PAUSE))

    async def close(self) -> None:
        """Write what changed last: after a clean stop the file is as the ledger says, or the log says why not."""
        if self._idle.is_set():
            return
        try:
            await self.write()
        except (OSError, LedgerError) as error:
            _log.error("output.json cannot be written; the next start does it", reason=_reason(error))
        except Exception:  # noqa: BLE001 - the end of all: nobody is left to try again
            _log.exception("output.json cannot be written")

    async def write(self) -> None:
        """Write the file now. Raises OSError, LedgerError."""
        output = self._output()
        if not output.enabled or output.max_lines <= 0:
            return
        path = self._resolve(output.file_path)
        pages: list[bytes] = []  # newest first, packed: there may be 100,000 entries
        ids: set[int] = set()
        before: int | None = None
        while len(ids) < output.max_lines:  # pages of 200: accepting must not wait for a long read
            page = await self._ledger.feed(min(_PAGE, output.max_lines - len(ids)), before)
            if not page:
                break
            before = page[0].event_id
            ids.update(entry.event_id for entry in page)
            pages.append(await asyncio.to_thread(_pack, page))
        given_up = threading.Event()
        try:
            unreadable = await asyncio.to_thread(self._write, path, pages, ids, output.max_lines, given_up)
        finally:
            given_up.set()  # when cancelled: the thread must not put an old file in the place of a newer one
        new = sorted(unreadable.keys() - self._unreadable)
        if new:
            _log.error("output.json lacks what cannot be read", events=new[:_NAMED], reason=unreadable[new[0]])
        self._unreadable = frozenset(unreadable)

    def _write(
        self, path: Path, pages: list[bytes], ids: set[int], limit: int, given_up: threading.Event
    ) -> dict[int, str]:
        """The events that are left out, and why."""
        ours = {str(event_id) for event_id in ids}
        unreadable: dict[int, str] = {}
        with self._turn:
            if not self._cleared:
                files.clear_leftovers(path)
                self._cleared = True
            with replacing(path) as array:
                # What the ledger does not know (any more) stays in front: entries of the Go service, of an earlier
                # ledger, or older than the history.
                if len(ids) < limit:
                    copy_kept(path, array, keep=lambda entry: _event_id(entry) not in ours, most=limit - len(ids))
                for entry in _entries(pages):
                    try:
                        text = msgspec.json.encode(self._render(entry))
                    except Exception as error:  # noqa: BLE001 - one damaged entry must not cost all others
                        unreadable[entry.event_id] = type(error).__name__
                    else:
                        array.add(text)
                    if given_up.is_set():
                        raise _GivenUpError
                if given_up.is_set():
                    raise _GivenUpError
        return unreadable

    def _render(self, entry: FeedEntry) -> dict[str, Any]:
        success, error = outcome_of(entry.deliveries)
        return {
            "timestamp": datetime.fromtimestamp(entry.received_at, UTC).isoformat().replace("+00:00", "Z"),
            "payload": self._complete(msgspec.json.decode(entry.payload)),
            "success": success,
            "error": error,
            "deliveries": [
                {"destination": each.destination, "state": each.state.value, "attempts": each.attempts}
                for each in entry.deliveries
            ],
        }


def outcome_of(deliveries: tuple[DeliveryView, ...]) -> tuple[bool, str | None]:
    """`success` and `error` of an entry: pending = (False, None); no destination = success, the file is the output.

    A destination counts by its newest delivery, so a successful resend mends the entry.
    """
    newest = {each.destination: each for each in deliveries}
    failed = [
        f"{name}: {each.last_error or each.state.value}"
        for name, each in newest.items()
        if each.state in {DeliveryState.DEAD, DeliveryState.EXPIRED, DeliveryState.DROPPED}
    ]
    if failed:
        return False, "; ".join(failed)
    return all(each.state is DeliveryState.DELIVERED for each in newest.values()), None


class _GivenUpError(Exception):
    """Nobody waits for this write any more."""


def _pack(page: list[FeedEntry]) -> bytes:
    return zlib.compress(msgspec.msgpack.encode(page), 1)


def _entries(pages: list[bytes]) -> Iterator[FeedEntry]:
    """Oldest first."""
    for page in reversed(pages):
        yield from msgspec.msgpack.decode(zlib.decompress(page), type=list[FeedEntry])


def _reason(error: OSError | LedgerError) -> str:
    return os_sentence(error) if isinstance(error, OSError) else error.message


def _event_id(entry: dict[str, Any]) -> str | None:
    payload = entry.get("payload")
    event = payload.get("event") if isinstance(payload, dict) else None
    return str(event.get("id")) if isinstance(event, dict) else None
