"""The whole program: a stream began while it was off, and no message ever tells of it."""

from __future__ import annotations

from pathlib import Path

from itsjustintv_desktop.engine.core.events import LiveChanged
from tests.support.engine import running_engine
from tests.support.waiting import until


async def test_what_began_while_it_was_off_is_announced_once(tmp_path: Path) -> None:
    async with running_engine(tmp_path, start=False, subscribe=False) as running:
        stream = await running.simulator.go_live("alice", notify=False)
        await running.start()
        (received,) = await running.simulator.receiver.wait_for(1, "main")
        assert received.verified
        assert (received.json["event"]["message_id"], received.json["stream"]["id"]) == (None, stream.id)
        assert (received.json["enriched"], received.json["view_count"]) == (True, 25)
        for _ in range(2):
            await running.restart()
            await until(lambda: running.engine.reach.catch_up.status.last_poll)
            await running.settled()
        assert [each.stream_id for each in running.engine.reach.catch_up.live_now.values()] == [stream.id]
        assert len(running.simulator.receiver.all) == 1
        assert len(await running.engine.ledger.events()) == 1


async def test_a_message_tells_who_is_live_at_once(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as running:
        await until(lambda: running.engine.reach.catch_up.status.last_poll)
        heard = running.engine.subscribe()
        await running.simulator.go_live("alice")
        await running.simulator.receiver.wait_for(1, "main")
        assert len(running.engine.reach.catch_up.live_now) == 1
        assert [event.count for event in heard._events if isinstance(event, LiveChanged)] == [1]
