"""The rest of the public port: health, .well-known, everything else, and HTTP as no library would write it."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import datetime, timedelta

import pytest
import structlog.testing

from tests.support import rawhttp, signed
from tests.support.public import PublicRig
from tests.support.rawhttp import request


async def test_health_says_one_word(port: PublicRig) -> None:
    for healthy, status, word in ((True, 200, "healthy"), (False, 503, "unhealthy")):
        port.healthy = healthy
        answer = await port.ask(request(target="/health"))
        assert answer.status == status
        assert answer.header("content-type") == "application/json"
        body = json.loads(answer.body)
        assert set(body) == {"status", "service", "timestamp"}  # no details for strangers
        assert (body["status"], body["service"]) == (word, "itsjustintv")
        stamp = datetime.fromisoformat(body["timestamp"])
        assert stamp.utcoffset() == timedelta(0)
        assert stamp.timestamp() == port.now()


async def test_health_answers_head(port: PublicRig) -> None:
    answer = await port.ask(request("HEAD", "/health"), head=True)
    assert answer.status == 200
    assert int(answer.header("content-length") or 0) > 0


@pytest.mark.parametrize("kind", ["acme-challenge", "itsjustintv"])
async def test_well_known_serves_what_we_issued_for_a_minute(port: PublicRig, kind: str) -> None:
    path = f"/.well-known/{kind}/token_-123"
    assert (await port.ask(request(target=path))).status == 404

    port.well_known.publish(kind, "token_-123", b"token_-123.thumbprint")
    answer = await port.ask(request(target=path))
    assert (answer.status, answer.body) == (200, b"token_-123.thumbprint")
    assert answer.header("x-content-type-options") == "nosniff"
    assert (await port.ask(request("HEAD", path), head=True)).status == 200
    assert (await port.ask(request("POST", path))).status == 405

    port.clock.advance(59.9)
    assert (await port.ask(request(target=path))).status == 200
    port.clock.advance(0.2)
    gone = await port.ask(request(target=path))
    assert (gone.status, gone.body) == (404, b"")


async def test_well_known_is_not_moved_by_the_wall_clock(port: PublicRig) -> None:
    port.well_known.publish("itsjustintv", "nonce", b"x")
    port.clock.jump(-86400)
    port.clock.advance(61)
    assert (await port.ask(request(target="/.well-known/itsjustintv/nonce"))).status == 404


@pytest.mark.parametrize(
    "target",
    [
        "/", "/twitch/", "/Twitch", "//twitch", "/%74witch", "/twitch%00", "/twitch;a=b", "/health/", "/metrics",
        "/.well-known/", "/.well-known/acme-challenge/", "/.well-known/itsjustintv/../../health", "/../health",
        "/v1/health", "/output.json", "/index.php?x=/health",
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST", "BREW"])
async def test_anything_else_is_404_and_empty(port: PublicRig, target: str, method: str) -> None:
    answer = await port.ask(request(method, target))
    assert answer.status == 404 if method != "BREW" else answer.status in {400, 404}
    assert answer.body == b""


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
async def test_twitch_only_takes_post(port: PublicRig, method: str) -> None:
    message = signed.online(port.now())
    body = b"" if method == "HEAD" else message.body
    answer = await port.ask(request(method, "/twitch", message.headers(), body), head=method == "HEAD")
    assert (answer.status, answer.body, answer.header("allow")) == (405, b"", "POST")
    assert await port.stored() == []


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
async def test_health_only_takes_get(port: PublicRig, method: str) -> None:
    answer = await port.ask(request(method, "/health"))
    assert (answer.status, answer.body, answer.header("allow")) == (405, b"", "GET, HEAD")


async def test_no_answer_says_what_it_is_made_with(port: PublicRig) -> None:
    asked = [
        request(target="/health"),
        request(target="/nothing"),
        request("GET", "/twitch"),
        signed.online(port.now()).request(),
        signed.challenge(port.now()).request(),
        signed.online(port.now()).but(signature="").request(),
        signed.Message(at=port.now(), body=b"{}").request(),
        b"rubbish\r\n\r\n",
        request("POST", "/twitch", [("Content-Length", "99999999")], length=False),
    ]
    for data in asked:
        answer = await port.ask(data)
        everything = repr(answer).lower()
        assert "python" not in everything
        assert "aiohttp" not in everything
        assert answer.header("server") == "itsjustintv"


async def test_a_query_does_not_matter(port: PublicRig) -> None:
    assert (await port.ask(signed.online(port.now()).request("/twitch?a=b"))).status == 204


async def test_an_absolute_form_target_is_not_ours(port: PublicRig) -> None:
    """Only a client that takes us for a proxy writes it."""
    for target in ("http://localhost/twitch", "http://example.com/twitch"):
        answer = await port.ask(signed.online(port.now()).request(target))
        assert (answer.status, answer.body) == (404, b"")
    answer = await port.ask(request("CONNECT", "example.com:443"))
    assert answer.status in {400, 404}
    assert await port.stored() == []


async def test_forwarded_headers_change_nothing(port: PublicRig) -> None:
    forwarded: list[tuple[str, str | bytes]] = [
        ("X-Forwarded-For", "127.0.0.1"),
        ("X-Forwarded-Host", "example.com"),
        ("X-Forwarded-Proto", "https"),
        ("X-Original-URL", "/health"),
        ("X-Rewrite-URL", "/health"),
        ("X-HTTP-Method-Override", "GET"),
        ("Forwarded", "for=127.0.0.1;host=example.com"),
    ]
    assert (await port.ask(request(target="/nothing", headers=forwarded))).status == 404
    message = signed.online(port.now())
    answer = await port.ask(request("POST", "/twitch", [*message.headers(), *forwarded], message.body))
    assert answer.status == 204
    unsigned = message.but(signature="")
    answer = await port.ask(request("POST", "/twitch", [*unsigned.headers(), *forwarded], message.body))
    assert answer.status == 403


async def test_keep_alive_and_pipelining(port: PublicRig) -> None:
    messages = [signed.online(port.now(), stream_id=str(number)) for number in range(20)]
    async with rawhttp.connect(port.address) as twitch:
        for message in messages[:3]:
            await twitch.send(message.request())
            assert (await twitch.answer()).status == 204
        await twitch.send(b"".join(message.request() for message in messages[3:]) + request(target="/health"))
        answers = [await twitch.answer() for _ in range(18)]
    assert [answer.status for answer in answers] == [204] * 17 + [200]
    assert sorted(record.event.message_id or "" for record in await port.stored()) == sorted(m.id for m in messages)


async def test_a_refusal_keeps_the_connection(port: PublicRig) -> None:
    async with rawhttp.connect(port.address) as twitch:
        await twitch.send(signed.online(port.now()).but(signature="").request())
        assert (await twitch.answer()).status == 403
        await twitch.send(signed.online(port.now()).request())
        assert (await twitch.answer()).status == 204


async def test_close_and_http_1_0_are_honoured(port: PublicRig) -> None:
    for data in (
        request(target="/health", headers=[("Connection", "close")]),
        request(target="/health", version="1.0"),
    ):
        async with rawhttp.connect(port.address) as client:
            await client.send(data)
            assert (await client.answer()).status == 200
            await client.closed(timeout=2)


async def test_a_body_in_small_pieces(port: PublicRig) -> None:
    data = signed.online(port.now()).request()
    async with rawhttp.connect(port.address) as twitch:
        for start in range(0, len(data), 50):
            await twitch.send(data[start : start + 50])
            await asyncio.sleep(0)
        assert (await twitch.answer()).status == 204


_MESSAGE_HEADERS = [("Content-Length", "0"), ("Transfer-Encoding", "chunked")]
BROKEN: dict[str, bytes] = {
    "no HTTP": b"\x00\x01\x02\x03\r\n\r\n",
    "a TLS hello": bytes.fromhex("16030100c8010000c40303") + b"\x00" * 64 + b"\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "no target": b"GET\r\n\r\n",
    "HTTP/9.9": b"GET /health HTTP/9.9\r\nHost: a\r\n\r\n",
    "length and chunks": request("POST", "/twitch", _MESSAGE_HEADERS, length=False) + b"0\r\n\r\n",
    "two lengths": request("POST", "/twitch", [("Content-Length", "3"), ("Content-Length", "4")], length=False)
    + b"abc",
    "a negative length": request("POST", "/twitch", [("Content-Length", "-1")], length=False),
    "a length in words": request("POST", "/twitch", [("Content-Length", "many")], length=False),
    "an endless length": request("POST", "/twitch", [("Content-Length", "9" * 40)], length=False),
    "300 headers": request(target="/health", headers=[(f"X-{number}", "x") for number in range(300)]),
    "an endless header": request(target="/health", headers=[("X-Long", "x" * 100_000)]),
    "an endless target": request(target="/" + "x" * 100_000),
    "a header without a colon": b"GET /health HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n",
    "a space before the colon": b"GET /health HTTP/1.1\r\nHost : a\r\nContent-Length : 3\r\n\r\n",
    "a folded header": b"GET /health HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c\r\n\r\n",
    "NUL in a header": b"GET /health HTTP/1.1\r\nHost: a\r\nX-A: b\x00c\r\n\r\n",
    "broken chunks": request("POST", "/twitch", [("Transfer-Encoding", "chunked")], length=False) + b"zz\r\nabc\r\n",
    "an odd coding": request("POST", "/twitch", [("Transfer-Encoding", "gzip, xyz")], length=False) + b"abc",
}


@pytest.mark.parametrize("name", BROKEN)
async def test_broken_http_is_refused_quietly(port: PublicRig, name: str, caplog: pytest.LogCaptureFixture) -> None:
    """At most 4xx, an empty body, nothing stored, no traceback in the log, and the next one is served."""
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as logs:
        async with rawhttp.connect(port.address) as client:
            try:
                await client.send(BROKEN[name])
                answer = await client.answer(timeout=3)
            except ConnectionError:
                pass  # hanging up is an answer, too
            else:
                assert 400 <= answer.status < 500, answer
                assert answer.body == b""
    assert not [entry for entry in logs if entry["log_level"] in {"error", "critical"} or "exc_info" in entry]
    assert not [record for record in caplog.records if record.exc_info or record.levelno >= logging.ERROR]
    assert await port.stored() == []
    assert (await port.post(signed.online(port.now()))).status == 204


async def test_two_hosts(port: PublicRig) -> None:
    """Whatever is made of it, nothing routes by the Host header."""
    message = signed.online(port.now())
    answer = await port.ask(request("POST", "/twitch", [("Host", "example.com"), *message.headers()], message.body))
    assert answer.status in {204, 400}


async def test_an_upgrade_is_declined(port: PublicRig) -> None:
    headers: list[tuple[str, str | bytes]] = [("Connection", "Upgrade"), ("Upgrade", "websocket")]
    answer = await port.ask(request(target="/twitch", headers=headers))
    assert answer.status in {400, 405}


def _chunks_to_come(port: PublicRig, target: str) -> bytes:
    headers = [*signed.online(port.now()).headers(), ("Transfer-Encoding", "chunked")]
    return request("POST", target, headers, length=False)


@pytest.mark.parametrize("target", ["/twitch", "/nothing"])
async def test_a_client_that_hangs_up_in_the_middle(port: PublicRig, target: str) -> None:
    """Strangers can do that all day: it is no error of ours and must not fill the log."""
    data = signed.online(port.now()).request(target)
    pieces = [data[:5], data[:60], data[:-30], _chunks_to_come(port, target), _chunks_to_come(port, target) + b"5\r\na"]
    for piece in pieces:
        async with rawhttp.connect(port.address) as client:
            await client.send(piece)
            await asyncio.sleep(0.02)
    assert (await port.post(signed.online(port.now()))).status == 204
    assert len(await port.stored()) == 1


async def test_a_client_that_leaves_before_the_answer(port: PublicRig) -> None:
    """The message was whole: it is kept."""
    async with port.ledger_held(), rawhttp.connect(port.address) as twitch:
        await twitch.send(signed.online(port.now()).request())
        await asyncio.sleep(0.05)
    assert (await port.post(signed.online(port.now()))).status == 204
    assert len(await port.stored()) == 2
