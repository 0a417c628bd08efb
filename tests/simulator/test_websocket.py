from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest

from itsjustintv_desktop.simulator import Simulator
from tests.simulator.conftest import Client, SteppingClock
from tests.simulator.sockets import assign, conduit, connected, fed, shards, statuses, websocket
from tests.support.waiting import until


@pytest.fixture
async def timed(clock: SteppingClock) -> AsyncIterator[Simulator]:
    async with Simulator(clock=clock, answer_timeout=2.0) as sim:
        yield sim


async def test_the_welcome(sim: Simulator, session: aiohttp.ClientSession) -> None:
    async with session.ws_connect(sim.eventsub_url) as raw:
        message = await raw.receive_json(timeout=10)
        assert set(message) == {"metadata", "payload"}
        assert set(message["metadata"]) == {"message_id", "message_type", "message_timestamp"}
        assert message["metadata"]["message_type"] == "session_welcome"
        told = message["payload"]["session"]
        assert (told["status"], told["keepalive_timeout_seconds"], told["reconnect_url"]) == ("connected", 10, None)
        assert [(one.id, one.connected_at) for one in sim.sockets] == [(told["id"], told["connected_at"])]
    await until(lambda: not len(sim.sockets))
    assert sim.other_calls["websocket"] == 1


@pytest.mark.parametrize(("asked", "given"), [("30", 30), ("1", 10), ("-5", 10), ("9999", 600)])
async def test_the_nearest_keepalive_timeout(
    sim: Simulator, session: aiohttp.ClientSession, asked: str, given: int
) -> None:
    async with connected(session, sim, query=f"?keepalive_timeout_seconds={asked}") as socket:
        assert socket.welcome["keepalive_timeout_seconds"] == given


async def test_a_keepalive_timeout_that_is_no_number(sim: Simulator, session: aiohttp.ClientSession) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError, match="400"):
        await session.ws_connect(sim.eventsub_url + "?keepalive_timeout_seconds=soon")


async def test_keepalives_come_after_that_much_silence(
    timed: Simulator, session: aiohttp.ClientSession, clock: SteppingClock
) -> None:
    async with fed(session, timed, Client(timed, session), query="?keepalive_timeout_seconds=20") as (socket, _, _):
        await clock.sleeps(20.0)
        clock.advance(15.0)
        await timed.go_live("ada")
        assert (await socket.message())["metadata"]["message_type"] == "notification"
        clock.advance(5.0)
        await clock.sleeps(15.0)
        await socket.silence()
        clock.advance(15.0)
        keepalive = await socket.message()
        assert keepalive["metadata"]["message_type"] == "session_keepalive"
        assert keepalive["payload"] == {}


async def test_keepalives_go_on_when_the_clock_is_set_back(
    timed: Simulator, session: aiohttp.ClientSession, clock: SteppingClock
) -> None:
    async with fed(session, timed, Client(timed, session)) as (socket, _, _):
        await clock.sleeps(10.0)
        clock.set_back(3600.0)
        clock.advance(10.0)
        assert (await socket.message())["metadata"]["message_type"] == "session_keepalive"
        await clock.sleeps(10.0)


async def test_a_notification_over_a_socket(sim: Simulator, session: aiohttp.ClientSession, client: Client) -> None:
    async with fed(session, sim, client) as (socket, conduit_id, made):
        stream = await sim.go_live("ada")
        message = await socket.message()
        sent = sim.eventsub.sent[-1]
        assert message["metadata"] == {
            "message_id": sent.message_id,
            "message_type": "notification",
            "message_timestamp": sent.timestamp,
            "subscription_type": "stream.online",
            "subscription_version": "1",
        }
        assert message["payload"]["event"]["id"] == stream.id
        assert message["payload"]["subscription"] == made.public()
        assert made.public()["transport"] == {"method": "conduit", "conduit_id": conduit_id}
        assert message["payload"] == json.loads(sent.body)
        assert (sent.ok, sent.session_id, sent.status, sent.headers) == (True, socket.id, None, {})
        assert sim.eventsub.lost == 0


async def test_revocations_duplicates_and_messages_by_hand(
    sim: Simulator, session: aiohttp.ClientSession, client: Client
) -> None:
    async with fed(session, sim, client) as (socket, _, made):
        sim.faults.duplicates = sim.faults.duplicate_ids = 1
        await sim.go_live("ada")
        got = [await socket.message() for _ in range(4)]
        ids = [message["metadata"]["message_id"] for message in got]
        assert (ids[0], ids[2]) == (ids[1], ids[3])
        assert len(set(ids)) == 2
        await sim.send(made, {"id": "1"}, message_id="again", timestamp="2020-01-01T00:00:00Z")
        metadata = (await socket.message())["metadata"]
        assert (metadata["message_id"], metadata["message_timestamp"]) == ("again", "2020-01-01T00:00:00Z")
        await sim.send(made, None, body=b"{broken", kind="strange")
        frame = await socket.raw.receive_str(timeout=10)
        assert '"message_type":"strange"' in frame
        assert frame.endswith('"payload":{broken}')
        assert await sim.revoke(made, "user_removed")
        message = await socket.message()
        assert message["metadata"]["message_type"] == "revocation"
        assert message["payload"]["subscription"]["status"] == "user_removed"
        assert "event" not in message["payload"]
        assert not sim.eventsub.lost


@pytest.mark.parametrize(
    ("code", "reason", "status"),
    [
        (4000, "internal server error", "websocket_internal_error"),
        (4002, "client failed ping-pong", "websocket_failed_ping_pong"),
        (4004, "reconnect grace time expired", "websocket_failed_to_reconnect"),
        (4005, "network timeout", "websocket_network_timeout"),
        (4006, "network error", "websocket_network_error"),
    ],
)
async def test_dropped_with_a_close_code(
    sim: Simulator, session: aiohttp.ClientSession, client: Client, code: int, reason: str, status: str
) -> None:
    async with fed(session, sim, client) as (socket, conduit_id, _):
        dropping = asyncio.create_task(sim.drop_sockets(code))
        assert await socket.closing() == (code, reason)
        assert await dropping == 1
        [shard] = await shards(client, conduit_id)
        assert shard["status"] == status
        assert shard["transport"]["disconnected_at"]
        await sim.go_live("ada")
        await sim.eventsub.idle()
        assert (sim.eventsub.lost, sim.eventsub.sent[-1].error) == (1, "NoShard")


async def test_dropped_without_a_word(sim: Simulator, session: aiohttp.ClientSession, client: Client) -> None:
    async with fed(session, sim, client) as (socket, conduit_id, _):
        assert await sim.drop_sockets() == 1
        await socket.cut()
        assert await statuses(client, conduit_id) == ["websocket_network_error"]
    assert await sim.drop_sockets() == 0


async def test_a_drop_without_a_word_is_a_tcp_reset(sim: Simulator) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(sim.url.rpartition(":")[2]))
    writer.write(
        b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
    )
    await reader.readuntil(b"session_welcome")
    await sim.drop_sockets()
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()


async def test_a_client_that_leaves(sim: Simulator, session: aiohttp.ClientSession, client: Client) -> None:
    async with fed(session, sim, client) as (socket, conduit_id, made):
        await socket.raw.close()
        await until(lambda: not len(sim.sockets))
        assert await statuses(client, conduit_id) == ["websocket_disconnected"]
        async with connected(session, sim) as another:
            await assign(client, conduit_id, websocket(another.id))
            assert await statuses(client, conduit_id) == ["enabled"]
            await sim.go_live("ada")
            assert (await another.message())["payload"]["subscription"]["id"] == made.id


@pytest.mark.parametrize("binary", [False, True])
async def test_a_client_that_talks(
    sim: Simulator, session: aiohttp.ClientSession, client: Client, binary: bool
) -> None:
    async with fed(session, sim, client) as (socket, conduit_id, _):
        await (socket.raw.send_bytes(b"hello") if binary else socket.raw.send_str("hello"))
        assert await socket.closing() == (4001, "client sent inbound traffic")
        assert await statuses(client, conduit_id) == ["websocket_received_inbound_traffic"]


async def test_a_ping_of_the_client_is_answered(sim: Simulator, session: aiohttp.ClientSession, client: Client) -> None:
    async with fed(session, sim, client, autoping=False) as (socket, _, _):
        await socket.raw.ping(b"there?")
        received = await socket.raw.receive(timeout=10)
        assert (received.type, bytes(received.data)) == (aiohttp.WSMsgType.PONG, b"there?")
        sim.faults.ws_silent = True
        await socket.raw.ping(b"still?")
        await socket.silence()


async def test_pings_must_be_answered(session: aiohttp.ClientSession, clock: SteppingClock) -> None:
    async with Simulator(clock=clock, answer_timeout=0.3) as sim:
        client = Client(sim, session)
        async with fed(session, sim, client, query="?keepalive_timeout_seconds=600", autoping=False) as (
            socket,
            where,
            _,
        ):
            await clock.sleeps(60.0)
            clock.advance(60.0)
            received = await socket.raw.receive(timeout=10)
            assert received.type is aiohttp.WSMsgType.PING
            await socket.raw.pong(received.data)
            await clock.sleeps(60.0)
            clock.advance(60.0)
            assert (await socket.raw.receive(timeout=10)).type is aiohttp.WSMsgType.PING
            assert await socket.closing() == (4002, "client failed ping-pong")
            assert await statuses(client, where) == ["websocket_failed_ping_pong"]


async def test_a_session_nobody_uses(timed: Simulator, session: aiohttp.ClientSession, clock: SteppingClock) -> None:
    client = Client(timed, session)
    conduit_id = await conduit(client)
    async with connected(session, timed, query="?keepalive_timeout_seconds=60") as socket:
        await clock.sleeps(10.0)
        clock.advance(9.9)
        await socket.silence()
        clock.advance(0.2)
        assert await socket.closing() == (4003, "connection unused")
        _, [error] = await assign(client, conduit_id, websocket(socket.id))
        assert error["message"] == "The websocket session is not connected"


async def test_reconnecting_loses_nothing(sim: Simulator, session: aiohttp.ClientSession, client: Client) -> None:
    async with fed(session, sim, client, query="?keepalive_timeout_seconds=60") as (old, conduit_id, _):
        assert await sim.ask_reconnect() == 1
        asked = await old.message()
        assert asked["metadata"]["message_type"] == "session_reconnect"
        told = asked["payload"]["session"]
        assert (told["id"], told["status"], told["keepalive_timeout_seconds"]) == (old.id, "reconnecting", None)
        await sim.go_live("ada")
        assert (await old.message())["metadata"]["message_type"] == "notification"
        async with connected(session, sim, url=told["reconnect_url"]) as new:
            assert (new.id, new.welcome["keepalive_timeout_seconds"]) == (old.id, 60)
            assert (len(sim.sockets), sim.sockets.connections) == (1, 2)
            await sim.go_live("ada")
            assert (await new.message())["metadata"]["message_type"] == "notification"
            await old.silence()
            await old.raw.close()
            await until(lambda: sim.sockets.connections == 1)
            assert await statuses(client, conduit_id) == ["enabled"]
            await sim.go_live("ada")
            assert (await new.message())["metadata"]["message_type"] == "notification"
    assert sim.eventsub.lost == 0


async def test_an_old_connection_ends_after_its_grace(
    timed: Simulator, session: aiohttp.ClientSession, clock: SteppingClock
) -> None:
    client = Client(timed, session)
    async with fed(session, timed, client, query="?keepalive_timeout_seconds=600") as (old, conduit_id, _):
        await timed.ask_reconnect()
        url = (await old.message())["payload"]["session"]["reconnect_url"]
        async with connected(session, timed, url=url) as new:
            await clock.sleeps(30.0)
            clock.advance(30.0)
            assert await old.closing() == (4004, "reconnect grace time expired")
            assert await statuses(client, conduit_id) == ["enabled"]
            await timed.ask_reconnect()
            await new.message()
            await clock.sleeps(30.0)
            clock.advance(30.0)
            assert await new.closing() == (4004, "reconnect grace time expired")
            assert await statuses(client, conduit_id) == ["websocket_failed_to_reconnect"]


async def test_a_reconnect_that_is_not_valid(sim: Simulator, session: aiohttp.ClientSession, client: Client) -> None:
    async with fed(session, sim, client) as (old, _, _):
        await sim.ask_reconnect()
        url = (await old.message())["payload"]["session"]["reconnect_url"]
        guessed = f"{sim.eventsub_url}?challenge=guessed&id={old.id}"
        await refused(session, guessed)
        async with connected(session, sim, url=url):
            await refused(session, url)
            await refused(session, f"{sim.eventsub_url}?challenge=&id={old.id}")
            await old.raw.close()
        await until(lambda: not len(sim.sockets))
        await refused(session, url)


async def test_a_reconnect_after_the_old_connection_is_closed(
    sim: Simulator, session: aiohttp.ClientSession, client: Client
) -> None:
    async with fed(session, sim, client) as (old, conduit_id, _):
        await sim.ask_reconnect()
        url = (await old.message())["payload"]["session"]["reconnect_url"]
        await old.raw.close()
        await until(lambda: not len(sim.sockets))
        await refused(session, url)
        assert await statuses(client, conduit_id) == ["websocket_disconnected"]


async def refused(session: aiohttp.ClientSession, url: str) -> None:
    async with session.ws_connect(url) as raw:
        received = await raw.receive(timeout=10)
        assert (received.data, received.extra) == (4007, "invalid reconnect")


async def test_another_reconnect_url(sim: Simulator, session: aiohttp.ClientSession, client: Client) -> None:
    sim.faults.reconnect_url = "wss://elsewhere.example/ws"
    async with fed(session, sim, client) as (socket, _, _):
        await sim.ask_reconnect()
        assert (await socket.message())["payload"]["session"]["reconnect_url"] == "wss://elsewhere.example/ws"


async def test_a_silent_socket_stays_connected(
    timed: Simulator, session: aiohttp.ClientSession, clock: SteppingClock
) -> None:
    client = Client(timed, session)
    async with fed(session, timed, client) as (socket, conduit_id, _):
        timed.faults.ws_silent = True
        await timed.go_live("ada")
        await timed.eventsub.idle()
        assert (timed.eventsub.lost, timed.eventsub.sent[-1].error) == (1, "Silent")
        for _ in range(10):
            await clock.sleeps(10.0)
            clock.advance(10.0)
        await socket.silence()
        assert await statuses(client, conduit_id) == ["enabled"]
        timed.faults.clear()
        await clock.sleeps(10.0)
        clock.advance(10.0)
        assert (await socket.message())["metadata"]["message_type"] == "session_keepalive"


async def test_refused_and_never_welcomed(sim: Simulator, session: aiohttp.ClientSession) -> None:
    sim.faults.ws_refuse = True
    with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
        await session.ws_connect(sim.eventsub_url)
    sim.faults.clear()
    sim.faults.ws_no_welcome = True
    async with session.ws_connect(sim.eventsub_url) as raw:
        with pytest.raises(TimeoutError):
            await raw.receive(timeout=0.05)
        assert (len(sim.sockets), sim.sockets.connections) == (0, 1)
        await sim.drop_sockets()
    sim.faults.clear()
    sim.faults.set("websocket", status=502, times=1)
    with pytest.raises(aiohttp.WSServerHandshakeError, match="502"):
        await session.ws_connect(sim.eventsub_url)
    async with connected(session, sim):
        pass


async def test_a_plain_request_is_no_socket(sim: Simulator, session: aiohttp.ClientSession) -> None:
    async with session.get(f"{sim.url}/ws") as response:
        assert response.status == 400


async def test_stopping_cuts_the_sockets(session: aiohttp.ClientSession) -> None:
    sim = Simulator()
    await sim.start()
    client = Client(sim, session)
    async with fed(session, sim, client) as (socket, conduit_id, made):
        await sim.stop()
        await socket.cut()
        await sim.start()
        assert await statuses(client, conduit_id) == ["websocket_network_error"]
        async with connected(session, sim) as another:
            await assign(client, conduit_id, websocket(another.id))
            await sim.go_live("ada")
            assert (await another.message())["payload"]["subscription"]["id"] == made.id
    await sim.stop()


async def test_many_events_at_once(sim: Simulator, session: aiohttp.ClientSession, client: Client) -> None:
    async with fed(session, sim, client) as (socket, conduit_id, _):
        for n in range(200):
            channel = sim.add_channel(f"c{n}")
            await sim.subscribe(channel.user_id, "stream.online", conduit_id=conduit_id)
            await sim.go_live(channel.login)
        got = {(await socket.message())["payload"]["event"]["broadcaster_user_id"] for _ in range(200)}
        assert len(got) == 200
        assert sim.eventsub.lost == 0
