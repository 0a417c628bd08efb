"""What came over the socket is held until the ledger has it: Twitch does not send it again."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.core.errors import LedgerUnavailableError
from itsjustintv_desktop.engine.core.models import StreamEvent
from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.engine.ingress.conduit.inbox import Inbox
from itsjustintv_desktop.engine.ingress.transports import TransportState
from tests.engine.ingress.conduit.rig import Rig, running_rig
from tests.support.builders import make_event
from tests.support.clock import FakeClock
from tests.support.disks import small_disk
from tests.support.waiting import until

_COUNT = "SELECT count(*) FROM events"
FULL = LedgerUnavailableError("The disk is full. Free some space; nothing else needs doing.")


async def test_messages_wait_for_a_ledger_that_refuses(rig: Rig) -> None:
    await rig.ready()
    await rig.subscribe("alice", "bob", "carol")
    rig.refusal = FULL
    await rig.simulator.go_live("alice")
    await rig.simulator.go_live("bob")
    await rig.reached("ledger")
    await until(lambda: rig.way.status.facts.get("held") == "2")
    status = rig.way.status
    assert status.state is TransportState.WAITING
    assert status.message == (
        "The disk is full. Free some space; nothing else needs doing. Twitch's messages held in memory until then: 2."
    )
    await rig.simulator.go_live("carol")
    await until(lambda: rig.way.status.facts.get("held") == "3")
    assert await rig.events() == []
    tried = len(rig.submitted)
    rig.clock.advance(1.0)
    await until(lambda: len(rig.submitted) > tried)
    rig.refusal = None
    rig.clock.advance(2.0)
    await rig.reached("ready")
    await until(lambda: not len(rig.way._handover))
    assert {record.event.broadcaster_login for record in await rig.events()} == {"alice", "bob", "carol"}
    assert len(rig.gaps) == 1, "nothing was lost"
    assert "held" not in rig.way.status.facts


async def test_what_is_held_outlives_the_connection(rig: Rig) -> None:
    await rig.ready()
    await rig.subscribe("alice")
    rig.refusal = FULL
    await rig.simulator.go_live("alice")
    await rig.reached("ledger")
    await rig.simulator.drop_sockets()
    await rig.reached("connecting")
    assert rig.way.status.facts["held"] == "1"
    await rig.rested()
    await rig.reached("ledger")
    rig.refusal = None
    rig.clock.advance(4.0)
    await rig.reached("ready")
    assert len(await rig.events()) == 1


async def test_a_broken_run_begins_anew_with_what_it_held(rig: Rig) -> None:
    await rig.ready()
    await rig.subscribe("alice")
    rig.refusal = FULL
    await rig.simulator.go_live("alice")
    await rig.reached("ledger")
    await rig.stop()
    rig.refusal = None
    rig.start()
    await until(rig.events)


@pytest.mark.small_disk
@pytest.mark.expected_errors("the ledger cannot be written")
async def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        async with running_rig(disk.path) as rig:
            await rig.ready()
            logins = [f"channel{number}" for number in range(500)]  # the log may have a little room left
            await rig.subscribe(*logins)
            disk.fill()
            for login in logins:
                await rig.simulator.go_live(login)
            await rig.reached("ledger")
            assert "disk is full" in rig.way.status.message
            disk.free()

            async def stored() -> int:
                return int(await rig.ledger._writer.run(lambda db: db.execute(_COUNT).fetchone()[0]))

            async with asyncio.timeout(40):  # the last messages may still be on their way to us
                while await stored() < len(logins):
                    await rig.clock.run_until(lambda: not len(rig.way._handover))
            assert await stored() == len(logins)


class Book:
    """A ledger that refuses or hangs when asked to, and counts who waits at the same time."""

    def __init__(self) -> None:
        self.stored: list[str] = []
        self.refuses = False
        self.gate = asyncio.Event()
        self.waiting = 0
        self.most_waiting = 0

    async def submit(self, event: StreamEvent) -> bool:
        if self.refuses:
            raise FULL
        self.waiting += 1
        self.most_waiting = max(self.most_waiting, self.waiting)
        await self.gate.wait()
        self.waiting -= 1
        assert event.message_id is not None
        self.stored.append(event.message_id)
        return True


async def test_many_wait_for_their_commit_together_but_not_all() -> None:
    book, tasks = Book(), Tasks()
    handover = Inbox(book.submit, clock=FakeClock(), on_change=lambda: None, on_gap=lambda _: None)
    handover.start(tasks)
    events = [make_event() for _ in range(300)]
    for event in events:
        handover.put(event)
    await until(lambda: book.waiting == 64)
    assert len(handover) == 300
    book.gate.set()
    await until(lambda: not len(handover))
    assert book.most_waiting == 64
    assert sorted(book.stored) == sorted(str(event.message_id) for event in events)
    await tasks.stop()


async def test_no_more_are_held_than_there_is_room_for_and_that_is_said() -> None:
    book, tasks, clock = Book(), Tasks(), FakeClock()
    gaps: list[str] = []
    handover = Inbox(book.submit, clock=clock, on_change=lambda: None, on_gap=gaps.append, most=100)
    handover.start(tasks)
    book.gate.set()
    book.refuses = True
    for _ in range(130):
        handover.put(make_event())
    assert (len(handover), handover.let_go, len(gaps)) == (100, 30, 1)
    await until(lambda: handover.failure is not None)
    book.refuses = False
    await clock.run_until(lambda: not len(handover))
    assert len(book.stored) == 100
    assert gaps[1:] == ["30 messages could not be stored or held while the ledger failed."]
    assert (handover.failure, handover.let_go) == (None, 0)
    await tasks.stop()
