"""Twitch can always find us: addresses that change, subscriptions that end, streams that nobody told us of."""

from __future__ import annotations

from pathlib import Path

import pytest

from itsjustintv_desktop.engine.core.clock import SystemClock
from itsjustintv_desktop.engine.core.models import EventState
from itsjustintv_desktop.engine.ingress.transports import TransportState
from itsjustintv_desktop.simulator.subscriptions import Subscription
from tests.support import tunnel as tunnels
from tests.support.engine import SECRET, Running, running_engine
from tests.support.waiting import until

LOGINS = ("alice", "bob")
KINDS = 2
STREAMERS = f"""
[destinations.main]
url = "RECEIVER/main"
secret = "{SECRET}"
[streamers.alice]
login = "alice"
destinations = ["main"]
[streamers.bob]
login = "bob"
destinations = ["main"]
"""
CONDUIT = f"""
[twitch]
transport = "conduit"
{STREAMERS}
"""


def held(running: Running) -> list[Subscription]:
    return list(running.simulator.eventsub.subscriptions)


async def subscribed(running: Running) -> list[Subscription]:
    """Wait until Twitch holds exactly what is wanted."""

    def is_so() -> bool:
        return len(held(running)) == KINDS * len(LOGINS) and all(each.status == "enabled" for each in held(running))

    await until(is_so, what="everything is subscribed to, and nothing else")
    return held(running)


async def announced(running: Running, *logins: str) -> None:
    """Wait until these were announced, in this order, each once; and nothing else."""
    got = await running.simulator.receiver.wait_for(len(logins), "main")
    await running.settled()
    assert [one.json["streamer_login"] for one in got] == list(logins)
    assert len(running.simulator.receiver.all) == len(logins)


async def test_an_address_that_changes_takes_the_subscriptions_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tunnel = tunnels.Tunnel(SystemClock())
    tunnels.use(tunnel, monkeypatch)
    await tunnel.move()
    async with running_engine(tmp_path, STREAMERS, logins=LOGINS, subscribe=False) as running:
        tunnel.target = lambda: running.engine.address
        try:
            before = await subscribed(running)
            # Right after the handshakes it looks every few seconds; once it saw that all is well it rests for an hour.
            running.engine.reach.subscriptions.trigger("test")
            await until(lambda: running.engine.reach.subscriptions.status.code == "ok")
            await running.simulator.go_live("alice")
            await announced(running, "alice")
            await tunnel.move()
            running.engine.reach.way.trigger()

            def is_moved() -> bool:
                there = {each.transport.callback for each in held(running) if each.status == "enabled"}
                return f"{tunnel.address}/twitch" in there and len(held(running)) == 2 * len(before)

            await until(is_moved, what="the new address passed Twitch's handshake")
            assert set(map(id, before)) < set(map(id, held(running))), "the old ones go last"
            await running.simulator.eventsub.idle()
            running.engine.reach.subscriptions.trigger("test")  # it would look again after ten seconds
            after = await subscribed(running)
            assert {each.transport.callback for each in after} == {f"{tunnel.address}/twitch"}
            await running.simulator.go_live("bob")
            await announced(running, "alice", "bob")
            assert (await running.engine.doctor.health())["parts"]["way"]["status"] == "ok"
        finally:
            await tunnel.close()


async def test_a_subscription_that_twitch_ended_is_made_anew_at_once(tmp_path: Path) -> None:
    async with running_engine(tmp_path, CONDUIT, logins=LOGINS, subscribe=False) as running:
        before = await subscribed(running)
        ended = {before[0].id: "version_removed", before[1].id: "notification_failures_exceeded"}
        for subscription_id, status in ended.items():
            assert await running.simulator.revoke(subscription_id, status)
        await until(lambda: ended.keys().isdisjoint(each.id for each in held(running)), what="they were cleared away")
        after = await subscribed(running)
        assert {each.id for each in before} - {each.id for each in after} == ended.keys()
        await running.simulator.go_live("alice")
        await running.simulator.go_live("bob")
        assert len(await running.simulator.receiver.wait_for(2, "main")) == 2
        events = await running.engine.ledger.events()
        assert {each.event.detail for each in events if each.reason == "revoked"} == set(ended.values())


async def test_what_began_before_the_start_is_announced_if_it_is_fresh_and_listed_if_not(tmp_path: Path) -> None:
    async with running_engine(tmp_path, CONDUIT, logins=LOGINS, subscribe=False, start=False) as running:
        for login, ago in (("alice", 600.0), ("bob", 3600.0)):
            stream = await running.simulator.go_live(login, notify=False)
            stream.started_at -= ago
        await running.start()
        await announced(running, "alice")
        (missed,) = [each for each in await running.engine.ledger.events() if each.event.broadcaster_login == "bob"]
        assert (missed.state, missed.reason, missed.streamer) == (EventState.SUPPRESSED, "missed", "bob")
        assert "It began 1 h before it could be seen" in (missed.explanation or "")
        assert running.engine.reach.catch_up.status.missed == 1
        assert await running.engine.pipeline.send_anyway(missed.id) == ("main",)
        await announced(running, "alice", "bob")


async def test_what_began_while_the_connection_was_broken_is_found_once(tmp_path: Path) -> None:
    async with running_engine(tmp_path, CONDUIT, logins=LOGINS, subscribe=False) as running:
        simulator, way = running.simulator, running.engine.reach.way
        before = await subscribed(running)
        simulator.faults.ws_refuse = True
        assert await simulator.drop_sockets() == 1
        await until(lambda: way.status.state is TransportState.WAITING)
        await simulator.go_live("alice")
        await simulator.eventsub.idle()
        assert simulator.eventsub.lost == 1
        simulator.faults.ws_refuse = False
        await announced(running, "alice")
        assert way.status.state is TransportState.READY
        assert held(running) == before, "subscriptions outlive the connection"
        await simulator.go_live("alice")  # Twitch tells of the same stream after all
        await simulator.go_live("bob")
        await announced(running, "alice", "bob")
        reasons = [(each.event.broadcaster_login, each.reason) for each in await running.engine.ledger.events()]
        assert sorted(reasons, key=str) == [("alice", "already_announced"), ("alice", None), ("bob", None)]
