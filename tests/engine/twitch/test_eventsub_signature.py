from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsjustintv_desktop.engine.twitch.eventsub_messages import made_with, sign
from tests.support.reference import REFERENCE

VECTORS = REFERENCE / "vectors"

SECRET, MESSAGE_ID, TIMESTAMP, BODY = b"0123456789", b"id-1", b"2026-11-23T08:16:36Z", b'{"a":1}'


def captured() -> list[Any]:
    if not VECTORS.is_dir():
        return [pytest.param(None, marks=pytest.mark.skip(reason="the captured messages are not beside this checkout"))]
    return [pytest.param(json.loads(file.read_text()), id=file.stem) for file in sorted(VECTORS.glob("*.json"))]


def test_agrees_with_the_vector_published_by_twitch4j() -> None:
    signature = "sha256=2ac8d26bf60837663d8969f3cb4f22f685c8fa0a4b99d533c8bf622ed4596cc6"
    args = (b"7d4c39a4-10b3-4166-b1fb-56130d1f693b", b"2020-12-13T14:15:16.1718Z", b'{"hello":"world"}')
    assert sign(b"Twitch4J", *args) == signature
    assert made_with([b"Twitch4J"], *args, signature.encode())


@pytest.mark.parametrize("message", captured())
def test_agrees_with_messages_captured_from_twitchs_own_tool(message: dict[str, Any]) -> None:
    headers = {name.lower(): value.encode() for name, value in message["headers"].items()}
    assert message["hmac_ok"] is bool(
        made_with(
            [message["secret"].encode()],
            headers["twitch-eventsub-message-id"],
            headers["twitch-eventsub-message-timestamp"],
            message["body"].encode(),
            headers["twitch-eventsub-message-signature"],
        )
    )


GOOD = sign(SECRET, MESSAGE_ID, TIMESTAMP, BODY).encode()


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"sha256=",
        GOOD[7:],
        GOOD[:-1],
        GOOD + b"0",
        GOOD + b", " + GOOD,
        b" " + GOOD,
        b"md5=" + GOOD[7:],
        b"sha1=" + GOOD[7:],
        b"SHA256=" + GOOD[7:],
        GOOD[:7] + GOOD[7:].upper(),
        b"sha256=" + "é".encode() * 32,
        b"sha256=" + b"\xff" * 64,
        b"sha256=" + b"0" * 64,
    ],
)
def test_refuses_every_other_form(header: bytes) -> None:
    assert not made_with([SECRET], MESSAGE_ID, TIMESTAMP, BODY, header)


def test_old_and_new_secret_both_count_while_changing() -> None:
    assert made_with([b"another-one", SECRET], MESSAGE_ID, TIMESTAMP, BODY, GOOD)
    assert made_with([SECRET, b"another-one"], MESSAGE_ID, TIMESTAMP, BODY, GOOD)
    assert not made_with([b"another-one"], MESSAGE_ID, TIMESTAMP, BODY, GOOD)
    assert not made_with([], MESSAGE_ID, TIMESTAMP, BODY, GOOD)


def test_an_empty_secret_never_matches() -> None:
    assert not made_with([b""], MESSAGE_ID, TIMESTAMP, BODY, sign(b"", MESSAGE_ID, TIMESTAMP, BODY).encode())


@given(st.binary(min_size=1), st.binary(), st.binary(), st.binary())
def test_what_is_signed_verifies_and_any_change_does_not(secret: bytes, one: bytes, two: bytes, body: bytes) -> None:
    header = sign(secret, one, two, body).encode()
    assert made_with([secret], one, two, body, header)
    assert not made_with([secret], one, two, body + b"x", header)
    assert not made_with([secret], b"x" + one, two, body, header)


@given(st.binary(max_size=100))
def test_any_bytes_as_a_header_are_just_refused(header: bytes) -> None:
    assert made_with([SECRET], MESSAGE_ID, TIMESTAMP, BODY, header) is (SECRET if header == GOOD else None)
