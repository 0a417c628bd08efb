from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, cast

import pytest

from itsjustintv_desktop.engine.core.errors import LedgerError, LedgerUnavailableError
from itsjustintv_desktop.engine.core.models import StreamEvent
from itsjustintv_desktop.engine.ingress import intake as module
from itsjustintv_desktop.engine.ingress.intake import EventIntake
from itsjustintv_desktop.engine.instrumentation import Instrumentation, Observer
from itsjustintv_desktop.engine.storage.ledger import Ledger
from itsjustintv_desktop.engine.storage.ledger.settling import Settle
from tests.support.builders import make_event
from tests.support.clock import FakeClock


class Scribe:
    """A ledger that commits when the test says so."""

    def __init__(self) -> None:
        self.waiting: deque[Settle] = deque()

    def accept(self, _: StreamEvent, settle: Settle) -> None:
        self.waiting.append(settle)


class Witness:
    """The observer: what it is told of events."""

    def __init__(self) -> None:
        self.received_as: list[str] = []

    def received(self, _: StreamEvent, outcome: str, **__: float) -> None:
        self.received_as.append(outcome)


class Rig:
    def __init__(self) -> None:
        self.ledger = Scribe()
        self.witness = Witness()
        instrumentation = Instrumentation()
        instrumentation.observer = cast("Observer", self.witness)
        self.intake = EventIntake(cast("Ledger", self.ledger), FakeClock(), instrumentation)
        self.woken = 0
        self.intake.stored.connect(self._wake)

    def _wake(self) -> None:
        self.woken += 1

    async def senders(self, count: int, **how: Any) -> list[asyncio.Task[bool]]:
        """Events whose senders wait for the commit."""
        events = [make_event(stream_id=str(number)) for number in range(count)]
        tasks = [asyncio.ensure_future(self.intake.submit(event, **how)) for event in events]
        await asyncio.sleep(0)  # they submit
        await asyncio.sleep(0)  # the ledger gets all of them
        return tasks

    def commit(self, outcome: bool | LedgerError = True) -> None:
        self.ledger.waiting.popleft()(outcome)


async def test_a_sender_hears_only_after_the_commit_and_the_pipeline_of_what_is_new() -> None:
    rig = Rig()
    new, known, failed = await rig.senders(3)
    for _ in range(10):
        await asyncio.sleep(0)
    assert not any(sender.done() for sender in (new, known, failed))
    rig.commit(True)
    rig.commit(False)
    rig.commit(LedgerUnavailableError("The disk is full."))
    assert (await new, await known) == (True, False)
    with pytest.raises(LedgerUnavailableError, match="The disk is full"):
        await failed
    assert rig.woken == 1
    assert rig.witness.received_as == ["new", "known", "failed"]


async def test_what_came_by_post_is_reported_by_the_port_alone() -> None:
    rig = Rig()
    (sender,) = await rig.senders(1, by_post=True)
    rig.commit()
    assert await sender
    assert (rig.woken, rig.witness.received_as) == (1, [])


async def test_what_is_stored_wakes_the_pipeline_when_the_sender_has_gone() -> None:
    rig = Rig()
    (sender,) = await rig.senders(1)
    sender.cancel()
    await asyncio.wait([sender])
    rig.commit()
    assert (rig.woken, rig.witness.received_as) == (1, ["new"])


async def test_who_gets_no_answer_in_time_hears_so_and_the_others_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "COMMIT_SECONDS", 0.05)
    rig = Rig()
    senders = await rig.senders(4)
    first, second, third, _ = rig.ledger.waiting
    first(True)
    third(False)
    assert (await senders[0], await senders[2]) == (True, False)
    for late in (senders[1], senders[3]):
        with pytest.raises(LedgerUnavailableError, match="in time"):
            await late
    second(True)  # too late for the sender, and stored all the same
    assert rig.woken == 2
    (later,) = await rig.senders(1)
    with pytest.raises(LedgerUnavailableError):  # the alarm is set anew
        await later
    assert rig.intake._alarm is None, "it rings only while somebody waits"


async def test_those_who_were_answered_are_forgotten() -> None:
    rig = Rig()
    for _ in range(20):
        senders = await rig.senders(50)
        for _ in senders:
            rig.commit()
        assert await asyncio.gather(*senders) == [True] * 50
    assert len(rig.intake._waiting) <= 50


@pytest.mark.expected_errors("a listener failed")
async def test_a_broken_listener_keeps_no_sender_waiting() -> None:
    rig = Rig()

    def breaks() -> None:
        raise ValueError("broken")

    rig.intake.stored.connect(breaks)
    (sender,) = await rig.senders(1)
    rig.commit()
    assert await sender
