"""Twitch moves us to another server: nothing is lost, whatever goes wrong on the way."""

from __future__ import annotations

from functools import partial

from tests.engine.ingress.conduit.rig import Rig
from tests.support.waiting import until


async def _moved(rig: Rig, dialled: int = 2) -> None:
    """The old socket is read a moment longer, by the clock."""
    await until(lambda: rig.simulator.other_calls["websocket"] == dialled)
    await until(lambda: any(abs(left - 1.0) < 0.01 for left in rig.clock.sleeping))


async def test_a_move_loses_nothing_and_needs_no_question(rig: Rig) -> None:
    await rig.ready()
    session, asked = rig.session, rig.simulator.calls["shards"]
    await rig.subscribe("alice", "bob", "carol")
    await rig.simulator.go_live("alice")
    await rig.simulator.ask_reconnect()
    await rig.simulator.go_live("bob")
    await _moved(rig)
    await rig.simulator.go_live("carol")
    await until(lambda: len(rig.submitted) == 3)
    assert rig.simulator.sockets.connections == 2, "the old one is still read"
    rig.clock.advance(1.0)
    await until(lambda: rig.simulator.sockets.connections == 1)
    assert rig.simulator.calls["shards"] == asked
    assert rig.session == session
    assert (rig.codes, len(rig.gaps)) == (["connecting", "ready"], 1)
    rig.twitch_clock.advance(31.0)
    await rig.read_all()
    assert rig.way.status.code == "ready"
    assert len(await rig.events()) == 3


async def test_what_comes_twice_is_stored_once(rig: Rig) -> None:
    rig.simulator.faults.duplicates = 3
    await rig.ready()
    await rig.subscribe("alice")
    await rig.simulator.go_live("alice")
    await until(lambda: len(rig.submitted) == 4)
    await until(rig.events)
    assert len(await rig.events()) == 1


async def test_an_address_that_is_not_twitchs_is_not_followed(rig: Rig) -> None:
    await rig.ready()
    await rig.subscribe("alice")
    before = rig.session
    rig.simulator.faults.reconnect_url = "wss://twitch.tv.example.com/ws"
    await rig.simulator.ask_reconnect()
    await until(lambda: rig.session != before)
    await rig.reached("ready")
    assert "connecting" not in rig.codes[1:], "the old one was kept until the new one served"
    assert rig.gaps[-1].startswith("Twitch moved us")
    await rig.simulator.go_live("alice")
    await until(rig.events)


async def test_an_address_that_does_not_work_costs_nothing_but_a_new_session(rig: Rig) -> None:
    await rig.ready()
    before = rig.session
    rig.simulator.faults.reconnect_url = f"{rig.simulator.eventsub_url}?challenge=wrong&id={before}"
    await rig.simulator.ask_reconnect()
    await until(lambda: rig.session != before)
    assert rig.way.status.code == "ready"
    (conduit,) = rig.simulator.conduits
    assert conduit.shards[0].session_id == rig.session
    await _moved(rig, dialled=3)
    rig.clock.advance(1.0)
    await until(lambda: rig.simulator.sockets.connections == 1)


async def test_nothing_works_while_twitch_moves_us(rig: Rig) -> None:
    await rig.ready()
    rig.simulator.faults.ws_refuse = True
    await rig.simulator.ask_reconnect()
    await rig.reached("twitch_down")
    await rig.pausing()
    rig.simulator.faults.ws_refuse = False
    await rig.rested()
    await rig.reached("ready")
    assert len(rig.gaps) == 2


async def test_a_server_that_sends_us_on_without_an_end_is_left_alone_for_a_while(rig: Rig) -> None:
    await rig.ready()
    rig.simulator.faults.reconnect_url = "wss://twitch.tv.example.com/ws"  # each time a new session elsewhere

    def went_on(told: str) -> bool:
        return bool(rig.way.pauses) or rig.session != told

    while True:
        told = rig.session
        await rig.simulator.ask_reconnect()
        await until(partial(went_on, told))
        if rig.way.pauses:
            break
        rig.clock.advance(1.5)  # those we left are closed
        rig.twitch_clock.advance(1.5)
    assert rig.simulator.other_calls["websocket"] == 6
    assert rig.way.status.code == "twitch_down"
    assert "again and again" in rig.way.status.message
    await rig.rested()
    await rig.reached("ready")
