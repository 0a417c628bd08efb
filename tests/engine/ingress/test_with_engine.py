"""The public port of a running engine: what follows from a message beyond its 204."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from tests.support import rawhttp
from tests.support.engine import ONE_STREAMER, running_engine
from tests.support.waiting import until


async def test_the_handshake_enables_a_subscription(tmp_path: Path) -> None:
    async with running_engine(tmp_path, subscribe=False) as running:
        (held,) = await running.subscribe("alice")
        assert held.status == "enabled"


async def test_duplicates_are_announced_once(tmp_path: Path) -> None:
    """The same message again, and the same stream under other message ids."""
    async with running_engine(tmp_path) as running:
        running.simulator.faults.duplicates = 2
        running.simulator.faults.duplicate_ids = 2
        await running.simulator.go_live("alice")
        await running.settled()
        sent = [one for one in running.simulator.eventsub.sent if one.kind == "notification"]
        assert [one.status for one in sent] == [204] * 9
        assert len(running.simulator.receiver.accepted("main")) == 1
        assert len(running.output()) == 1


async def test_what_comes_while_it_stops_is_kept_for_the_next_start(tmp_path: Path) -> None:
    """An attempt under way holds the stop up; the port is still open then."""
    two = ONE_STREAMER + '[streamers.bob]\nlogin = "bob"\ndestinations = ["main"]\n'
    async with running_engine(tmp_path, two, logins=("alice", "bob")) as running:
        engine = running.engine
        running.simulator.faults.set_receiver("main", latency=1.5)
        await running.simulator.go_live("alice")
        await until(lambda: engine.dispatcher.under_way)
        stopping = asyncio.ensure_future(running.stop())
        await until(lambda: engine.supervisor._closed)
        await running.simulator.go_live("bob")
        await running.simulator.eventsub.idle()
        assert [one.status for one in running.simulator.eventsub.sent if one.kind == "notification"] == [204, 204]
        await stopping
        running.simulator.faults.clear()
        await running.start()
        await running.settled()
        logins = sorted(one.json["streamer_login"] for one in running.simulator.receiver.accepted("main"))
        assert logins == ["alice", "bob"]


async def test_a_channel_nobody_watches_is_unsubscribed(tmp_path: Path) -> None:
    async with running_engine(tmp_path, logins=("alice", "bob")) as running:
        bobs = running.simulator.state.get("bob").user_id
        assert running.simulator.eventsub.subscriptions.listening("stream.online", bobs)
        await running.simulator.go_live("bob")
        await running.simulator.eventsub.idle()
        assert running.simulator.eventsub.sent[-1].status == 204
        await until(
            lambda: not running.simulator.eventsub.subscriptions.listening("stream.online", bobs),
            what="bob's subscription is deleted",
        )
        await running.simulator.go_live("alice")
        await running.settled()
        assert len(running.simulator.receiver.accepted()) == 1
        assert len(running.simulator.eventsub.subscriptions) == 1


async def test_a_revocation_is_noted_and_deletes_nothing(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as running:
        (held,) = running.simulator.eventsub.subscriptions
        assert await running.simulator.revoke(held, "authorization_revoked")
        await running.settled()
        (record,) = await running.engine.ledger.events()
        assert (record.state.value, record.reason) == ("noted", "revoked")
        assert "authorization_revoked" in (record.explanation or "")


async def test_a_clock_that_is_an_hour_off_loses_nothing(tmp_path: Path) -> None:
    """The skew is known from Twitch's answers before the first message comes, or is asked for at the first refusal."""
    async with running_engine(tmp_path, subscribe=False, start=False) as running:
        running.simulator.faults.clock_skew = 3600.0
        await running.start()
        await until(lambda: running.engine.twitch.skew.known, what="the skew is measured")
        await running.subscribe("alice")
        await running.simulator.go_live("alice")
        await running.simulator.receiver.wait_for(1, "main")


async def test_health_follows_the_ledger(tmp_path: Path) -> None:
    async with running_engine(tmp_path, ONE_STREAMER, subscribe=False) as running:
        assert running.engine.address is not None
        ask = rawhttp.request(target="/health")
        answer = await rawhttp.ask(running.engine.address, ask)
        assert (answer.status, json.loads(answer.body)["status"]) == (200, "healthy")
        await running.engine.feed.settled()
        await running.engine.ledger.close()
        answer = await rawhttp.ask(running.engine.address, ask)
        assert (answer.status, json.loads(answer.body)["status"]) == (503, "unhealthy")
