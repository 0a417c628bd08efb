"""What is refused for its decoration arrives without it: one mechanism for pictures, embeds and blocks."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from itsjustintv_desktop.engine.config.schema import Destination
from itsjustintv_desktop.engine.delivery.attempt import Sender
from itsjustintv_desktop.engine.delivery.lanes import ONLY_A_LINK
from itsjustintv_desktop.engine.delivery.messages import Messages
from itsjustintv_desktop.engine.models import AttemptResult, Outcome
from tests.engine.delivery import servers
from tests.engine.delivery.servers import Behaviour, Receiver
from tests.engine.delivery.test_formats import PICTURE, payload

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


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    made = Sender()
    await made.start()
    yield made
    await made.close()


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
    assert (result.note, result.only_link) == (ONLY_A_LINK, False)


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
