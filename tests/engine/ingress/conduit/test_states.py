"""Every state has a name, a sentence and, where a person must act, what to do; and each heals."""

from __future__ import annotations

import socket
from typing import Any

import aiohttp
import pytest

from itsjustintv_desktop.engine.core.errors import LedgerUnavailableError, SecretsLockedError
from itsjustintv_desktop.engine.core.models import Conduit
from itsjustintv_desktop.engine.ingress.conduit import sockets
from itsjustintv_desktop.engine.ingress.transports import TransportState
from itsjustintv_desktop.engine.twitch.tokens import Credentials
from itsjustintv_desktop.simulator.conduits import KEPT_WITHOUT_SHARDS
from tests.engine.ingress.conduit.rig import Rig
from tests.support.bent import bend, put
from tests.support.waiting import until

FULL = LedgerUnavailableError("The disk is full. Free some space; nothing else needs doing.")


def _is(rig: Rig, state: TransportState, message: str, fix: str = "") -> None:
    status = rig.way.status
    assert status.state is state
    assert message in status.message
    assert fix in status.fix
    assert bool(status.fix) or state is not TransportState.FAILING


@pytest.mark.parametrize(("client_id", "secret"), [("", "x"), ("x", "")])
async def test_no_client(rig: Rig, client_id: str, secret: str) -> None:
    good = rig.credentials
    rig.credentials = Credentials(client_id, secret)
    rig.start()
    await rig.reached("no_client")
    _is(rig, TransportState.FAILING, "No Twitch client", "Register an app at dev.twitch.tv/console")
    assert rig.simulator.other_calls["websocket"] == 0
    assert rig.way.target is None
    rig.credentials = good
    rig.way.trigger()
    await rig.reached("ready")


async def test_refused(rig: Rig) -> None:
    good = rig.credentials
    rig.credentials = Credentials(good.client_id, "wrong")
    rig.start()
    await rig.reached("refused")
    _is(rig, TransportState.FAILING, "refuses the client secret", "Compare client id and secret")
    rig.credentials = good
    rig.way.trigger()
    await rig.reached("ready")


async def test_locked_secrets(rig: Rig) -> None:
    async def locked() -> Credentials:
        raise SecretsLockedError("The keyring is locked. Unlock it.")

    rig.client._tokens._credentials, good = locked, rig.client._tokens._credentials
    rig.start()
    await rig.reached("secrets")
    _is(rig, TransportState.WAITING, "The keyring is locked. Unlock it.")
    rig.client._tokens._credentials = good
    await rig.rested()
    await rig.reached("ready")


async def test_the_conduit_is_gone_after_72_hours(rig: Rig) -> None:
    await rig.ready()
    before = rig.target
    await rig.simulator.drop_sockets()
    await rig.pausing()
    rig.clock.jump(KEPT_WITHOUT_SHARDS + 60)
    rig.twitch_clock.advance(KEPT_WITHOUT_SHARDS + 60)
    await rig.rested()
    await rig.reached("ready")
    told = next(status for status in rig.told if status.code == "conduit_gone")
    assert told.state is TransportState.WAITING
    assert f"The conduit {before} no longer exists" in told.message
    assert "72 hours" in told.message
    (made,) = rig.simulator.conduits
    assert rig.way.target == Conduit(made.id) != Conduit(before)
    assert await rig.ledger.meta("conduit") == made.id
    assert rig.gaps[-1].startswith("The connection to Twitch was away for 2592")


@pytest.mark.fault(
    "WebSocket: Twitch takes the conduit away",
    seen='the way says "conduit_gone", and makes another',
)
async def test_the_conduit_goes_while_the_socket_lives(rig: Rig) -> None:
    await rig.ready()
    before = rig.target
    rig.simulator.conduits.delete(before)
    rig.clock.advance(31.0)
    await rig.keepalive()
    rig.way.trigger()
    await until(lambda: "conduit_gone" in rig.codes)
    await rig.rested()
    await until(lambda: rig.way.status.code == "ready" and rig.target != before)


async def test_five_conduits_are_the_limit(rig: Rig) -> None:
    others = [rig.simulator.conduits.create() for _ in range(5)]
    rig.start()
    await rig.reached("conduit_limit")
    _is(rig, TransportState.FAILING, "5 conduits already", "`conduit delete ID`")
    assert rig.simulator.other_calls["websocket"] == 0
    rig.simulator.conduits.delete(others[0].id)
    rig.way.trigger()
    await rig.reached("ready")
    assert {each.id for each in rig.simulator.conduits} == {rig.target, *(each.id for each in others[1:])}


async def test_twitch_accepts_the_question_and_refuses_the_shard(rig: Rig) -> None:
    rig.simulator.faults.shard_error = "The websocket session is not connected."
    rig.start()
    await rig.reached("shard_refused")
    _is(rig, TransportState.WAITING, "serve the conduit: The websocket session is not connected. It is tried again")
    assert rig.way.target is None
    await until(lambda: rig.simulator.sockets.connections == 0)
    rig.simulator.faults.shard_error = ""
    await rig.rested()
    await rig.reached("ready")


@pytest.mark.usefixtures("once")
@pytest.mark.parametrize(
    ("fault", "words"),
    [("ws", "event server refused the connection (503)"), ("helix", "(503)"), ("token", "(500)")],
)
async def test_twitch_is_down(rig: Rig, fault: str, words: str) -> None:
    faults = rig.simulator.faults
    if fault == "ws":
        faults.ws_refuse = True
    elif fault == "helix":
        faults.set("conduits", status=503)
    else:
        faults.set("token", status=500)
    rig.start()
    await rig.reached("twitch_down")
    _is(rig, TransportState.WAITING, words)
    assert "tried again by itself" in rig.way.status.message
    faults.clear()
    await rig.rested()
    await rig.reached("ready")


async def test_nobody_listens_at_twitch(rig: Rig) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        rig.eventsub_url = f"ws://127.0.0.1:{free.getsockname()[1]}/ws"
    rig.new_way()
    rig.start()
    await rig.reached("twitch_down")
    _is(rig, TransportState.WAITING, "event server cannot be reached: the connection was refused")


@pytest.mark.fault(
    "WebSocket: there is no network",
    seen='the way says "the host name could not be found"',
)
async def test_offline(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    rig.eventsub_url = "ws://localhost:1/ws"
    rig.new_way()
    rig.start()
    await rig.reached("offline")
    _is(rig, TransportState.WAITING, "the host name could not be found", "network up?")


async def test_no_welcome(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "WELCOME_SECONDS", 12.0)  # so that the clock shows which of the two waits it is
    rig.simulator.faults.ws_no_welcome = True
    rig.start()
    await until(lambda: rig.clock.sleeping == [12.0])
    rig.clock.advance(11.9)
    assert rig.way.status.code == "connecting"
    await rig.clock.run_until(lambda: rig.way.status.code == "twitch_down", step=0.5, most=30)
    _is(rig, TransportState.WAITING, "did not welcome us within 12 seconds")
    await until(lambda: rig.simulator.sockets.connections == 0)
    rig.simulator.faults.ws_no_welcome = False
    await rig.rested()
    await rig.reached("ready")


async def test_a_conduit_that_cannot_be_remembered_is_not_made_twice(rig: Rig) -> None:
    made = rig.conduits.create

    async def then_full(shard_count: int = 1) -> object:
        info = await made(shard_count)
        rig.meta_refusal = FULL
        return info

    rig.conduits.create = then_full  # type: ignore[assignment]
    rig.start()
    await rig.reached("ledger")
    _is(rig, TransportState.WAITING, "The disk is full")
    assert rig.simulator.other_calls["websocket"] == 0, "it is not used before it is in the ledger"
    await rig.rested()
    await rig.pausing()
    rig.meta_refusal = None
    await rig.rested()
    await rig.reached("ready")
    (only,) = rig.simulator.conduits
    assert await rig.ledger.meta("conduit") == only.id


async def test_another_program_takes_the_conduit_and_is_left_in_peace(rig: Rig) -> None:
    await rig.ready()
    ours = rig.target
    async with aiohttp.ClientSession() as session, session.ws_connect(rig.simulator.eventsub_url) as other:
        welcome = await other.receive_json()
        await rig.conduits.attach(ours, welcome["payload"]["session"]["id"])
        rig.clock.advance(31.0)
        await rig.keepalive()
        rig.way.trigger()
        await rig.reached("conduit_taken")
        _is(rig, TransportState.FAILING, "Another program took", "conduit adopt ID")
        for _ in range(2):
            await rig.rested()
            await rig.pausing()
        await rig.stop()
        rig.new_way()
        rig.start()
        await rig.reached("conduit_taken")
        (conduit,) = rig.simulator.conduits
        assert conduit.shards[0].session_id == welcome["payload"]["session"]["id"]
    await until(lambda: conduit.shards[0].status != "enabled")
    await rig.rested()
    await rig.reached("ready")
    assert rig.target == ours


@pytest.mark.fault(
    "Twitch: another program takes the conduit over",
    seen='within a minute `status` and `doctor` say "Another program took this machine\'s conduit over"',
)
@pytest.mark.parametrize(("after", "steps"), [(0, 2), (31, 1), (51, 2), (95, 1)])
async def test_a_takeover_is_noticed_within_a_minute(rig: Rig, after: int, steps: int) -> None:
    """Twitch goes on with its keepalives, and nobody nudges."""
    await rig.ready()
    for start in range(0, after, 25):
        rig.clock.advance(min(25.0, after - start))
        await rig.keepalive()
    async with aiohttp.ClientSession() as session, session.ws_connect(rig.simulator.eventsub_url) as other:
        welcome = await other.receive_json()
        await rig.conduits.attach(rig.target, welcome["payload"]["session"]["id"])
        for step in range(steps):
            if step:
                await rig.keepalive()
            rig.clock.advance(29.0)
        await rig.reached("conduit_taken")
        assert rig.way.status.message == "Another program took this machine's conduit over and gets the events now."


async def test_a_look_that_fails_is_soon_made_again(rig: Rig) -> None:
    await rig.ready()
    rig.clock.advance(30.0)
    await rig.keepalive()
    async with aiohttp.ClientSession() as session, session.ws_connect(rig.simulator.eventsub_url) as other:
        welcome = await other.receive_json()
        await rig.conduits.attach(rig.target, welcome["payload"]["session"]["id"])
        rig.simulator.faults.set("shards", status=400, times=1)
        before = rig.simulator.calls["shards"]
        rig.clock.advance(20.0)
        await until(lambda: rig.simulator.calls["shards"] > before)
        await rig.keepalive()
        assert rig.way.status.code == "ready"
        rig.clock.advance(11.0)
        await rig.reached("conduit_taken")


@pytest.mark.parametrize(
    "path",
    [("status",), ("transport",), ("transport", "method"), ("transport", "session_id"), ("transport", "connected_at")],
)
async def test_a_shard_of_which_twitch_says_little_is_left_as_it_is(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, path: tuple[str, ...]
) -> None:
    """A connection that works is not made anew because a list leaves something out."""
    await rig.ready()
    bend(monkeypatch, rig.http, "/shards", lambda told: put(told, ("data", 0, *path), None))
    calls = rig.simulator.calls["shards"]
    for number in range(1, 4):
        for _ in range(2):
            rig.clock.advance(25.0)
            await rig.keepalive()
        await until(lambda more=number: rig.simulator.calls["shards"] >= calls + more)  # type: ignore[misc]
    await rig.keepalive()
    assert rig.way.status.code == "ready"
    assert rig.simulator.calls["shards"] == calls + 3, "looked at, and nothing is mended"


@pytest.mark.parametrize("field", ["pagination", "total"])
async def test_a_list_of_null_pages_is_a_list(rig: Rig, monkeypatch: pytest.MonkeyPatch, field: str) -> None:
    bend(monkeypatch, rig.http, "/shards", lambda told: told | {field: None})
    bend(monkeypatch, rig.http, "/conduits", lambda told: told | {field: None})
    await rig.ready()
    shards = await rig.conduits.shards(rig.target)
    assert [each.id for each in shards] == ["0"]


@pytest.mark.parametrize(
    "answer",
    [
        {"data": None, "errors": None},
        {"data": [{"id": "0", "status": None, "transport": None}], "errors": None},
        {"data": [], "errors": [], "pagination": None},
        {"data": [{"id": None}, None, 5], "errors": {}},
    ],
)
async def test_an_answer_that_says_little_is_no_refusal(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, answer: dict[str, object]
) -> None:
    with monkeypatch.context() as patch:
        bend(patch, rig.http, "/shards", lambda _: answer)
        await rig.ready()
    for _ in range(2):
        rig.clock.advance(29.0)
        await rig.keepalive()
    assert rig.way.status.code == "ready"
    assert "shard_refused" not in rig.codes


@pytest.mark.parametrize("field", ["shard_count", "data", "pagination"])
async def test_a_conduit_of_which_twitch_says_only_the_id_is_used(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, field: str
) -> None:
    def change(told: dict[str, Any]) -> dict[str, Any]:
        return put(told, ("data", 0, field), None) if told["data"] else told | {"data": None}

    bend(monkeypatch, rig.http, "/conduits", change)
    await rig.ready()
    (only,) = rig.simulator.conduits
    assert rig.target == only.id
