"""Never leaks: conduit, webhooks, subscriptions and doctor with marked secrets while things go wrong.

Nothing of a secret may be in a log line (at its most talkative), an event, an answer of the control port or a file.
"""

from __future__ import annotations

import contextlib
import io
import stat
import sys
from collections.abc import AsyncIterator, Iterable
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from itsjustintv_desktop.engine import logs
from itsjustintv_desktop.engine.control import address
from itsjustintv_desktop.engine.core.events import Subscription
from itsjustintv_desktop.engine.core.models import FINAL_STATES
from itsjustintv_desktop.engine.ingress.transports import TransportState
from itsjustintv_desktop.simulator import Simulator
from tests.support.engine import Running, running_engine
from tests.support.waiting import until

CLIENT_SECRET = "marked-client-secret"
CONFIG = """
[destinations.main]
url = "RECEIVER/marked-destination-path"
secret = "marked-destination-secret"
[destinations.broken]
url = "http://127.0.0.1:9/marked-destination-path"
headers = { Authorization = "Bearer marked-destination-header" }
[streamers.alice]
login = "alice"
destinations = ["main", "broken"]
tag_filter = ["none-of-these"]
[streamers.bob]
login = "bob"
destinations = ["main", "broken"]
"""
ENVIRON = {
    "ITSJUSTINTV_SECRETS_STORE": "passphrase",
    "ITSJUSTINTV_PASSPHRASE": "marked-passphrase",
    "ITSJUSTINTV_TUNNEL_AUTHTOKEN": "marked-tunnel-token",
}
ANSWERS = (
    "health", "deliveries", "destinations", "conduits", "subscriptions", "subscriptions/status", "doctor",
    "doctor?local=true", "doctor?streamer=bob", "events", "events/1", "events/2",
)  # fmt: skip
CHANGES = (
    ("POST", "deliveries/1/retry"), ("POST", "test-events"), ("POST", "events/1/send-anyway"),
    ("POST", "conduits/x/adopt"), ("DELETE", "conduits/x?force=true"), ("POST", "subscriptions/sync"),
    ("DELETE", "subscriptions/x"),
)  # fmt: skip


class Ear:
    """All that is told: the log, rendered as `serve` does, with what libraries say, and the events."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._log = io.StringIO()
        self._caplog = caplog
        caplog.set_level("DEBUG")
        logs.configure("debug", self._log)
        self.said: list[str] = []

    async def text(self, told: Subscription) -> str:
        told.close()
        events = [repr(event) async for event in told]
        assert events
        return "\n".join([self._log.getvalue(), self._caplog.text, *events, *self.said])


async def ask(running: Running, method: str, path: str, **headers: str) -> tuple[int, str]:
    found = address.read(running.paths.control)
    assert found is not None
    allowed = {"Authorization": f"Bearer {found.token}"} | headers
    async with (
        aiohttp.ClientSession(trust_env=False) as session,
        session.request(
            method, f"http://127.0.0.1:{found.port}/v1/{path}", headers=allowed, json={"login": "bob"}
        ) as answer,
    ):
        return answer.status, await answer.text()


def marks(running: Running) -> set[str]:
    """Everything that must not be told."""
    marked = {value for value in ENVIRON.values() if value.startswith("marked")}
    marked |= {CLIENT_SECRET, "marked-", *running.simulator.tokens.ends}
    if running.engine.signing.primary:
        marked.add(running.engine.signing.primary)
    found = address.read(running.paths.control)
    assert found is not None
    return {*marked, found.token}


def leaks(text: str, marked: Iterable[str]) -> list[str]:
    """The lines that hold a mark."""
    return [line for line in text.splitlines() if any(mark in line for mark in marked)]


def check_files(running: Running, marked: set[str]) -> None:
    """The data directory; the token of the control port is control.json's to hold."""
    names = set()
    for path in [each for each in running.paths.data.rglob("*") if each.is_file()]:
        names.add(path.name)
        if sys.platform != "win32":
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
            assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700, path.parent
        content = path.read_bytes()
        found = [mark for mark in marked if mark.encode() in content]
        token = address.read(path)
        assert not found or (path.name == "control.json" and token is not None and found == [token.token]), path
    assert {"ledger.db", "secrets.vault", "control.json", "output.json"} <= names


async def work_with_it(running: Running, ear: Ear) -> None:
    """Ask all that can be asked, do all that can be done."""
    for path in ANSWERS:
        ear.said.append(repr(await ask(running, "GET", path)))
    for method, path in CHANGES:
        ear.said.append(repr(await ask(running, method, path)))


@contextlib.asynccontextmanager
async def troubled(
    folder: Path, caplog: pytest.LogCaptureFixture, twitch: str
) -> AsyncIterator[tuple[Running, Ear, set[str]]]:
    """An engine whose logs are heard from its first word on; at the end everything is looked through."""
    seen: set[str] = set()
    async with running_engine(
        folder, twitch + CONFIG, logins=("alice", "bob"), secret=None, subscribe=False, start=False,
        client_secret=CLIENT_SECRET, environ=ENVIRON, webhook_secret="",
    ) as running:  # fmt: skip
        ear = Ear(caplog)
        told = (await running.start()).subscribe(10_000)
        yield running, ear, seen
        seen |= marks(running)
        check_files(running, seen)
        await running.stop()
        text = await ear.text(told)
    assert leaks(text, seen) == []
    assert "[error" not in text


async def everything_tried(running: Running) -> None:
    """Each delivery was attempted."""

    async def done() -> bool:
        found = await running.deliveries()
        return len(found) > 1 and all(each.attempts or each.state in FINAL_STATES for each in found)

    await until(done, what="each delivery was tried")


async def test_a_conduit_with_everything_going_wrong(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with troubled(tmp_path, caplog, '[twitch]\ntransport = "conduit"\n') as (running, ear, seen):
        simulator, way = running.simulator, running.engine.reach.way
        await until(lambda: way.status.state is TransportState.READY)
        await until(lambda: len(simulator.eventsub.subscriptions) == 4, what="all is subscribed to")
        seen |= marks(running)
        await simulator.go_live("alice")
        await simulator.go_live("bob")
        await everything_tried(running)
        # Addresses to reconnect to carry a credential: one that works, one that leads away, one that nobody answers.
        await simulator.ask_reconnect()
        seen |= {session.challenge for session in simulator.sockets if session.challenge}
        await until(lambda: simulator.other_calls["websocket"] >= 2)
        for elsewhere in ("wss://me:marked-password@evil.example/ws?challenge=marked-challenge",
                          "ws://127.0.0.1:9/ws?challenge=marked-challenge"):  # fmt: skip
            simulator.faults.reconnect_url = elsewhere
            await until(lambda: way.status.state is TransportState.READY)
            await simulator.ask_reconnect()
            await until(partial(connected_since, simulator, simulator.other_calls["websocket"]))
        await until(lambda: way.status.state is TransportState.READY)
        await work_with_it(running, ear)
        simulator.faults.revoke_tokens()
        await simulator.drop_sockets()
        await until(lambda: simulator.other_calls["token"] >= 2, what="a new token is asked for")
        await until(lambda: way.status.state is TransportState.READY)
        seen |= marks(running)
        simulator.faults.set("*", status=400)
        simulator.faults.ws_refuse = True
        await simulator.drop_sockets()
        await until(lambda: way.status.state is not TransportState.READY)
        await work_with_it(running, ear)


def connected_since(simulator: Simulator, before: int) -> bool:
    """Whether another socket was opened."""
    return simulator.other_calls["websocket"] > before


async def test_webhooks_whose_address_does_not_answer(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    config = '[twitch]\nincoming_webhook_url = "https://nobody.invalid/twitch"\n'
    async with troubled(tmp_path, caplog, config) as (running, ear, seen):
        held = running.simulator.eventsub.subscriptions
        await until(lambda: len(held) == 4 and all(each.status.endswith("failed") for each in held))
        seen |= marks(running)
        await work_with_it(running, ear)
        report = await running.engine.api.subscriptions.sync(new_secret=True)
        ear.said.append(repr(report))
        seen |= marks(running)
        running.simulator.client_secret = "another one"
        running.simulator.faults.set("subscriptions", status=400)
        await work_with_it(running, ear)


async def test_the_control_port_answers_nobody_else(tmp_path: Path) -> None:
    async with running_engine(tmp_path, secret=None, subscribe=False) as running:
        for method, path in (*(("GET", path) for path in ANSWERS), *CHANGES):
            assert (await ask(running, method, path, Authorization="Bearer wrong"))[0] == 401, path
            assert (await ask(running, method, path, Origin="https://evil.example"))[0] == 403, path
            assert (await ask(running, method, path, Host="evil.example"))[0] == 403, path
