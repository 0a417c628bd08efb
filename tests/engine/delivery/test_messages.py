"""What is refused for its decoration arrives without it: one mechanism for pictures, embeds and blocks."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from itsjustintv_desktop.engine.config.schema import Destination
from itsjustintv_desktop.engine.core.models import AttemptResult, DeliveryState, Outcome
from itsjustintv_desktop.engine.delivery.attempt import Messages, Sender
from itsjustintv_desktop.engine.delivery.destination_queues import ONLY_A_LINK
from tests.engine.delivery import servers
from tests.engine.delivery.servers import Behaviour, Receiver
from tests.engine.delivery.test_formats import PICTURE, payload
from tests.support.builders import make_config, make_destination
from tests.support.world import opened_world

ADDRESS = "https://twitch.tv/ada_l"
Judge = Callable[[bytes], tuple[int, bytes]]


def judging(judge: Judge) -> Behaviour:
    """A receiver that answers each body as `judge` says."""

    async def behave(made: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request = await made.read(reader)
            status, body = judge(request.body)
            writer.write(f"HTTP/1.1 {status} Whatever\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
            await writer.drain()

    return behave


def small_only(limit: int) -> Judge:
    return lambda body: (413, b"request entity too large") if len(body) > limit else (204, b"")


def slack(body: bytes) -> tuple[int, bytes]:
    """It cannot load any picture."""
    return (400, b"invalid_blocks") if b"image_url" in body else (200, b"ok")


def discord(body: bytes) -> tuple[int, bytes]:
    made = json.loads(body)
    wrong = [each for each in made.get("embeds", ()) if "image" in each or "icon_url" in each.get("author", {})]
    errors = {"embeds": {"0": {"image": {"url": {"_errors": [{"code": "URL_TYPE_INVALID_URL"}]}}}}}
    fault = {"code": 50035, "message": "Invalid Form Body", "errors": errors}
    return (400, json.dumps(fault).encode()) if wrong else (204, b"")


async def _read(_: str) -> bytes:
    return PICTURE


async def sent(
    sender: Sender, judge: Judge, kind: Any, *, only_link: bool = False, made: dict[str, Any] | None = None, **more: Any
) -> tuple[AttemptResult, list[Any]]:
    """The result of one attempt, and the bodies that arrived."""
    async with servers.receiver(judging(judge)) as receiver:
        destination = Destination(name="main", url=receiver.url(), format=kind, **more)
        send = await Messages(sender, _read).prepare(
            destination, made or payload(), url=receiver.url(), secret=None, webhook_id="msg_1", only_link=only_link
        )
        result = await send()
        assert {each.headers["webhook-id"] for each in receiver.requests} == {"msg_1"}
        return result, [json.loads(each.body) for each in receiver.requests]


async def test_what_is_too_large_with_the_picture_goes_with_a_link_to_it(sender: Sender) -> None:
    limit = len(json.dumps(payload())) + 200
    large = base64.b64encode(b"x" * limit).decode()

    async def read(_: str) -> bytes:
        return base64.b64decode(large)

    async with servers.receiver(judging(small_only(limit))) as receiver:
        destination = Destination(name="main", url=receiver.url())
        send = await Messages(sender, read).prepare(
            destination, payload(), url=receiver.url(), secret=None, webhook_id="msg_1"
        )
        result = await send()
        full, plain = (json.loads(each.body) for each in receiver.requests)
    assert full["image"]["data"] == large
    assert plain == full | {"image": full["image"] | {"data": None}}
    assert (result.outcome, result.status, result.note, result.only_link) == (
        Outcome.DELIVERED, 204, ONLY_A_LINK, True,
    )  # fmt: skip


async def test_a_destination_that_is_known_for_it_gets_the_link_at_once(sender: Sender) -> None:
    result, bodies = await sent(sender, lambda _: (204, b""), "json", only_link=True)
    assert [each["image"]["data"] for each in bodies] == [None]
    assert (result.note, result.only_link) == (ONLY_A_LINK, True)


@pytest.mark.parametrize("picture", ["link", "none"])
async def test_without_the_picture_there_is_nothing_to_leave_out(sender: Sender, picture: str) -> None:
    result, bodies = await sent(sender, lambda _: (413, b""), "json", picture=picture)
    assert len(bodies) == 1
    assert bodies[0]["image"] is None if picture == "none" else bodies[0]["image"]["data"] is None
    assert result.outcome is Outcome.REFUSED
    assert result.note is None


async def test_what_stays_too_large_is_said_to_be_so_without_the_picture(sender: Sender) -> None:
    result, bodies = await sent(sender, lambda _: (413, b""), "json")
    assert len(bodies) == 2
    assert not result.only_link
    assert 'without the picture as well (picture = "link")' in (result.error or "")


@pytest.mark.parametrize("status", [400, 401, 404, 500])
async def test_the_json_format_is_only_too_large_or_not(sender: Sender, status: int) -> None:
    _, bodies = await sent(sender, lambda _: (status, b""), "json")
    assert len(bodies) == 1


@pytest.mark.parametrize(("kind", "judge"), [("slack", slack), ("discord", discord)])
async def test_pictures_that_are_refused_cost_the_pictures_and_not_the_message(
    sender: Sender, kind: str, judge: Judge
) -> None:
    result, bodies = await sent(sender, judge, kind)
    assert len(bodies) == 2
    text = bodies[1]["text"] if kind == "slack" else bodies[1]["content"]
    assert result.outcome is Outcome.DELIVERED
    assert (result.note or "").startswith("Sent as text alone, without pictures, because the receiver refused")
    for word in ("Ada", "is live on Twitch", "live", "Category: Chess", "Viewers: 1,234", ADDRESS):
        assert word in text.replace("\\", "")
    assert "http" not in text.replace(ADDRESS, "")


@pytest.mark.parametrize(("kind", "judge"), [("slack", slack), ("discord", discord)])
async def test_without_pictures_nothing_is_refused(sender: Sender, kind: str, judge: Judge) -> None:
    result, bodies = await sent(sender, judge, kind, picture="none")
    assert len(bodies) == 1
    assert (result.outcome, result.note) == (Outcome.DELIVERED, None)


@pytest.mark.parametrize("kind", ["slack", "discord"])
async def test_what_is_refused_as_text_too_is_refused(sender: Sender, kind: str) -> None:
    result, bodies = await sent(sender, lambda _: (400, b"no"), kind)
    assert len(bodies) == 2
    assert (result.outcome is Outcome.DELIVERED, result.status, result.note) == (False, 400, None)


async def test_a_receiver_that_refuses_before_it_has_read_everything(sender: Sender) -> None:
    """As nginx and others do: 413 by the length alone, and the connection closed with the rest unread."""
    bodies: list[int] = []

    async def behave(made: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
            bodies.append(length)
            if length > 100_000:
                writer.write(b"HTTP/1.1 413 X\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
                return
            await reader.readexactly(length)
            writer.write(b"HTTP/1.1 204 X\r\n\r\n")
            await writer.drain()

    async def read(_: str) -> bytes:
        return bytes(1_500_000)

    async with servers.receiver(behave) as made:
        destination = Destination(name="main", url=made.url())
        send = await Messages(sender, read).prepare(
            destination, payload(), url=made.url(), secret=None, webhook_id="msg_1"
        )
        result = await send()
    assert (result.outcome, result.note) == (Outcome.DELIVERED, ONLY_A_LINK)
    assert [size > 2_000_000 for size in bodies] == [True, False]


@pytest.mark.parametrize("kind", ["slack", "discord"])
async def test_where_two_posts_at_once_are_one_too_many_the_next_attempt_has_one(tmp_path: Path, kind: str) -> None:
    refused = AttemptResult(outcome=Outcome.DEAD, status=400, error="refused with 400 Bad Request")
    limited = AttemptResult(outcome=Outcome.RETRY, status=429, error="answered 429 Too Many Requests")
    async with opened_world(tmp_path, make_config(destinations=(make_destination(format=kind),))) as world:
        world.sender.script["main"] = [refused, limited]
        world.run_dispatcher()
        delivery = (await world.queue(payload=payload()))["main"]
        await world.reached(delivery, DeliveryState.PENDING, attempts=1)
        world.clock.advance(60)
        view = await world.reached(delivery, DeliveryState.DELIVERED)
        assert "refused the full message before" in (view.last_error or "")
        rich = [bool(post.payload.keys() & {"blocks", "embeds"}) for post in world.sender.posts]
        assert rich == [True, False, False]
        world.clock.advance(60)
        delivery = (await world.queue(payload=payload(), stream_id="another"))["main"]
        await world.reached(delivery, DeliveryState.DELIVERED)
        assert world.sender.posts[-1].payload.keys() & {"blocks", "embeds"}, "the next one is sent in full"
