"""What is refused for its decoration arrives without it: one mechanism for pictures, embeds and blocks."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsjustintv_desktop.engine.config.schema import Destination
from itsjustintv_desktop.engine.core.errors import ConfigError
from itsjustintv_desktop.engine.core.models import AttemptResult, DeliveryState, Outcome
from itsjustintv_desktop.engine.delivery.attempt import Messages, Sender, base_headers, signature_headers
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


STANDARD = Destination(name="s", signature="standard-webhooks")
VECTOR_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
VECTOR_KEY = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
VECTOR_BODY = b'{"test": 2432232314}'


def sign(destination: Destination, secret: str | None, body: bytes = b"body") -> dict[str, str]:
    return signature_headers(destination, secret, webhook_id="id", timestamp=1, body=body)


def test_the_vector_of_the_standard_webhooks_project() -> None:
    headers = signature_headers(
        STANDARD, f"whsec_{VECTOR_KEY}", webhook_id=VECTOR_ID, timestamp=1614265330, body=VECTOR_BODY
    )
    assert headers == {"webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}


def test_the_vector_of_github() -> None:
    # "Validating webhook deliveries", GitHub docs.
    headers = sign(Destination(name="g"), "It's a Secret to Everybody", b"Hello, World!")
    assert headers == {"X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}


@pytest.mark.parametrize(
    ("hashing", "expected"),
    [
        # RFC 2202 3 test case 2, RFC 4231 4.3 test case 2
        ("SHA-1", "sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        ("SHA-256", "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        (
            "SHA-512",
            "sha512=164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdca"
            "eab1a34d4a6b4b636e070a38bce737",
        ),
    ],
)
def test_each_hash_with_its_published_vector(hashing: str, expected: str) -> None:
    destination = Destination(name="d", hashing=hashing, header="X-Mine")  # type: ignore[arg-type]
    assert sign(destination, "Jefe", b"what do ya want for nothing?") == {"X-Mine": expected}


@pytest.mark.parametrize("secret", [None, ""])
@pytest.mark.parametrize("destination", [STANDARD, Destination(name="d")])
def test_no_signature_without_a_secret(destination: Destination, secret: str | None) -> None:
    assert sign(destination, secret) == {}


def test_id_and_timestamp_are_there_signed_or_not() -> None:
    assert base_headers(webhook_id="evt_1", timestamp=1700000000) == {
        "webhook-id": "evt_1",
        "webhook-timestamp": "1700000000",
    }


@given(st.binary(min_size=1, max_size=64), st.binary(max_size=200), st.booleans())
def test_a_verifier_of_the_spec_accepts_what_we_sign(key: bytes, body: bytes, padded: bool) -> None:
    encoded = base64.b64encode(key).decode()
    secret = "whsec_" + (encoded if padded else encoded.rstrip("="))
    header = signature_headers(STANDARD, secret, webhook_id="msg_1", timestamp=99, body=body)["webhook-signature"]
    version, _, signature = header.partition(",")
    expected = hmac.digest(key, b"msg_1.99." + body, "sha256")
    assert version == "v1"
    assert base64.b64decode(signature) == expected


@given(st.text(min_size=1).filter(lambda text: not text.startswith("whsec_") and text.isprintable()))
def test_any_other_secret_is_taken_as_its_bytes(secret: str) -> None:
    expected = hmac.digest(secret.encode(), b"id.1.body", hashlib.sha256)
    assert base64.b64decode(sign(STANDARD, secret)["webhook-signature"][3:]) == expected


@pytest.mark.parametrize("secret", ["whsec_", "whsec_===", "whsec_not base64!", "whsec_ä", "whsec_a", "whsec_ab!cd"])
def test_a_damaged_secret_is_told_without_showing_it(secret: str) -> None:
    with pytest.raises(ConfigError) as caught:
        sign(STANDARD, secret)
    assert '"s"' in caught.value.message
    assert len(secret) < 8 or secret.removeprefix("whsec_") not in caught.value.message
