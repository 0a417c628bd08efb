"""The three files that are lists: the queue, the remembered streams, the past. Read, judged, stored page by page."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from itsjustintv_desktop.engine.config.durations import render
from itsjustintv_desktop.engine.config.schema import Config
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import GoFileError, os_sentence
from itsjustintv_desktop.engine.delivery import schedule
from itsjustintv_desktop.engine.import_go import announcements, feed, reader
from itsjustintv_desktop.engine.import_go.announcements import Reading
from itsjustintv_desktop.engine.import_go.names import Names
from itsjustintv_desktop.engine.import_go.payload import Pictures, fingerprint
from itsjustintv_desktop.engine.import_go.remembered import seen
from itsjustintv_desktop.engine.import_go.report import Part, State, number
from itsjustintv_desktop.engine.storage.ledger import Ledger
from itsjustintv_desktop.engine.storage.ledger.importing import ImportedEvent

PAGE = 50
"""Announcements in one transaction."""
_HASHES = 400

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Lists:
    """All methods raise GoFileError if the file cannot be read, LedgerError."""

    config: Config
    ledger: Ledger
    names: Names
    pictures: Pictures
    clock: Clock
    progress: Progress

    async def queue(self, path: Path, vault_problem: str | None) -> Part:
        """retry_state.json: what waits for its next attempt."""
        part = Part(name=reader.QUEUE)
        found = await self._elements(path, part, "queue")
        if found is None:
            return part
        now, retry, reading = self.clock.now(), self.config.retry, Reading()
        events = announcements.queued(
            found.items,
            reading,
            self.names,
            self.pictures,
            now=now,
            latest=now + schedule.longest_delay(retry),
            written_at=await asyncio.to_thread(_written_at, path, now),
            max_age=retry.max_age,
            vault_is_shut=vault_problem is not None,
        )
        await self._store(events, part, len(found.items))
        part.leave_out(reading.left_out)
        part.notes += [
            f"For an address at {host} there is no destination in the config: what was to go there is dead. Add one "
            f"with that address under the name {name}; `deliveries list --destination {name}` shows what to resend."
            for name, host in reading.homeless.items()
        ]
        if reading.waiting:
            part.fail(
                f"{number(reading.waiting, 'entry waits', 'entries wait')} for the secrets to be opened, where the "
                f"address may be: {vault_problem} Then repeat this command."
            )
        if reading.old:
            part.notes.append(
                f"{number(reading.old, 'entry is', 'entries are')} older than [retry] max_age "
                f"({render(retry.max_age)}): given up at the start, and shown as dead by `deliveries list`."
            )
        return part

    async def seen(self, path: Path) -> Part:
        """cache.json: what was announced lately."""
        part = Part(name=reader.CACHE)
        found = await self._elements(path, part)
        if found is None:
            return part
        result = seen(found.items, now=self.clock.now(), ttl=self.config.cache.dedup_ttl)
        for start in range(0, len(result.keys), _HASHES):
            page = dict(result.keys[start : start + _HASHES])
            new = await self.ledger.keep_told(list(page.items()))
            part.taken += new
            part.already += len(page) - new
            self.progress(f"{reader.CACHE}: {start + len(page)} of {len(result.keys)}")
        part.leave_out(result.left_out)
        if result.expired:
            part.left_out += result.expired
            part.notes.append(f"{number(result.expired, 'entry has', 'entries have')} expired: not needed any more.")
        return part

    async def past(self, path: Path, queue: Path, addresses: Mapping[str, str], ours: Path | None) -> Part:
        """output.json: what is over, for the history. What stands in the `queue` as well is not over.

        `ours`: our own output.json, which begins with the last of them if there is none yet.
        """
        part = Part(name=reader.OUTPUT)
        found = await self._elements(path, part)
        if found is None:
            return part
        reading = Reading(queued=await asyncio.to_thread(_queued, queue))
        history = self.config.cache.history
        events = announcements.past(
            found.items, reading, self.names, self.pictures, addresses=addresses, now=self.clock.now(), history=history
        )
        await self._store(events, part, len(found.items))
        part.leave_out(reading.left_out)
        if ours is not None and part.taken + part.already:
            try:
                kept = await asyncio.to_thread(feed.begin, ours, found.items, self.config.output.max_lines, addresses)
            except OSError as error:
                part.fail(f"Our own output.json could not be begun: {os_sentence(error)}.")
            else:
                part.notes += [f"Our own output.json begins with the last {kept} of them."] if kept else []
        if reading.old:
            part.left_out += reading.old
            part.notes.append(
                f"{number(reading.old, 'entry is', 'entries are')} left out: older than [cache] history "
                f"({render(history)}), or not among the newest {announcements.HISTORY}."
            )
        return part

    async def _elements(self, path: Path, part: Part, key: str | None = None) -> reader.Elements | None:
        content = await asyncio.to_thread(reader.read, path, reader.LARGEST[part.name])
        if content is None:
            part.state = State.NOTHING
            return None
        found = await asyncio.to_thread(reader.elements, content, key)
        part.notes += found.notes
        if not found.whole:
            part.state = State.FAILED
        return found

    async def _store(self, events: Iterator[ImportedEvent], part: Part, total: int) -> None:
        done = 0
        while page := await asyncio.to_thread(lambda: list(islice(events, PAGE))):
            news = await self.ledger.take_over(page)
            part.taken += sum(news)
            part.already += len(news) - sum(news)
            done += len(page)
            self.progress(f"{part.name}: {done} of {total}")


async def guarded(name: str, work: Awaitable[Part]) -> Part:
    """The part, or one that says why the file cannot be read: the others are taken over all the same."""
    try:
        return await work
    except GoFileError as error:
        return Part(name=name, state=State.FAILED, notes=[f"Nothing was taken over: {error.message}."])


def _queued(path: Path) -> set[str]:
    """Fingerprints of the payloads in the queue. One that cannot be read is told of where it is taken over."""
    try:
        content = reader.read(path, reader.LARGEST[reader.QUEUE])
        items = [] if content is None else reader.elements(content, "queue").items
    except GoFileError:
        return set()
    payloads = [item.get("payload") for item in items if isinstance(item, dict)]
    return {fingerprint(payload) for payload in payloads if isinstance(payload, dict)}


def _written_at(path: Path, now: float) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return now
