"""A second platform, pushing and yielding: what a source and its enricher have to do, and what the engine does."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from itsjustintv_desktop.engine.core.errors import LedgerError
from itsjustintv_desktop.engine.core.models import DeliveryState, Enrichment, StreamEvent
from itsjustintv_desktop.engine.core.sources import (
    Enricher,
    EventSource,
    Submit,
    WatchedStreamer,
    from_iterator,
)
from tests.support.engine import SECRET, Running, running_engine
from tests.support.waiting import until

CONFIG = f"""
[destinations.main]
url = "RECEIVER/main"
secret = "{SECRET}"
[streamers.carol]
user_id = "555001"
login = "carol"
destinations = ["main"]
"""


class Chalk:
    """The platform: what happened there. It outlives the engine, as platforms do."""

    def __init__(self, ledger: Path) -> None:
        self.ledger = ledger
        self.unsettled: asyncio.Queue[StreamEvent] = asyncio.Queue()
        self.outcomes: list[tuple[str | None, bool | LedgerError, bool]] = []
        """Message id, what we were told, and whether another process could see the event on disk just then."""
        self.live: bool | None = True
        self.gate = asyncio.Event()
        self.gate.set()
        self.broken = 0
        self.started = 0
        self.stopped = 0

    def went_live(self, stream_id: str, *, message_id: str, received_at: float | None = None) -> None:
        event = StreamEvent(
            source="chalk",
            kind="stream.online",
            message_id=message_id,
            received_at=received_at or time.time(),
            broadcaster_id="555001",
            broadcaster_login="carol",
            broadcaster_name="Carol",
            stream_id=stream_id,
        )
        self.unsettled.put_nowait(event)

    def break_if_asked(self, event: StreamEvent) -> None:
        if self.broken:
            self.broken -= 1
            self.unsettled.put_nowait(event)
            raise ConnectionResetError("the platform hung up")

    def heard(self, event: StreamEvent, outcome: bool | LedgerError) -> None:
        with sqlite3.connect(self.ledger, timeout=0.1) as other:
            found = other.execute("SELECT 1 FROM events WHERE message_id = ?", (event.message_id,)).fetchone()
        other.close()
        self.outcomes.append((event.message_id, outcome, found is not None))


class ChalkSource:
    name = "chalk"

    def __init__(self, platform: Chalk) -> None:
        self._platform = platform

    async def run(self, submit: Submit) -> None:
        self._platform.started += 1
        try:
            while True:
                event = await self._platform.unsettled.get()
                self._platform.break_if_asked(event)
                try:
                    self._platform.heard(event, await submit(event))
                except LedgerError as error:
                    self._platform.heard(event, error)
        finally:
            self._platform.stopped += 1


class Arrived:
    """What a source that yields hands out."""

    def __init__(self, platform: Chalk, event: StreamEvent) -> None:
        self._platform = platform
        self.event = event

    def settle(self, outcome: bool | LedgerError) -> None:
        self._platform.heard(self.event, outcome)


class YieldingSource:
    """The same platform as an iterator."""

    name = "chalk"

    def __init__(self, platform: Chalk) -> None:
        self._platform = platform

    async def start(self) -> None:
        self._platform.started += 1

    async def stop(self) -> None:
        self._platform.stopped += 1

    async def events(self) -> AsyncIterator[Arrived]:
        while True:
            event = await self._platform.unsettled.get()
            self._platform.break_if_asked(event)
            yield Arrived(self._platform, event)


class ChalkEnricher:
    def __init__(self, platform: Chalk) -> None:
        self._platform = platform

    async def enrich(self, event: StreamEvent, streamer: WatchedStreamer, *, timeout: float) -> Enrichment:
        await self._platform.gate.wait()
        return Enrichment(login=streamer.login, name="Carol", url="https://chalk.example/carol", title="On chalk")

    async def is_live(self, broadcaster_id: str, stream_id: str, *, timeout: float) -> bool | None:
        return self._platform.live


@pytest.fixture
def platform(tmp_path: Path) -> Chalk:
    return Chalk(tmp_path / "data" / "ledger.db")


@pytest.fixture(params=["pushes", "yields"])
async def running(request: pytest.FixtureRequest, tmp_path: Path, platform: Chalk) -> AsyncIterator[Running]:
    def sources() -> list[tuple[EventSource, Enricher]]:
        pushes = request.param == "pushes"
        source = ChalkSource(platform) if pushes else from_iterator(YieldingSource(platform))
        return [(source, ChalkEnricher(platform))]

    async with running_engine(tmp_path, CONFIG, logins=(), subscribe=False, sources=sources) as made:
        yield made


async def test_its_events_are_announced_with_its_own_address(running: Running, platform: Chalk) -> None:
    await until(lambda: running.engine.reach.catch_up.status.last_poll)  # who is live is asked for every streamer
    running.simulator.calls.clear()
    platform.went_live("s1", message_id="m1")
    (received,) = await running.simulator.receiver.wait_for(1, "main")
    assert received.verified
    payload = received.json
    assert (payload["url"], payload["streamer_name"], payload["streamer_id"]) == (
        "https://chalk.example/carol",
        "Carol",
        "555001",
    )
    assert (payload["stream"]["id"], payload["stream"]["title"]) == ("s1", "On chalk")
    await running.settled()
    assert running.output()[0]["success"] is True
    assert running.simulator.calls["streams"] == 0, "Twitch is not asked about another platform's stream"


async def test_it_hears_that_an_event_is_taken_when_it_is_on_disk(running: Running, platform: Chalk) -> None:
    platform.went_live("s1", message_id="m1")
    platform.went_live("s1", message_id="m1")
    platform.went_live("s1", message_id="m2")
    await until(lambda: len(platform.outcomes) == 3)
    assert platform.outcomes == [("m1", True, True), ("m1", False, True), ("m2", True, True)]
    await running.settled()
    assert len(running.simulator.receiver.accepted("main")) == 1, "one stream, one announcement"


async def test_the_same_message_id_of_twitch_is_another_message(running: Running, platform: Chalk) -> None:
    platform.went_live("s1", message_id="m1")
    await until(lambda: platform.outcomes)
    (record,) = await running.engine.ledger.events_of_message("chalk", "m1")
    assert await running.engine.ledger.accept_now(msgspec.structs.replace(record.event, source="twitch"))


async def test_a_restart_in_the_middle_loses_and_doubles_nothing(running: Running, platform: Chalk) -> None:
    platform.gate.clear()
    platform.went_live("s1", message_id="m1")
    await until(lambda: platform.outcomes)
    await running.stop()
    assert (platform.started, platform.stopped) == (1, 1)
    platform.went_live("s2", message_id="m2")
    assert running.simulator.receiver.all == []
    platform.gate.set()
    await running.start()
    received = await running.simulator.receiver.wait_for(2, "main")
    await running.settled()
    assert sorted(one.json["stream"]["id"] for one in received) == ["s1", "s2"]
    assert len(running.simulator.receiver.accepted("main")) == 2


async def test_its_own_word_says_whether_a_late_stream_still_runs(running: Running, platform: Chalk) -> None:
    platform.live = False
    platform.went_live("s1", message_id="m1", received_at=time.time() - 1200)
    await until(lambda: platform.outcomes)
    await running.settled()
    assert [view.state for view in await running.deliveries()] == [DeliveryState.EXPIRED]
    assert running.simulator.receiver.all == []


@pytest.mark.expected_errors("a loop broke")
async def test_a_source_that_breaks_is_started_again(running: Running, platform: Chalk) -> None:
    platform.broken = 1
    platform.went_live("s1", message_id="m1")
    await until(lambda: running.engine.supervisor.broken)
    report = await running.engine.doctor.health()
    assert report["parts"]["source.chalk"]["status"] == "failing"
    await running.simulator.receiver.wait_for(1, "main")
    assert platform.started == 2
    report = await running.engine.doctor.health()
    assert "source.chalk" not in report["parts"]
