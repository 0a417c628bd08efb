"""A conduit from nothing to an event in the ledger, and what happens when the connection breaks."""

from __future__ import annotations

import asyncio

import pytest

from itsjustintv_desktop.engine.core.models import Conduit
from itsjustintv_desktop.engine.ingress.conduit.sockets import Dialler
from itsjustintv_desktop.engine.ingress.conduit.transport import CHECK_SECONDS, LONGEST_PAUSE
from itsjustintv_desktop.engine.ingress.transports import TransportState
from tests.engine.ingress.conduit.rig import Rig
from tests.support.waiting import until


async def test_it_makes_a_conduit_connects_and_brings_events_in(rig: Rig) -> None:
    await rig.ready()
    (made,) = rig.simulator.conduits
    assert rig.way.target == Conduit(made.id)
    assert await rig.ledger.meta("conduit") == made.id
    (session,) = rig.simulator.sockets
    status = rig.way.status
    assert (status.kind, status.state) == ("conduit", TransportState.READY)
    assert status.facts["conduit"] == made.id
    assert status.facts["session"] == session.id
    assert status.facts["shard"] == "enabled"
    assert status.facts["connected_since"].endswith("Z")
    assert session.keepalive_timeout == 30
    assert len(rig.gaps) == 1, "what was before we listened is not known"
    assert rig.codes == ["connecting", "ready"]
    await rig.subscribe("alice")
    await rig.simulator.go_live("alice")
    await until(rig.events)
    (record,) = await rig.events()
    assert record.event.kind == "stream.online"
    assert record.event.broadcaster_login == "alice"
    assert record.event.message_id


async def test_the_next_start_uses_the_same_conduit_and_leaves_others_alone(rig: Rig) -> None:
    other = rig.simulator.conduits.create()
    await rig.ready()
    ours = rig.target
    assert ours != other.id
    await rig.stop()
    rig.new_way()
    await rig.ready()
    assert rig.target == ours
    assert {each.id for each in rig.simulator.conduits} == {ours, other.id}
    assert not other.shards


@pytest.mark.fault(
    "WebSocket: the connection breaks",
    seen='the way says it "broke off", connects again, and asks who went live meanwhile',
)
async def test_a_torn_connection_is_made_again_and_catching_up_is_asked_for(rig: Rig) -> None:
    await rig.ready()
    before, target = rig.session, rig.target
    await rig.subscribe("alice")
    await rig.simulator.drop_sockets()
    await rig.reached("connecting")
    assert rig.way.status.state is TransportState.WAITING
    assert "broke off" in rig.way.status.message
    assert rig.way.target == Conduit(target), "subscriptions survive"
    await rig.rested()
    await rig.reached("ready")
    assert rig.session != before
    assert rig.gaps[-1] == "The connection to Twitch was away for 1 s."
    assert len(rig.simulator.conduits) == 1
    await rig.simulator.go_live("alice")
    await until(rig.events)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (4000, "had an error"), (4001, "we sent something"), (4002, "pings"), (4003, "not used"),
        (4004, "did not move"), (4005, "too slow"), (4006, "network failed"), (4007, "address it sent us to"),
        (4099, "(4099)"), (1001, "went away"),
    ],
)  # fmt: skip
async def test_every_close_code_is_understood_and_mended(rig: Rig, code: int, words: str) -> None:
    await rig.ready()
    await rig.simulator.drop_sockets(code)
    await rig.reached("connecting")
    assert words in rig.way.status.message
    rig.way.trigger()
    await rig.reached("ready")


@pytest.mark.fault(
    "WebSocket: it falls silent",
    seen='the way says it was "silent for more than 30 seconds", and connects again',
)
async def test_silence_is_noticed_and_keepalives_are_not_silence(rig: Rig) -> None:
    await rig.ready()
    before = rig.session
    for _ in range(4):
        rig.clock.advance(34.0)
        await rig.keepalive()
    rig.clock.advance(34.0)
    await rig.read_all()
    assert (rig.session, rig.way.status.code) == (before, "ready"), "a little lateness is none"
    rig.clock.advance(1.1)
    await rig.reached("connecting")
    assert "silent for more than 30 seconds" in rig.way.status.message
    await rig.rested()
    await rig.reached("ready")
    assert rig.session != before
    assert len(rig.gaps) == 2


@pytest.mark.fault(
    "WebSocket: the machine slept for eight hours",
    seen="Nothing: the dead connection is noticed at once and made anew",
)
async def test_after_a_sleep_of_the_machine_the_dead_socket_is_noticed_at_once(rig: Rig) -> None:
    await rig.ready()
    before = rig.session
    rig.clock.jump(8 * 3600.0)  # the monotonic clock stood still
    rig.way.trigger()
    await until(lambda: rig.way.status.code == "ready" and rig.session != before)
    assert rig.codes == ["connecting", "ready", "connecting", "ready"]
    assert len(rig.gaps) == 2


async def test_a_nudge_leaves_a_living_socket_alone(rig: Rig) -> None:
    await rig.ready()
    before = rig.session
    looked = rig.simulator.calls["shards"]
    rig.way.trigger()
    await until(lambda: not rig.way._triggered.is_set())
    assert rig.simulator.calls["shards"] == looked, "right after connecting the list may not be true yet"
    rig.clock.advance(31.0)
    await rig.keepalive()
    rig.way.trigger()
    await until(lambda: rig.simulator.calls["shards"] == looked + 1)
    await until(lambda: not rig.way._triggered.is_set())
    assert (rig.session, rig.way.status.code, len(rig.gaps)) == (before, "ready", 1)


async def test_pauses_grow_to_a_minute_and_begin_anew_after_steady_times(rig: Rig) -> None:
    rig.simulator.faults.ws_refuse = True
    rig.start()
    for _ in range(8):
        await rig.rested()
    await rig.pausing()
    for pause, most in zip(rig.way.pauses, (1, 2, 4, 8, 16, 32, 60, 60, 60), strict=True):
        assert most / 2 <= pause <= most <= LONGEST_PAUSE
    assert rig.codes.count("twitch_down") == 1, "a state is told once, not in a loop"
    rig.simulator.faults.ws_refuse = False
    await rig.rested()
    await rig.reached("ready")
    await rig.simulator.drop_sockets()
    await rig.pausing()
    assert rig.way.pauses[-1] >= 30, "it was up for a moment only"
    await rig.rested()
    await rig.reached("ready")
    for _ in range(7):
        rig.clock.advance(30.0)
        await rig.keepalive()
    await rig.simulator.drop_sockets()
    await rig.pausing()
    assert rig.way.pauses[-1] <= 1.0


async def test_a_shard_that_twitch_lost_sight_of_is_mended(rig: Rig) -> None:
    await rig.ready()
    (conduit,) = rig.simulator.conduits
    conduit.shards.clear()
    for _ in range(int(CHECK_SECONDS / 30)):
        assert not conduit.shards
        rig.clock.advance(30.0)
        await rig.keepalive()
    await until(lambda: conduit.shards)
    assert conduit.shards[0].session_id == rig.session
    assert rig.gaps[-1] == "Twitch had lost sight of our connection."


async def test_cancelled_twice_it_still_closes_its_connections(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the config gives up the conduit, and the program stops before that is done."""
    closed: list[Dialler] = []
    close = Dialler.close

    async def noted(self: Dialler) -> None:
        await close(self)
        closed.append(self)

    monkeypatch.setattr(Dialler, "close", noted)
    await rig.ready()
    running = rig.running
    assert running is not None
    running.cancel()
    await asyncio.sleep(0)  # it began to end
    running.cancel()
    await asyncio.wait({running}, timeout=10)
    assert running.cancelled()
    assert len(closed) == 1
