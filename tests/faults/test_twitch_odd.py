"""Twitch sending what its documentation rules out, through the whole engine: nothing is lost for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from itsjustintv_desktop.simulator import messages
from tests.support.bent import bend, refuse
from tests.support.engine import ONE_STREAMER, Running, running_engine
from tests.support.waiting import until

Record = Callable[[str, object], None]

CONDUIT = '[twitch]\ntransport = "conduit"\n' + ONE_STREAMER
NULLS: dict[str, None] = dict.fromkeys(("broadcaster_user_login", "broadcaster_user_name", "type", "started_at"))


async def _goes_live(running: Running, event: dict[str, Any]) -> dict[str, Any]:
    """Twitch tells of alice's stream with `event` in place of these fields; the announcement."""
    simulator = running.simulator
    stream = await simulator.go_live("alice", notify=False)
    channel = simulator.state.get("alice")
    told = messages.stream_online(simulator.state, channel, stream) | event
    assert simulator.eventsub.notify("stream.online", channel.user_id, told) == 1
    (received,) = await simulator.receiver.wait_for(1, "main", timeout=20)
    await running.settled()
    assert len(simulator.receiver.accepted("main")) == 1
    payload: dict[str, Any] = received.json
    assert payload["stream"]["id"] == stream.id
    assert (payload["streamer_login"], payload["streamer_name"]) == ("alice", "Alice")
    assert payload["enriched"] is True
    return payload


@pytest.mark.fault(
    "Twitch: a message has null for name, login, type and start",
    seen="Nothing: it is announced, and what was null is had from the API.",
)
@pytest.mark.parametrize("way", ["webhook", "conduit"])
async def test_a_message_full_of_nulls(tmp_path: Path, way: str, record_property: Record) -> None:
    """Over a conduit Twitch would never send it again."""
    if way == "webhook":
        async with running_engine(tmp_path) as running:
            await running.engine.channels_looked_up(10.0)
            assert (await _goes_live(running, NULLS))["stream"]["started_at"]
            assert [sent.status for sent in running.simulator.eventsub.sent] == [200, 204], "the challenge, and it"
    else:
        async with running_engine(tmp_path, CONDUIT, secret=None, subscribe=False) as running:
            await until(lambda: running.engine.reach.subscriptions.status.code == "ok")
            assert (await _goes_live(running, NULLS))["stream"]["started_at"]
    record_property("acknowledged", 1)


def _null(told: dict[str, Any]) -> dict[str, Any]:
    """Every field of every item but its ids, and everything around the items."""
    keep = {"id", "user_id", "broadcaster_id"}
    items = [{key: value if key in keep else None for key, value in item.items()} for item in told["data"]]
    return {key: None for key in told if key != "data"} | {"data": items}


@pytest.mark.fault(
    "Twitch: its API answers null for every field but the ids",
    seen="the stream is announced with what the message says; `enriched: false` names the rest",
)
async def test_an_api_full_of_nulls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Record) -> None:
    monkeypatch.setattr("itsjustintv_desktop.engine.twitch.subscriptions.reconciler.LOOKS", (0.2, 51.0))
    async with running_engine(tmp_path, CONDUIT, secret=None, subscribe=False, start=False) as running:
        engine = await running.start()
        for path in ("/users", "/streams", "/channels", "/subscriptions"):
            bend(monkeypatch, engine.twitch._http, path, _null)
        await until(lambda: engine.reach.subscriptions.status.code == "ok", what="the channel is subscribed to")
        assert engine.twitch.directory.problems == ()
        await running.simulator.go_live("alice")
        (received,) = await running.simulator.receiver.wait_for(1, "main", timeout=20)
        assert (received.json["streamer_login"], received.json["enriched"]) == ("alice", False)
        assert {"stream.title", "view_count"} <= set(received.json["missing"])
        assert received.json["followers_count"] is not None
        await running.settled()
        await engine.reach.subscriptions.sync()
        assert len(running.simulator.eventsub.subscriptions) == 2, "none was made anew"
    record_property("acknowledged", 1)


@pytest.mark.fault(
    "Twitch: the followers' endpoint demands a scope (401)",
    seen="announcements without `followers_count`, one line in the log, and the health is well",
)
async def test_a_scope_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Record) -> None:
    async with running_engine(tmp_path, '[twitch]\nrestart_window = "0s"\n' + ONE_STREAMER) as running:
        engine, simulator = running.engine, running.simulator
        asked = refuse(monkeypatch, engine.twitch._http, "/followers", 401, "Missing required scope")
        with capture_logs() as lines:
            await engine.channels_looked_up(10.0)
            for number in range(3):
                await simulator.go_live("alice", stream_id=f"stream-{number}")
                received = await simulator.receiver.wait_for(number + 1, "main", timeout=20)
                assert received[-1].json["missing"] == ["followers_count"]
            await running.settled()
        assert len(asked) == 1
        assert simulator.other_calls["token"] == 1
        assert len([line for line in lines if "not asked for a while" in line["event"]]) == 1
        assert (await engine.doctor.health())["parts"]["twitch"]["status"] == "ok"
    record_property("acknowledged", 3)


@pytest.mark.fault(
    "Twitch: Get Streams leaves out a stream that runs, as a late announcement goes out",
    seen="the delivery waits a minute for another answer, and is delivered",
)
async def test_get_streams_flaps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Record) -> None:
    monkeypatch.setattr("itsjustintv_desktop.engine.delivery.dispatcher.LATE_SECONDS", -1.0)  # every one is late
    monkeypatch.setattr("itsjustintv_desktop.engine.twitch.enrichment.APART", 1.0)
    monkeypatch.setattr("itsjustintv_desktop.engine.twitch.enrichment._LAG", ())
    async with running_engine(tmp_path) as running:
        await running.engine.channels_looked_up(10.0)
        with monkeypatch.context() as patch:
            bend(patch, running.engine.twitch._http, "/streams", lambda told: told | {"data": []})
            await running.simulator.go_live("alice")

            async def waits() -> bool:
                return any("looked for once more" in (view.last_error or "") for view in await running.deliveries())

            await until(waits, what="it waits for another answer")
        await running.simulator.receiver.wait_for(1, "main", timeout=20)
        await running.settled()
        assert [view.state.value for view in await running.deliveries()] == ["delivered"]
    record_property("acknowledged", 1)
