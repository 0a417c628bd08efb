"""From the Go service's folder to a running engine: what waited arrives once, what was announced is not repeated."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from itsjustintv_desktop.engine.core.clock import format_rfc3339
from itsjustintv_desktop.engine.core.models import EventState
from itsjustintv_desktop.engine.storage.ledger.importing import PAST, QUEUE, key_of
from itsjustintv_desktop.engine.twitch import enrichment
from tests.support.commands import beside
from tests.support.engine import SECRET, Running, running_engine
from tests.support.waiting import until

CONFIG = f"""
[server]
port = 0
[secrets]
store = "memory"
[twitch]
restart_window = "0s"
[streamers.alice]
login = "alice"
target_webhook_url = "RECEIVER/main?token=of-alice"
target_webhook_secret = "{SECRET}"
[streamers.bob]
login = "bob"
target_webhook_url = "RECEIVER/bob"
"""


class Moving:
    def __init__(self, folder: Path, running: Running) -> None:
        self.running = running
        self.simulator = running.simulator
        self.root = folder / "go"
        (self.root / "data").mkdir(parents=True)
        self.url = f"{self.simulator.url}/receiver"
        (self.root / "config.toml").write_text(CONFIG.replace("RECEIVER", self.url))
        self.now = running.clock.now()

    def write(self, name: str, content: Any) -> None:
        (self.root / "data" / name).write_text(json.dumps(content, indent=2))

    def payload(self, login: str, ago: float) -> dict[str, Any]:
        channel = self.simulator.state.get(login)
        return {
            "streamer_login": login, "streamer_name": login.title(), "streamer_id": channel.user_id,
            "url": f"https://twitch.tv/{login}", "timestamp": format_rfc3339(self.now - ago),
        }  # fmt: skip

    async def move(self) -> dict[str, Any]:
        done = await beside(self.running.paths, "import-go", str(self.root), "--json", environ=self.environ)
        assert done.code == 0, done.err
        assert "of-alice" not in done.out
        return {part["name"]: part for part in done.json["parts"]}

    @property
    def environ(self) -> dict[str, str]:
        return self.simulator.environment()


@pytest.fixture
async def moving(tmp_path: Path) -> AsyncIterator[Moving]:
    async with running_engine(tmp_path, "", logins=("alice", "bob"), start=False) as running:
        running.paths.config.unlink()
        yield Moving(tmp_path, running)


async def test_what_waited_arrives_once_and_what_was_announced_is_not_repeated(moving: Moving) -> None:
    simulator, running = moving.simulator, moving.running
    # Bob has been live for a minute, and the Go service announced it. Alice's receiver was down.
    stream = await simulator.go_live("bob", notify=False)
    stream.started_at = simulator.state.now() - 60
    stream.visible_at = 0.0
    key = key_of(simulator.state.get("bob").user_id, stream.id, stream.started_at)
    assert key is not None
    times = {"created_at": format_rfc3339(moving.now - 60), "expires_at": format_rfc3339(moving.now + 7140)}
    moving.write("cache.json", [{"key": key.hex(), "data": "MQ==", **times}])
    moving.write(
        "retry_state.json",
        {
            "queue": [
                {
                    "webhook_url": f"{moving.url}/main?token=of-alice", "webhook_secret": SECRET, "attempt": 2,
                    "payload": moving.payload("alice", 30), "streamer_key": "alice",
                    "next_retry": format_rfc3339(moving.now - 1),
                }
            ]
        },
    )  # fmt: skip
    moving.write(
        "output.json",
        [
            {"timestamp": format_rfc3339(moving.now - at), "payload": moving.payload("bob", at), "success": True}
            for at in range(4000, 3000, -1)
        ],
    )
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in (moving.root / "data").iterdir()}

    taken = await moving.move()
    assert {name: part["taken"] for name, part in taken.items() if part["taken"]} == {
        "config.toml": 1, "cache.json": 1, "output.json": 1000, "retry_state.json": 1,
    }  # fmt: skip

    engine = await running.start()
    (post,) = await simulator.receiver.wait_for(1, "main")
    assert post.verified, "signed with the secret of the config"
    assert post.json["streamer_login"] == "alice"
    assert (post.json["enriched"], post.json["test"]) == (False, False)
    await until(lambda: engine.reach.catch_up.status.last_poll, what="Twitch was asked who is live")
    await running.subscribe("bob")
    await simulator.go_live("bob")  # the same stream, told again
    await simulator.eventsub.idle(15)
    await running.settled()
    records = [record for record in await engine.ledger.events() if record.event.source not in {QUEUE, PAST}]
    assert [(record.state, record.reason) for record in records] == [(EventState.SUPPRESSED, "already_announced")]
    assert simulator.receiver.received("bob") == []

    output = running.output()
    assert len(output) == 25
    assert output[-1]["payload"]["streamer_login"] == "alice"
    assert (output[-1]["success"], output[-1]["deliveries"][0]["state"]) == (True, "delivered")
    assert "of-alice" not in json.dumps(output)

    # A new stream of bob's is announced like any other.
    await simulator.go_offline("bob")
    await simulator.go_live("bob")
    await simulator.receiver.wait_for(1, "bob")
    await running.settled()
    await running.stop()

    output = running.output()
    again = await moving.move()
    assert {name: part["taken"] for name, part in again.items() if part["taken"]} == {}
    assert (again["retry_state.json"]["already_there"], again["output.json"]["already_there"]) == (1, 1000)
    await running.start()
    await running.settled()
    assert len(simulator.receiver.received("main")) == 1
    assert len(simulator.receiver.received("bob")) == 1
    assert simulator.receiver.doubles() == {}
    assert running.output() == output
    after = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in (moving.root / "data").iterdir()}
    assert after == before


async def test_one_that_fails_goes_on_with_the_same_webhook_id(moving: Moving) -> None:
    simulator, running = moving.simulator, moving.running
    entry = {
        "webhook_url": f"{moving.url}/bob", "payload": moving.payload("bob", 30), "streamer_key": "bob", "attempt": 1,
        "next_retry": format_rfc3339(moving.now),
    }  # fmt: skip
    moving.write("retry_state.json", {"queue": [entry]})
    (moving.root / "config.toml").write_text(
        CONFIG.replace("RECEIVER", moving.url) + '[retry]\ninitial_delay = "100ms"\nmax_delay = "200ms"\n'
    )
    await moving.move()
    simulator.faults.set_receiver("bob", status=503, times=1)
    await running.start()
    await until(lambda: simulator.receiver.received("bob"), what="the first attempt")
    await running.stop()
    await moving.move()  # the file lies there still
    await running.start()
    await simulator.receiver.wait_for(1, "bob")
    await running.settled()
    posts = simulator.receiver.received("bob")
    assert len(posts) == 2
    assert posts[0].webhook_id == posts[1].webhook_id


async def test_one_that_is_late_asks_whether_the_stream_still_runs(
    moving: Moving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enrichment, "APART", 0.2)  # seconds between two answers that do not show it
    queue = [
        {"webhook_url": f"{moving.url}/{place}", "payload": moving.payload(login, 1200), "streamer_key": login}
        for login, place in (("alice", "main?token=of-alice"), ("bob", "bob"))
    ]
    moving.write("retry_state.json", {"queue": queue})
    stream = await moving.simulator.go_live("alice", notify=False)
    stream.started_at, stream.visible_at = moving.simulator.state.now() - 7200, 0.0
    await moving.move()
    await moving.running.start()
    await moving.simulator.receiver.wait_for(1, "main")

    async def states() -> dict[str, str]:
        return {each.streamer: each.state.value for each in await moving.running.deliveries()}

    async def over() -> bool:
        return (await states())["bob"] not in {"pending", "sending"}

    await until(over, what="bob's is given up")
    assert await states() == {"alice": "delivered", "bob": "expired"}
    assert moving.simulator.receiver.received("bob") == []
