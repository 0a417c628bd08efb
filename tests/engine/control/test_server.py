"""The control port of a running engine: who may ask, what each request does, how errors come back."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from itsjustintv_desktop.engine.control import address
from itsjustintv_desktop.engine.control.address import ControlAddress
from itsjustintv_desktop.engine.control.client import ControlClient
from itsjustintv_desktop.engine.core.errors import LedgerUnavailableError, NotFoundError, UsageError
from itsjustintv_desktop.engine.core.models import DeliveryState
from tests.support import rawhttp
from tests.support.engine import SECRET, Running, running_engine
from tests.support.waiting import until

CONFIG = f"""
[retry]
initial_delay = "1h"
max_delay = "2h"
[destinations.main]
url = "RECEIVER/main"
secret = "{SECRET}"
[destinations.down]
url = "RECEIVER/down"
[streamers.alice]
login = "alice"
destinations = ["main", "down"]
[streamers.bob]
login = "bob"
destinations = ["main"]
tag_filter = ["nobody uses this"]
"""


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    """Alice's stream was delivered to `main` and waits for `down`; bob's was filtered out."""
    async with running_engine(tmp_path, CONFIG, logins=("alice", "bob")) as running:
        running.simulator.faults.set_receiver("down", status=500)
        await running.simulator.go_live("alice")
        await running.simulator.go_live("bob")
        await running.settled()
        yield running


@pytest.fixture
async def client(running: Running) -> AsyncIterator[ControlClient]:
    async with ControlClient(_address(running)) as client:
        yield client


def _address(running: Running) -> ControlAddress:
    found = address.read(running.paths.control)
    assert found is not None
    return found


async def _ask(
    running: Running,
    method: str,
    path: str,
    *,
    token: str | bytes | None = None,
    headers: rawhttp.HeaderList = (),
    host: str | None = None,
    body: bytes = b"",
) -> rawhttp.Answer:
    """`token` None = the right one; `host` None = the right one."""
    found = _address(running)
    if token is None:
        token = f"Bearer {found.token}"
    given = [("Authorization", token), *headers] if token else list(headers)
    host = host if host is not None else f"127.0.0.1:{found.port}"
    return await rawhttp.ask(("127.0.0.1", found.port), rawhttp.request(method, path, given, body, host=host))


async def _id(running: Running, destination: str) -> int:
    (view,) = await running.deliveries(destination=destination)
    return view.id


async def test_control_json_is_for_its_owner_alone_and_goes_with_the_engine(running: Running) -> None:
    found = json.loads(running.paths.control.read_bytes())
    assert set(found) == {"port", "token", "pid"}
    assert len(found["token"]) >= 32
    if sys.platform != "win32":
        assert running.paths.control.stat().st_mode & 0o777 == 0o600
        assert running.paths.data.stat().st_mode & 0o777 == 0o700
    before = found["token"]
    await running.stop()
    assert not running.paths.control.exists()
    assert [path.name for path in running.paths.data.iterdir() if "control" in path.name] == []
    await running.start()
    assert _address(running).token != before


async def test_it_listens_on_loopback_alone(running: Running) -> None:
    port = _address(running).port
    assert running.engine.address is not None
    assert port != running.engine.address[1]
    async with rawhttp.connect(("127.0.0.1", port)):
        pass
    for other in ("127.0.0.2", "::1"):
        with pytest.raises(OSError):
            async with rawhttp.connect((other, port)):
                pass


@pytest.mark.parametrize(
    "token", ["", "Bearer ", "Bearer wrong", "Basic OnRva2Vu", "bearer {}", "{}", "Bearer {}x", b"Bearer \xff\xfe"]
)
async def test_without_the_token_nothing_is_told(running: Running, token: str | bytes) -> None:
    if isinstance(token, str):
        token = token.replace("{}", _address(running).token)
    down = await _id(running, "down")
    for method, path in (
        ("GET", "/v1/health"), ("GET", "/v1/deliveries"), ("GET", "/v1/events"),
        ("GET", "/v1/events/1"), ("GET", "/nothing"),
        ("POST", f"/v1/deliveries/{down}/drop"), ("POST", "/v1/test-events"), ("POST", "/v1/events/1/send-anyway"),
    ):  # fmt: skip
        answer = await _ask(running, method, path, token=token)
        assert answer.status == 401
        assert json.loads(answer.body)["title"] == "Not allowed"
    assert (await running.engine.ledger.delivery(down)).state is DeliveryState.PENDING


@pytest.mark.parametrize(
    ("host", "headers"),
    [
        ("evil.example:8080", []),
        ("localhost", []),
        ("127.0.0.1.evil.example", []),
        ("", []),
        (None, [("Origin", "https://evil.example")]),
        (None, [("Origin", "null")]),
        (None, [("Origin", "http://127.0.0.1")]),
    ],
)
async def test_a_web_page_may_not_ask_even_with_the_token(
    running: Running, host: str | None, headers: list[tuple[str, str | bytes]]
) -> None:
    down = await _id(running, "down")
    answer = await _ask(running, "POST", f"/v1/deliveries/{down}/drop", host=host, headers=headers)
    assert answer.status in {400, 403}
    assert (await running.engine.ledger.delivery(down)).state is DeliveryState.PENDING


async def test_health_tells_each_part(running: Running, client: ControlClient) -> None:
    report = await client.health()
    assert set(report) == {"status", "announcing", "parts", "tasks"}
    assert report["announcing"]["headline"] == "Getting ready to announce your streams"
    assert report["tasks"]["delivery.dispatcher"] == 1
    assert report["tasks"]["RequestHandler.start"] >= 1  # the one that asked
    for part in report["parts"].values():
        assert set(part) == {"status", "since", "reason"}
        assert part["status"] in {"ok", "waiting", "failing"}
    assert report["parts"]["ledger"]["status"] == "ok"
    assert report["parts"]["deliveries"]["reason"] == "1 waiting to be sent"
    text = json.dumps(report)
    assert SECRET not in text
    assert "/receiver/" not in text


async def test_deliveries_are_listed_and_filtered(running: Running, client: ControlClient) -> None:
    everything = await client.deliveries.list()
    assert everything == await running.deliveries()
    assert {(view.destination, view.state.value) for view in everything} == {("main", "delivered"), ("down", "pending")}
    assert [view.id for view in everything] == sorted((view.id for view in everything), reverse=True)
    assert await client.deliveries.list(limit=1) == everything[:1]
    assert await client.deliveries.list(before=everything[0].id) == everything[1:]
    assert [v.destination for v in await client.deliveries.list(states=[DeliveryState.PENDING])] == ["down"]
    assert len(await client.deliveries.list(states=[DeliveryState.PENDING, DeliveryState.DELIVERED])) == 2
    assert [v.destination for v in await client.deliveries.list(destination="main")] == ["main"]
    assert len(await client.deliveries.list(streamer="alice")) == 2
    assert await client.deliveries.list(streamer="bob") == []
    assert await client.deliveries.list(destination="it's & <odd>/?#") == []


async def test_destinations_tell_how_the_way_to_them_is(running: Running, client: ControlClient) -> None:
    assert [(each.name, each.state, each.sentence) for each in await client.destinations.list()] == [
        ("main", "closed", None), ("down", "closed", None),
    ]  # fmt: skip
    now = running.clock.now()
    running.engine.dispatcher.queues.queue("down").breaker.pause("answered 410 Gone", "", now)
    main, down = await client.destinations.list()
    assert (main.state, down.state, down.reason, down.waits) == ("closed", "paused", "answered 410 Gone", "paused")
    (view,) = await running.deliveries(destination="down")
    report = await client.announcements.event_report(view.event_id)
    assert report.blocked == {"down": down.sentence}
    await client.deliveries.retry(view.id)
    assert [each.state for each in await client.destinations.list()] == ["closed", "closed"]


async def test_retry_sends_at_once_with_the_same_id(running: Running, client: ControlClient) -> None:
    down = await _id(running, "down")
    (first,) = running.simulator.receiver.received("down")
    running.simulator.faults.clear()
    view = await client.deliveries.retry(down)
    assert (view.id, view.state) == (down, DeliveryState.PENDING)
    (accepted,) = await running.simulator.receiver.wait_for(1, "down")
    assert accepted.webhook_id == first.webhook_id


async def test_drop_and_retry_again(running: Running, client: ControlClient) -> None:
    down = await _id(running, "down")
    assert (await client.deliveries.drop(down)).state is DeliveryState.DROPPED
    with pytest.raises(UsageError, match="dropped already"):
        await client.deliveries.drop(down)
    running.simulator.faults.clear()
    await client.deliveries.retry(down)
    await running.simulator.receiver.wait_for(1, "down")


async def test_resend_is_a_new_delivery(running: Running, client: ControlClient) -> None:
    main = await _id(running, "main")
    view = await client.deliveries.resend(main)
    assert view.id != main
    first, second = await running.simulator.receiver.wait_for(2, "main")
    assert first.webhook_id != second.webhook_id
    assert first.json["event"] == second.json["event"]


async def test_send_anyway(running: Running, client: ControlClient) -> None:
    suppressed = [record for record in await running.engine.ledger.events() if record.reason == "filtered"]
    report = await client.announcements.event_report(suppressed[0].id)
    assert (report.state, report.reason, report.deliveries) == ("suppressed", "filtered", ())
    assert report.is_settled
    assert await client.announcements.send_anyway(suppressed[0].id) == ("main",)
    accepted = await running.simulator.receiver.wait_for(2, "main")
    assert accepted[-1].json["streamer_login"] == "bob"
    with pytest.raises(UsageError, match="not suppressed"):
        await client.announcements.send_anyway(suppressed[0].id)


async def test_a_test_event(running: Running, client: ControlClient) -> None:
    event_id = await client.announcements.test_event("Bob")

    async def settled() -> bool:
        return (await client.announcements.event_report(event_id)).is_settled

    await until(settled, what="the test event is delivered")
    report = await client.announcements.event_report(event_id)
    assert [(view.destination, view.state.value) for view in report.deliveries] == [("main", "delivered")]
    last = running.simulator.receiver.accepted("main")[-1]
    assert (last.json["test"], last.json["streamer_login"]) == (True, "bob")


async def test_what_does_not_exist(running: Running, client: ControlClient) -> None:
    for action in (client.deliveries.retry, client.deliveries.drop, client.deliveries.resend):
        with pytest.raises(NotFoundError, match="no delivery 987654"):
            await action(987654)
    with pytest.raises(NotFoundError, match="no event 987654"):
        await client.announcements.event_report(987654)
    with pytest.raises(NotFoundError, match="no event 987654"):
        await client.announcements.send_anyway(987654)
    with pytest.raises(NotFoundError, match=r"carol.*There are: alice, bob"):
        await client.announcements.test_event("carol")


async def test_what_makes_no_sense(running: Running, client: ControlClient) -> None:
    main, down = await _id(running, "main"), await _id(running, "down")
    with pytest.raises(UsageError, match="use resend"):
        await client.deliveries.retry(main)
    with pytest.raises(UsageError, match="delivered already"):
        await client.deliveries.drop(main)
    with pytest.raises(UsageError, match="use retry"):
        await client.deliveries.resend(down)


@pytest.mark.expected_errors("the ledger cannot be written")
async def test_a_ledger_in_trouble_keeps_its_name(running: Running, client: ControlClient) -> None:
    await running.engine.ledger.close()
    with pytest.raises(LedgerUnavailableError) as caught:
        await client.deliveries.list()
    assert caught.value.title == "The ledger cannot be written"
    assert (await client.health())["status"] == "failing"


BAD: dict[str, tuple[str, str, bytes, int]] = {
    "no such path": ("GET", "/v2/deliveries", b"", 404),
    "no such action": ("POST", "/v1/deliveries/1/explode", b"", 404),
    "wrong verb": ("GET", "/v1/deliveries/1/drop", b"", 405),
    "an id that is none": ("POST", "/v1/deliveries/one/drop", b"", 409),
    "a negative id": ("POST", "/v1/deliveries/-1/drop", b"", 409),
    "an endless id": ("POST", f"/v1/deliveries/{'9' * 40}/drop", b"", 409),
    "odd digits": ("POST", "/v1/deliveries/%D9%A1/drop", b"", 409),
    "a state that is none": ("GET", "/v1/deliveries?state=lost", b"", 409),
    "a limit that is none": ("GET", "/v1/deliveries?limit=-5", b"", 409),
    "no JSON": ("POST", "/v1/test-events", b"alice", 409),
    "another shape": ("POST", "/v1/test-events", b'{"name": "alice"}', 409),
    "too much": ("POST", "/v1/test-events", b" " * 70_000, 413),
}


@pytest.mark.parametrize("name", BAD)
async def test_bad_requests(running: Running, name: str) -> None:
    method, path, body, status = BAD[name]
    answer = await _ask(running, method, path, body=body)
    assert answer.status == status
    if status == 409:
        problem: dict[str, Any] = msgspec.json.decode(answer.body)
        assert set(problem) == {"kind", "title", "message"}
        assert problem["kind"] == "UsageError"


async def test_more_than_a_page_is_never_read_at_once(running: Running, client: ControlClient) -> None:
    assert len(await client.deliveries.list(limit=100_000)) == 2  # the ledger caps it at 200 rows


async def test_pausing(running: Running, client: ControlClient) -> None:
    assert await client.announcements.paused() is None
    until = running.engine.now() + 3600
    view = await client.announcements.pause(until)
    assert view is not None
    assert (view.until, view.sentence) == (until, running.engine.pause.sentence)
    assert await client.announcements.paused() == view == running.engine.pause.view
    await client.announcements.resume()
    await client.announcements.resume()
    assert await client.announcements.paused() is None
    with pytest.raises(UsageError, match="later than now"):
        await client.announcements.pause(1.0)
    for path, body in (("/v1/pause", b'{"until": "soon"}'), ("/v1/destinations/main/pause", b"[]")):
        assert (await _ask(running, "POST", path, body=body)).status == 409
    assert not running.engine.pause.active


async def test_pausing_one_destination(running: Running, client: ControlClient) -> None:
    await client.destinations.pause("main", "moving")
    found = {each.name: each for each in await client.destinations.list()}
    assert (found["main"].state, found["main"].reason, found["main"].by_hand) == ("paused", "moving", True)
    await client.destinations.resume("main")
    assert not running.engine.dispatcher.queues.paused_by_hand("main")
    for ask in (client.destinations.pause, client.destinations.resume):
        with pytest.raises(NotFoundError, match="no destination 'a/b'"):
            await ask("a/b")
