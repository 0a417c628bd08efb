"""Fuzz of the message parser and of the HTTP surface, the same examples every time."""

from __future__ import annotations

import contextlib
import json
import logging
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from itsjustintv_desktop.engine.core.errors import MessageMalformedError
from itsjustintv_desktop.engine.core.models import StreamEvent
from itsjustintv_desktop.engine.twitch.eventsub_messages import Challenge, parse
from tests.engine.ingress.hostile.table import CHALLENGE, assert_clean, first_answer
from tests.support import rawhttp, signed
from tests.support.public import PublicRig
from tests.support.reference import REFERENCE

pytestmark = pytest.mark.slow  # alone, since some wait for a close

_NOW = 1_790_000_000.0
_CAPTURED = [
    json.loads(file.read_text(encoding="utf-8"))["body"].encode() for file in sorted(REFERENCE.glob("vectors/*.json"))
]
_REAL = [
    signed.online(_NOW).body,
    signed.challenge(_NOW).body,
    signed.revocation(_NOW).body,
    *_CAPTURED,
]
_KINDS = st.sampled_from(["notification", "revocation", "webhook_callback_verification", ""]) | st.text(max_size=8)
_TYPES = st.sampled_from(["stream.online", "stream.offline", "channel.update", ""]) | st.text(max_size=8)
_BITS = st.sampled_from([b"{", b"}", b"[", b'"', b"\\", b"\x00", b"\xff", b"NaN", b"null", b"1e999", b"\\ud800", b","])


@st.composite
def mutated(draw: st.DrawFn, originals: list[bytes], bits: st.SearchStrategy[bytes]) -> bytes:
    """An original with up to six pieces cut out, doubled, replaced or put in."""
    data = draw(st.sampled_from(originals))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data)))
        length = draw(st.integers(0, 12))
        piece = draw(bits | st.binary(max_size=4) | st.just(data[at : at + length] * 2))
        data = data[:at] + piece + data[at + length :]
    return data


def _parse(kind: str, type_: str, body: bytes) -> None:
    """Nothing but a message or MessageMalformedError ever comes out; an id of it fits a line of a log."""
    try:
        message = parse(kind, type_, body, message_id="m-1", received_at=_NOW)
    except MessageMalformedError:
        return
    if isinstance(message, Challenge):
        assert 0 < len(message.text) <= 4096
        message.text.encode()
        return
    assert isinstance(message, StreamEvent)
    for one in (message.kind, message.broadcaster_id, message.stream_id, message.subscription_id):
        assert len(one) <= 200
        assert one.isprintable()
    assert len(message.broadcaster_login) <= 200
    assert len(message.detail) <= 200


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(kind=_KINDS, type_=_TYPES, body=mutated(_REAL, _BITS))
def test_a_mutated_message_is_read_or_malformed(kind: str, type_: str, body: bytes) -> None:
    _parse(kind, type_, body)


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(kind=_KINDS, type_=_TYPES, body=st.binary(max_size=400))
def test_any_bytes_are_read_or_malformed(kind: str, type_: str, body: bytes) -> None:
    _parse(kind, type_, body)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(kind=_KINDS, path=st.sampled_from(["subscription", "event", "challenge", "id", "type", "status"]), value=_JSON)
def test_any_value_in_any_place(kind: str, path: str, value: Any) -> None:
    body = json.loads(_REAL[0])
    for place in (body, body["subscription"], body["event"]):
        if path in place or place is body:
            place[path] = value
            break
    _parse(kind, "", json.dumps(body).encode())


_REQUESTS = [
    signed.online(_NOW).but(signature="sha256=" + "0" * 64, id="m-1").request(),
    signed.challenge(_NOW, CHALLENGE).but(secret="not the one in use", id="m-2").request(),
    rawhttp.request(target="/health"),
    rawhttp.request("POST", "/twitch", [("Transfer-Encoding", "chunked")], length=False)
    + rawhttp.chunked(b"x" * 99, 9),
    rawhttp.request(target="/.well-known/acme-challenge/abc"),
]
_HTTP_BITS = st.sampled_from(
    [b"\r\n", b"\r", b"\n", b":", b" ", b"\t", b"\x00", b"\xff", b"Content-Length: 3\r\n", b"Host: b\r\n", b"0\r\n\r\n",
     b"Transfer-Encoding: chunked\r\n", b"Expect: 100-continue\r\n", b"Connection: Upgrade\r\n", b"/twitch"]
)  # fmt: skip
_KNOWN = {100, 200, 400, 403, 404, 405, 408, 413}


async def _outcome(port: PublicRig, data: bytes) -> None:
    """An answer with a known status or a close, once the client has said that no more will come."""
    async with rawhttp.connect(port.address) as client:
        with contextlib.suppress(ConnectionError):
            await client.send(data)
            client._writer.write_eof()
        with contextlib.suppress(ConnectionError):
            assert (await client.answer(timeout=15)).status in _KNOWN
        await client.closed(timeout=15)


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=mutated(_REQUESTS, _HTTP_BITS) | st.binary(max_size=200))
async def test_a_mutated_request_is_answered_or_closed(
    port: PublicRig, caplog: pytest.LogCaptureFixture, data: bytes
) -> None:
    caplog.set_level(logging.DEBUG)
    with capture_logs() as logs:
        await _outcome(port, data)
    assert_clean(logs, caplog)
    assert await port.ledger.events() == []
    assert await first_answer(port, rawhttp.request(target="/health")) is not None
