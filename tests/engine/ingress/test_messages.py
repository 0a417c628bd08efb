"""POST /twitch as the contract has it: what is taken, what is refused, and that nothing refused is stored."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import rawhttp, signed
from tests.support.public import PublicRig
from tests.support.signed import Message


def assert_bare(answer: rawhttp.Answer, status: int) -> None:
    assert answer.status == status
    assert answer.body == b""


async def test_a_good_notification_is_stored_before_its_204(port: PublicRig) -> None:
    message = signed.online(port.now())

    assert_bare(await port.post(message), 204)

    (record,) = await port.stored()
    assert record.state.value == "accepted"
    event = record.event
    assert (event.source, event.kind, event.message_id) == ("twitch", "stream.online", message.id)
    assert (event.broadcaster_id, event.broadcaster_login, event.stream_id) == ("1337", "cooler_user", "9001")
    assert event.received_at == port.now()
    assert event.started_at == pytest.approx(port.now(), abs=0.001)
    assert event.subscription_id == "f1c2a387-161a-49f9-a165-0f21d7a4e1c4"


async def test_there_is_no_answer_until_the_ledger_has_committed(port: PublicRig) -> None:
    message = signed.online(port.now())
    async with rawhttp.connect(port.address) as twitch:
        async with port.ledger_held():
            await twitch.send(message.request())
            with pytest.raises(TimeoutError):
                await twitch.answer(timeout=0.3)
        assert_bare(await twitch.answer(), 204)
    assert [record.event.message_id for record in await port.stored()] == [message.id]


async def test_a_duplicate_is_acknowledged_and_stored_once(port: PublicRig) -> None:
    message = signed.online(port.now())
    for _ in range(3):
        assert_bare(await port.post(message), 204)
    assert len(await port.stored()) == 1


async def test_fifty_copies_at_once_are_one_event(port: PublicRig) -> None:
    message = signed.online(port.now())
    answers = await asyncio.gather(*(port.post(message) for _ in range(50)))
    assert [answer.status for answer in answers] == [204] * 50
    assert len(await port.stored()) == 1


@pytest.mark.parametrize(
    "status", ["user_removed", "authorization_revoked", "notification_failures_exceeded", "version_removed"]
)
async def test_a_revocation_is_acknowledged_and_noted(port: PublicRig, status: str) -> None:
    assert_bare(await port.post(signed.revocation(port.now(), status)), 204)
    (record,) = await port.stored()
    assert (record.event.kind, record.event.detail) == ("revocation", status)


@pytest.mark.parametrize(
    ("kind", "type_"), [("notification", "channel.hype_train.begin"), ("something_new", "stream.online")]
)
async def test_unknown_types_are_acknowledged(port: PublicRig, kind: str, type_: str) -> None:
    body = {"subscription": signed.subscription(type_, "1337"), "event": {"anything": [1, 2]}}
    assert_bare(await port.post(signed.message(port.now(), body, kind=kind, type=type_)), 204)
    assert len(await port.stored()) == 1


async def test_a_signed_message_without_a_type_is_none(port: PublicRig) -> None:
    message = signed.online(port.now())
    headers = [header for header in message.headers() if "Message-Type" not in header[0]]
    assert_bare(await port.ask(rawhttp.request("POST", "/twitch", headers, message.body)), 400)


@pytest.mark.parametrize(
    "text", ["pogchamp-kappa-360noscope-vohiyo", "<html><script>alert(1)</script>", "grüße", "x" * 4096]
)
async def test_a_challenge_comes_back_as_plain_text(port: PublicRig, text: str) -> None:
    answer = await port.post(signed.challenge(port.now(), text))
    assert answer.status == 200
    assert answer.body == text.encode()
    assert answer.header("content-length") == str(len(text.encode()))
    assert (answer.header("content-type") or "").partition(";")[0] == "text/plain"
    assert answer.header("x-content-type-options") == "nosniff"
    assert await port.stored() == []


async def test_a_challenge_of_a_shard_has_no_subscription(port: PublicRig) -> None:
    body = {"challenge": "shard", "conduit_shard": {"conduit_id": "bfcfc993", "shard": "4"}}
    answer = await port.post(signed.message(port.now(), body, kind="webhook_callback_verification"))
    assert (answer.status, answer.body) == (200, b"shard")


@pytest.mark.parametrize("text", [17, None, "", ["a"], {"a": 1}, "x" * 5000])
async def test_a_challenge_that_is_none_is_400(port: PublicRig, text: object) -> None:
    assert_bare(await port.post(signed.challenge(port.now(), text)), 400)


async def test_an_unsigned_challenge_is_not_answered(port: PublicRig) -> None:
    message = signed.challenge(port.now()).but(signature="")
    assert_bare(await port.post(message), 403)


def _right(message: Message) -> str:
    return str(dict(message.headers())["Twitch-Eventsub-Message-Signature"])


FAULTS: dict[str, Any] = {
    "wrong": lambda m: "sha256=" + "0" * 64,
    "of another secret": lambda m: _right(m.but(secret="another secret entirely")),
    "of another id": lambda m: _right(m.but(id="another")),
    "of another time": lambda m: _right(m.but(at=m.at - 1)),
    "over the body alone": lambda m: _right(m.but(id="", timestamp="")),
    "empty": lambda m: "",
    "without its prefix": lambda m: _right(m).removeprefix("sha256="),
    "md5": lambda m: "md5=" + _right(m).removeprefix("sha256=")[:32],
    "sha1": lambda m: "sha1=" + _right(m).removeprefix("sha256=")[:40],
    "upper case": lambda m: "sha256=" + _right(m).removeprefix("sha256=").upper(),
    "truncated": lambda m: _right(m)[:-1],
    "longer": lambda m: _right(m) + "0",
    "twice in one header": lambda m: f"{_right(m)}, {_right(m)}",
    "not ASCII": lambda m: _right(m)[:-2] + "é",
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_bad_signature_is_403_and_stores_nothing(port: PublicRig, fault: str) -> None:
    message = signed.online(port.now())
    assert_bare(await port.post(message.but(signature=FAULTS[fault](message))), 403)
    assert await port.stored() == []


async def test_a_changed_body_is_403(port: PublicRig) -> None:
    message = signed.online(port.now())
    assert_bare(await port.post(message.but(signature=_right(message), body=message.body + b" ")), 403)
    assert await port.stored() == []


@pytest.mark.parametrize(
    "name",
    ["Twitch-Eventsub-Message-Id", "Twitch-Eventsub-Message-Timestamp", "Twitch-Eventsub-Message-Signature"],
)
async def test_signed_headers_must_be_there_once(port: PublicRig, name: str) -> None:
    message = signed.online(port.now())
    all_of_them = message.headers()
    without = [header for header in all_of_them if header[0] != name]
    doubled = all_of_them + [header for header in all_of_them if header[0] == name]
    another = [*all_of_them, (name, "something else")]
    not_ascii = [*without, (name, b"\xff\xfe\x80")]
    for headers in (without, doubled, another, not_ascii):
        assert_bare(await port.ask(rawhttp.request("POST", "/twitch", headers, message.body)), 403)
    assert await port.stored() == []


@pytest.mark.parametrize("away", [-601.0, 601.0, -3600.0, 86400.0 * 365])
async def test_a_stale_message_is_403(port: PublicRig, away: float) -> None:
    assert_bare(await port.post(signed.online(port.now() + away)), 403)
    assert await port.stored() == []
    assert port.stale == 1  # a reason to look whether our own clock is right


@pytest.mark.parametrize("away", [-599.0, 0.0, 599.0])
async def test_up_to_ten_minutes_are_fresh(port: PublicRig, away: float) -> None:
    assert_bare(await port.post(signed.online(port.now() + away)), 204)
    assert port.stale == 0


@pytest.mark.parametrize("wrong_by", [3600.0, -3600.0, 86400.0 * 365, -86400.0 * 365])
async def test_freshness_is_judged_by_twitchs_clock(port: PublicRig, wrong_by: float) -> None:
    """Ours is wrong, which was measured: what Twitch sends now is fresh, what is fresh by our clock is not."""
    twitch_now = port.now()
    port.clock.jump(-wrong_by)
    port.skew = wrong_by
    assert_bare(await port.post(signed.online(twitch_now)), 204)
    assert_bare(await port.post(signed.online(port.now())), 403)
    assert len(await port.stored()) == 1


@pytest.mark.parametrize(
    "stamp",
    ["", "yesterday", "1790000000", "2026-09-21T14:13:20", "2026-13-21T14:13:20Z", "2026-09-21 14:13", "NaN", "-" * 99],
)
async def test_a_malformed_timestamp_is_403(port: PublicRig, stamp: str) -> None:
    assert_bare(await port.post(signed.online(port.now()).but(timestamp=stamp)), 403)
    assert await port.stored() == []


@pytest.mark.parametrize("digits", range(1, 10))
async def test_any_number_of_digits_is_read(port: PublicRig, digits: int) -> None:
    stamp = signed.rfc3339(port.now()).rstrip("Z")[: 20 + digits] + "Z"
    assert_bare(await port.post(signed.online(port.now()).but(timestamp=stamp)), 204)


_ENVELOPE = {"subscription": signed.subscription("stream.online", "1337")}
_EVENT = {"id": "9001", "broadcaster_user_id": "1337", "broadcaster_user_login": "a", "broadcaster_user_name": "A"}
RUBBISH: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"hello=world",
    "half": b'{"subscription": {"id": "1", "type": "stream.online"',
    "bad UTF-8": b'{"subscription": {"id": "\xff\xfe", "type": "stream.online"}, "event": {}}',
    "UTF-16": '{"subscription": {}}'.encode("utf-16"),
    "NaN": b'{"subscription": NaN}',
    "an array": b"[]",
    "a number": b"17",
    "null": b"null",
    "no subscription": b'{"event": {}}',
    "no event": json.dumps(_ENVELOPE).encode(),
    "event of null": json.dumps({**_ENVELOPE, "event": None}).encode(),
    "id empty": json.dumps({**_ENVELOPE, "event": {**_EVENT, "id": ""}}).encode(),
    "id endless": json.dumps({**_ENVELOPE, "event": {**_EVENT, "id": "9" * 5000}}).encode(),
    "no broadcaster": json.dumps({**_ENVELOPE, "event": {"id": "9001"}}).encode(),
    "control characters": json.dumps({**_ENVELOPE, "event": {**_EVENT, "id": "90\x0001"}}).encode(),
    "deep": b'{"subscription":' + b"[" * 30_000,
    "deep and whole": b'{"subscription":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    "of another type": json.dumps({"subscription": signed.subscription("stream.offline", "1"), "event": {}}).encode(),
}


@pytest.mark.parametrize("name", RUBBISH)
async def test_signed_rubbish_is_400(port: PublicRig, name: str) -> None:
    assert_bare(await port.post(signed.Message(at=port.now(), body=RUBBISH[name])), 400)
    assert await port.stored() == []
    assert_bare(await port.post(signed.online(port.now())), 204)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.binary(max_size=300), kind=st.sampled_from(["notification", "revocation", "webhook_callback_verification"])
)
async def test_no_signed_body_breaks_it(port: PublicRig, body: bytes, kind: str) -> None:
    answer = await port.post(signed.Message(at=port.now(), body=body, kind=kind))
    assert answer.status in {200, 204, 400}


def _of_size(port: PublicRig, size: int) -> Message:
    message = signed.online(port.now())
    return message.but(body=message.body + b" " * (size - len(message.body)))


@pytest.mark.parametrize("way", ["content-length", "chunked"])
async def test_64_kib_are_taken_and_not_a_byte_more(port: PublicRig, way: str) -> None:
    for size, status in ((65_536, 204), (65_537, 413)):
        message = _of_size(port, size)
        if way == "chunked":
            head = rawhttp.request(
                "POST", "/twitch", [*message.headers(), ("Transfer-Encoding", "chunked")], length=False
            )
            assert_bare(await port.ask(head + rawhttp.chunked(message.body)), status)
        else:
            assert_bare(await port.post(message), status)
    assert len(await port.stored()) == 1


async def test_a_large_body_is_refused_before_it_comes(port: PublicRig) -> None:
    async with rawhttp.connect(port.address) as twitch:
        headers = [*signed.online(port.now()).headers(), ("Content-Length", "10485760")]
        await twitch.send(rawhttp.request("POST", "/twitch", headers, length=False))
        assert_bare(await twitch.answer(), 413)
        await twitch.closed()


async def test_a_chunked_flood_is_cut_off(port: PublicRig) -> None:
    async with rawhttp.connect(port.address) as twitch:
        headers = [*signed.online(port.now()).headers(), ("Transfer-Encoding", "chunked")]
        await twitch.send(rawhttp.request("POST", "/twitch", headers, length=False))
        with contextlib.suppress(ConnectionError):
            for _ in range(64):
                await twitch.send(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
        with contextlib.suppress(ConnectionError):
            assert_bare(await twitch.answer(), 413)
        await twitch.closed()
    assert_bare(await port.post(signed.online(port.now())), 204)


async def test_a_gzip_body_is_bytes_like_any_other(port: PublicRig) -> None:
    """The signature is over what came; what it would unpack to does not matter, however large."""
    plain = signed.online(port.now())
    packed = plain.but(body=gzip.compress(plain.body))
    bomb = plain.but(body=gzip.compress(b" " * 50_000_000))
    over_the_unpacked = packed.but(signature=_right(plain))
    for message, status in ((packed, 400), (bomb, 400), (over_the_unpacked, 403)):
        headers = [*message.headers(), ("Content-Encoding", "gzip")]
        assert_bare(await port.ask(rawhttp.request("POST", "/twitch", headers, message.body)), status)
    assert await port.stored() == []
