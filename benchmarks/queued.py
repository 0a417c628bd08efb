"""100,000 queued deliveries to 100 destinations that are down: start, claim, memory, size on disk."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import msgspec

from benchmarks import config, messages, process
from benchmarks.ports import free_port
from benchmarks.report import Target, heading, say, table, verdicts
from itsjustintv_desktop.engine.announce import payload
from itsjustintv_desktop.engine.config.schema import Streamer
from itsjustintv_desktop.engine.core.clock import SystemClock
from itsjustintv_desktop.engine.core.models import DeliveryState, Enrichment, Image, StreamEvent
from itsjustintv_desktop.engine.delivery.destination_queues import TOTAL
from itsjustintv_desktop.engine.delivery.rate_limits import FIRST_WIDTH
from itsjustintv_desktop.engine.storage.ledger import Finish, Ledger
from itsjustintv_desktop.engine.storage.ledger.accepting import accept
from itsjustintv_desktop.engine.storage.ledger.announcing import announce
from itsjustintv_desktop.engine.storage.ledger.connection import open_ledger

DELIVERIES = 100_000
DESTINATIONS = 100
STARTS = 3
CLAIMS = 40
WATCH = 15.0
"""Seconds that the program is watched while it tries what is due."""


def run(folder: Path) -> None:
    heading(f"{DELIVERIES:,} queued deliveries, {DESTINATIONS} destinations that are down")
    down = f"http://127.0.0.1:{free_port()}"  # nothing listens there
    names = {f"place{number:03}": f"{down}/{number}" for number in range(DESTINATIONS)}
    config.write(folder, streamers=messages.CHANNELS, destinations=names)
    data = folder / "data"
    data.mkdir()
    began = time.perf_counter()
    size = fill(data / "ledger.db", list(names))
    say(f"An event and a delivery each, payload {size:,} bytes; written in {time.perf_counter() - began:.0f} s.\n")
    claims = asyncio.run(_claims(data / "ledger.db"))
    starts, memory = [], 0.0
    for number in range(STARTS):
        with process.python(config.serve(folder), log=folder / "log") as program:
            starts.append(program.started_in)
            if number == STARTS - 1:
                memory = _watch(program)
    on_disk = sum(path.stat().st_size for path in data.glob("ledger.db*")) / 1e6
    table(
        ("figure", "median", "least", "most"),
        [
            ("start to ready, s", f"{median(starts):.2f}", f"{min(starts):.2f}", f"{max(starts):.2f}"),
            (f"claim of {TOTAL}, ms", f"{median(claims):.1f}", f"{min(claims):.1f}", f"{max(claims):.1f}"),
        ],
    )
    verdicts(
        [
            Target(what="start to ready", measured=median(starts), limit=2, unit=" s", digits=2),
            Target(what="claim of the next batch", measured=median(claims), limit=5, unit=" ms"),
            Target(what=f"most memory in {WATCH:.0f} s of trying", measured=memory, limit=150, unit=" MB", digits=0),
            Target(what="ledger on disk", measured=on_disk, limit=200, unit=" MB", digits=0),
        ]
    )


def fill(path: Path, names: list[str]) -> int:
    """Events and deliveries as the program itself makes them, all due now. Returns the size of a payload."""
    connection = open_ledger(path)
    body = b""
    for start in range(0, DELIVERIES, 1000):
        connection.execute("BEGIN")
        for event_id, event in _accepted(connection, range(start, start + 1000)):
            number = int(event.stream_id)
            body = _payload(event, event_id)
            name = names[number % len(names)]
            announce(
                connection, event_id, streamer=messages.login(number % messages.CHANNELS), payload=body,
                destinations=(name,), now=event.received_at,
            )  # fmt: skip
        connection.execute("COMMIT")
    connection.close()
    return len(body)


def _accepted(connection: sqlite3.Connection, numbers: range) -> Iterator[tuple[int, StreamEvent]]:
    now = time.time()
    events = [
        StreamEvent(
            source="twitch",
            kind="stream.online",
            message_id=f"d5d0a1c2-6f6b-4b0e-8f3a-{number:012}",
            received_at=now,
            broadcaster_id=messages.user_id(number % messages.CHANNELS),
            broadcaster_login=messages.login(number % messages.CHANNELS),
            broadcaster_name=messages.login(number % messages.CHANNELS).title(),
            stream_id=str(number),
            started_at=now,
            subscription_id=messages.SUBSCRIPTION,
        )
        for number in numbers
    ]
    accept(connection, events)
    first: int = connection.execute("SELECT max(id) FROM events").fetchone()[0] - len(events) + 1
    return iter(list(enumerate(events, first)))


def _payload(event: StreamEvent, event_id: int) -> bytes:
    """Nothing missing, as long as they are in life."""
    picture = (
        "https://static-cdn.example/jtv_user_pictures/8a6381c7-d0c0-4576-b179-38bd5ce1d6af-profile_image-300x300.png"
    )
    enrichment = Enrichment(
        description="Speedruns, chess and a lot of coffee. Live on weekdays from eight in the evening. " * 2,
        image=Image(url=picture, sha256="ab" * 32, mime_type="image/png", width=300, height=300),
        tags=("English", "Speedrun", "Chess", "NoBackseating", "FirstPlaythrough"),
        language="en",
        view_count=1234,
        followers_count=56789,
        title="Any% attempts until the personal best falls, then some chess with viewers",
        category_id="743",
        category_name="Chess",
        thumbnail_url="https://static-cdn.example/previews-ttv/live_user_channel00001-{width}x{height}.jpg",
    )
    streamer = Streamer(key=event.broadcaster_login, login=event.broadcaster_login)
    return msgspec.json.encode(payload.build(event, streamer, enrichment, event_id=str(event_id)))


async def _claims(path: Path) -> list[float]:
    """Milliseconds of each of some claims, one after the other; what was claimed is put back."""
    ledger = Ledger(path, SystemClock())
    await ledger.open()
    took = []
    try:
        for _ in range(CLAIMS):
            began = time.perf_counter()
            batch = await ledger.claim(TOTAL, {}, FIRST_WIDTH)
            took.append(1000 * (time.perf_counter() - began))
            if len(batch.deliveries) != TOTAL:
                raise RuntimeError(f"{len(batch.deliveries)} deliveries were claimed instead of {TOTAL}")
            back = [
                Finish(id=each.id, attempt=each.attempt, state=DeliveryState.PENDING, next_at=time.time())
                for each in batch.deliveries
            ]
            await ledger.finish(back)
    finally:
        await ledger.close()
    return took


def _watch(program: process.Program) -> float:
    most = 0.0
    until = time.monotonic() + WATCH
    while time.monotonic() < until:
        most = max(most, program.memory())
        time.sleep(0.1)
    return most
