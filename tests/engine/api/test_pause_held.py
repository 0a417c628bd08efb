"""Announcements held back by a person, with the whole engine, and for what is found by asking."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.announce.pause import Pause
from itsjustintv_desktop.engine.core.events import AnnouncementsPaused, Bus
from itsjustintv_desktop.engine.core.models import EventState
from itsjustintv_desktop.engine.ingress.catch_up.decide import GRACE
from tests.engine.ingress.catch_up.rig import Net, opened_net
from tests.support.engine import ONE_STREAMER, Running, running_engine
from tests.support.waiting import until


async def reasons(running: Running) -> list[str]:
    """Of each event, oldest first: its reason, or its state."""
    return [each.reason or each.state.value for each in (await running.engine.ledger.events())[::-1]]


async def ask(running: Running) -> None:
    """Twitch is asked who is live, and what follows from it is settled."""
    catch_up = running.engine.reach.catch_up
    polled = catch_up.status.last_poll
    catch_up.trigger("asked")
    await until(lambda: catch_up.status.last_poll != polled)
    await running.settled()


async def test_a_stream_is_listed_and_not_announced_later(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as running:
        heard = running.engine.subscribe()
        await running.engine.api.announcements.pause()
        await running.simulator.go_live("alice")
        await running.settled()
        (event,) = await running.engine.ledger.events()
        assert (event.state, event.reason, event.streamer) == (EventState.SUPPRESSED, "paused", "alice")
        assert "Announcements were paused" in (event.explanation or "")
        assert event.payload is not None, "with its details, so that it can be shown and sent anyway"
        assert running.simulator.receiver.all == []
        report = await running.engine.doctor.health()
        part = report["parts"]["announcements"]
        assert (part["status"], part["reason"]) == ("waiting", "Announcements are paused until you resume them.")
        check = next(
            each for each in (await running.engine.api.diagnostics.doctor()).checks if each.name == "announcements"
        )
        assert check.state.value == "amber"
        await running.restart()
        assert running.engine.pause.active
        assert (await running.engine.snapshot()).paused is not None
        await running.engine.api.announcements.resume()
        for _ in range(2):
            await ask(running)
        assert await reasons(running) == ["paused"]
        assert running.simulator.receiver.all == []
        assert [each.paused for each in heard._events if isinstance(each, AnnouncementsPaused)] == [True]
        assert "announcements" not in {each.name for each in (await running.engine.api.diagnostics.doctor()).checks}
        assert await running.engine.api.announcements.send_anyway(event.id) == ("main",)
        (received,) = await running.simulator.receiver.wait_for(1, "main")
        assert received.json["enriched"]


async def test_a_test_and_what_is_sent_by_hand_go_out_meanwhile(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as running:
        await running.engine.api.announcements.pause()
        await running.engine.api.announcements.test_event("alice")
        (received,) = await running.simulator.receiver.wait_for(1, "main")
        assert received.json["test"]
        await running.simulator.go_live("alice")
        await running.settled()
        event = (await running.engine.ledger.events())[0]
        await running.engine.api.announcements.send_anyway(event.id)
        await running.simulator.receiver.wait_for(2, "main")


async def test_what_is_queued_is_held_and_sent_after(tmp_path: Path) -> None:
    quick = '[retry]\ninitial_delay = "100ms"\nmax_delay = "100ms"\n'
    async with running_engine(tmp_path, quick + ONE_STREAMER) as running:
        tried = running.simulator.receiver.all
        running.simulator.faults.set_receiver("main", status=503)
        await running.simulator.go_live("alice")
        await until(lambda: tried)
        await running.engine.api.announcements.pause()
        await until(lambda: running.engine.dispatcher.queues.in_flight == 0)
        first = len(tried)

        async def due() -> bool:
            (delivery,) = await running.deliveries()
            return delivery.next_at is not None and delivery.next_at < running.engine.now() - 0.3

        await until(due)
        await running.restart()
        await until(due)
        running.engine.dispatcher.wake()
        batch = await running.engine.ledger.claim(5, {}, 5, only_forced=True)
        assert (batch.deliveries, batch.next_due, len(tried)) == ((), None, first)
        (delivery,) = await running.deliveries()
        await running.engine.api.deliveries.retry(delivery.id)
        await until(lambda: len(tried) == first + 1)
        await until(due)
        assert len(tried) == first + 1, "it failed, and waits like the others"
        running.simulator.faults.clear()
        await running.engine.api.announcements.resume()
        await running.simulator.receiver.wait_for(1, "main")
        await running.settled()
        assert [each.state.value for each in await running.deliveries()] == ["delivered"]


# Found by asking


@pytest.fixture
async def net(tmp_path: Path) -> AsyncIterator[Net]:
    async with opened_net(tmp_path) as made:
        made.watch("alice")
        yield made


async def paused_net(net: Net) -> Pause:
    pause = Pause(net.world.ledger, bus=Bus(), clock=net.clock)
    net.catch_up._paused_at = pause.covers
    return pause


@pytest.mark.parametrize("resumed", [True, False])
async def test_a_stream_that_began_meanwhile_and_is_found_by_asking_is_listed(net: Net, resumed: bool) -> None:
    pause = await paused_net(net)
    await pause.begin(None)
    net.clock.advance(60)
    await net.live("alice")
    net.clock.advance(GRACE + 1)
    if resumed:
        await pause.resume()
        net.clock.advance(60)
    await net.ask()
    await net.ask()
    assert await net.reasons() == ["paused"]
    assert net.submitted == 0


async def test_twitchs_own_message_comes_first_where_it_can(net: Net) -> None:
    pause = await paused_net(net)
    await pause.begin(None)
    net.clock.advance(60)
    await net.live("alice")
    await net.ask()
    assert await net.reasons() == []


async def test_a_stream_that_began_before_or_after_is_none_of_it(net: Net) -> None:
    pause = await paused_net(net)
    await net.live("alice", ago=120.0)
    await pause.begin(None)
    net.clock.advance(60)
    await pause.resume()
    await net.ask()
    assert net.submitted == 1


async def test_what_was_suppressed_by_it_is_not_handed_in_again(net: Net) -> None:
    net.world.pipeline._held._active = lambda: True
    net.world.run_pipeline()
    event_id = await net.world.accept(broadcaster_id=net.user_id("alice"), stream_id=await net.live("alice", ago=5))
    assert (await net.world.settled(event_id)).reason == "paused"
    net.world.pipeline._held._active = lambda: False
    await net.ask()
    assert (net.submitted, await net.reasons()) == (0, ["paused"])


async def test_a_stream_that_began_as_it_was_resumed_is_announced(net: Net) -> None:
    """When it began is known to the second only, and our clock is not exactly Twitch's."""
    pause = await paused_net(net)
    await pause.begin(None)
    net.clock.advance(600)
    await net.live("alice", ago=1.0)
    await pause.resume()
    net.clock.advance(GRACE + 1)
    await net.ask()
    assert net.submitted == 1
