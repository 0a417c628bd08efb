from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsjustintv_desktop.simulator import Simulator
from itsjustintv_desktop.simulator.signatures import Expectation


def announcement(streamer_id: str = "7", stream_id: str = "41", **more: Any) -> bytes:
    return json.dumps({"streamer_id": streamer_id, "stream": {"id": stream_id}, **more}).encode()


async def post(
    session: aiohttp.ClientSession, sim: Simulator, name: str, body: bytes, **headers: str
) -> tuple[int, Any]:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    async with session.post(sim.receiver_url(name), data=body, headers=named, allow_redirects=False) as response:
        await response.read()
        return response.status, response.headers


async def test_it_keeps_what_it_got(sim: Simulator, session: aiohttp.ClientSession) -> None:
    assert (await post(session, sim, "shop", announcement(), webhook_id="m1"))[0] == 204
    await post(session, sim, "other", b"no json")
    [one] = sim.receiver.accepted("shop")
    assert (one.name, one.body, one.webhook_id) == ("shop", announcement(), "m1")
    assert one.json["streamer_id"] == "7"
    assert (one.verified, one.status_answered) == (None, 204)
    assert one.headers["WEBHOOK-ID"] == "m1"
    assert abs(one.at - time.time()) < 5
    assert [one.json for one in sim.receiver.received("other")] == [None]
    assert len(sim.receiver.accepted()) == 2
    sim.receiver.clear()
    assert sim.receiver.accepted() == sim.receiver.accepted("shop") == []


@pytest.mark.parametrize(
    ("hashing", "name"), [("SHA-1", "sha1"), ("SHA-256", "sha256"), ("SHA-512", "sha512"), ("sha-256", "sha256")]
)
async def test_x_hub_signatures(sim: Simulator, session: aiohttp.ClientSession, hashing: str, name: str) -> None:
    sim.receiver.expect("shop", secret="geheim", header="X-Sig", hashing=hashing)
    body = announcement()
    right = f"{name}={hmac.new(b'geheim', body, name).hexdigest()}"
    cases = {right: 204, right.upper(): 401, right[:-1]: 401, "": 401, right.partition("=")[2]: 401, "ü": 401}
    for given_signature, status in cases.items():
        assert (await post(session, sim, "shop", body, X_Sig=given_signature))[0] == status, given_signature
    assert (await post(session, sim, "shop", body + b" ", X_Sig=right))[0] == 401
    assert [one.verified for one in sim.receiver.received("shop")] == [True] + [False] * 6
    assert len(sim.receiver.accepted("shop")) == 1


@pytest.mark.parametrize("secret", ["plain text secret", "whsec_" + base64.b64encode(b"0" * 24).decode()])
async def test_standard_webhooks_signatures(sim: Simulator, session: aiohttp.ClientSession, secret: str) -> None:
    sim.receiver.expect("shop", secret=secret, scheme="standard-webhooks")
    key = b"0" * 24 if secret.startswith("whsec_") else secret.encode()
    body, now = announcement(), str(int(time.time()))
    old = str(int(time.time()) - 400)

    def sign(timestamp: str) -> str:
        digest = hmac.new(key, b"m1." + timestamp.encode() + b"." + body, hashlib.sha256).digest()
        return "v1," + base64.b64encode(digest).decode()

    for signature, timestamp, message_id, status in (
        (sign(now), now, "m1", 204),
        ("v1,AAAA v1a,xyz " + sign(now), now, "m1", 204),
        (sign(now), now, "m2", 401),
        (sign(now).replace("v1,", "v2,"), now, "m1", 401),
        (sign(old), old, "m1", 401),
        (sign(now), "soon", "m1", 401),
        ("", now, "m1", 401),
    ):
        got, _ = await post(
            session,
            sim,
            "shop",
            body,
            webhook_id=message_id,
            webhook_timestamp=timestamp,
            webhook_signature=signature,
        )
        assert got == status, (signature, timestamp, message_id)


def test_the_published_vector_of_standard_webhooks() -> None:
    # From the test suites of the standard's own libraries.
    expectation = Expectation("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", scheme="standard-webhooks", tolerance=None)
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    assert expectation.holds(headers, b'{"test": 2432232314}', 0.0)
    assert not expectation.holds(headers, b'{"test": 2432232315}', 0.0)


@given(st.text(), st.binary())
def test_no_header_makes_it_raise(value: str, body: bytes) -> None:
    for scheme in ("x-hub", "standard-webhooks"):
        expectation = Expectation("secret", scheme=scheme)
        names = ("X-Hub-Signature-256", "webhook-id", "webhook-timestamp", "webhook-signature")
        assert expectation.holds(dict.fromkeys(names, value), body, 0.0) is False


@pytest.mark.parametrize("wrong", [{"hashing": "MD5"}, {"scheme": "rot13"}])
def test_an_expectation_that_makes_no_sense(wrong: Any) -> None:
    with pytest.raises(ValueError, match="there is no"):
        Expectation("secret", **wrong)


async def test_waiting_for_webhooks(sim: Simulator, session: aiohttp.ClientSession) -> None:
    waiting = asyncio.gather(sim.receiver.wait_for(2, "shop", timeout=5), sim.receiver.wait_for(3, timeout=5))
    await asyncio.sleep(0)
    sim.faults.set_receiver("shop", status=500, times=1)
    for name in ("shop", "other", "shop"):
        await post(session, sim, name, announcement())
        assert not waiting.done()
    await post(session, sim, "shop", announcement())
    shop, everything = await waiting
    assert (len(shop), len(everything)) == (2, 3)
    assert await sim.receiver.wait_for(1, "shop") == shop
    with pytest.raises(TimeoutError, match="2 of 3 webhooks accepted at shop"):
        await sim.receiver.wait_for(3, "shop", timeout=0.05)


async def test_doubles_are_what_was_accepted_twice(sim: Simulator, session: aiohttp.ClientSession) -> None:
    sim.faults.set_receiver("shop", status=500, times=1)
    await post(session, sim, "shop", announcement(), webhook_id="a")
    await post(session, sim, "shop", announcement(), webhook_id="a")
    await post(session, sim, "other", announcement())
    await post(session, sim, "shop", announcement(stream_id="42"))
    for _ in range(2):
        await post(session, sim, "shop", announcement(stream_id="43", test=True))
        await post(session, sim, "shop", b'{"content":"a Discord message"}')
        await post(session, sim, "shop", b"[1]")
    assert sim.receiver.doubles() == {}
    await post(session, sim, "shop", announcement(), webhook_id="b")
    doubles = sim.receiver.doubles()
    assert list(doubles) == [("shop", "7", "41")]
    assert [one.webhook_id for one in doubles["shop", "7", "41"]] == ["a", "b"]


async def test_without_bodies_doubles_are_still_seen(sim: Simulator, session: aiohttp.ClientSession) -> None:
    sim.receiver.keep_bodies = False
    for _ in range(2):
        await post(session, sim, "shop", announcement())
    assert [(one.body, one.json) for one in sim.receiver.all] == [(b"", None)] * 2
    assert len(sim.receiver.doubles()) == 1


async def test_faults_with_an_answer(sim: Simulator, session: aiohttp.ClientSession) -> None:
    sim.faults.set_receiver("shop", status=429, retry_after="120")
    status, headers = await post(session, sim, "shop", announcement())
    assert (status, headers["Retry-After"]) == (429, "120")
    sim.faults.set_receiver("shop", redirect="http://169.254.169.254/")
    status, headers = await post(session, sim, "shop", announcement())
    assert (status, headers["Location"]) == (302, "http://169.254.169.254/")
    sim.faults.clear()
    sim.faults.set_receiver("*", failure_rate=0.5)
    assert {(await post(session, sim, "shop", announcement()))[0] for _ in range(40)} == {204, 503}
    sim.faults.set_receiver("shop", latency=0.1)
    begun = time.perf_counter()
    assert (await post(session, sim, "shop", announcement()))[0] == 204
    assert time.perf_counter() - begun >= 0.1


async def test_a_receiver_with_latency_still_checks_the_signature(
    sim: Simulator, session: aiohttp.ClientSession
) -> None:
    sim.receiver.expect("shop", secret="geheim")
    sim.faults.set_receiver("shop", latency=0.01)
    assert (await post(session, sim, "shop", announcement()))[0] == 401


async def test_reset_after_the_whole_body(sim: Simulator, session: aiohttp.ClientSession) -> None:
    sim.faults.set_receiver("shop", reset=True)
    with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)):
        await post(session, sim, "shop", announcement())
    [one] = sim.receiver.received("shop")
    assert (one.body, one.status_answered, one.accepted) == (announcement(), None, False)


async def test_hanging(sim: Simulator, session: aiohttp.ClientSession) -> None:
    sim.faults.set_receiver("shop", hang=True)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await post(session, sim, "shop", announcement())
    assert sim.receiver.accepted("shop") == []


async def test_an_answer_that_never_ends(sim: Simulator, session: aiohttp.ClientSession) -> None:
    sim.faults.set_receiver("shop", endless=True)
    async with session.post(sim.receiver_url("shop"), data=announcement()) as response:
        assert response.status == 200
        assert len(await response.content.readexactly(200_000)) == 200_000
        response.close()
    assert len(sim.receiver.accepted("shop")) == 1


async def test_a_thousand_posts_are_quickly_taken(sim: Simulator) -> None:
    sim.receiver.expect("shop", secret="geheim")
    bodies = [announcement(stream_id=str(n), image="x" * 5000) for n in range(1000)]
    signatures = ["sha256=" + hmac.new(b"geheim", body, "sha256").hexdigest() for body in bodies]
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=16)) as session:
        await asyncio.gather(
            *(
                post(session, sim, "shop", body, X_Hub_Signature_256=signature)
                for body, signature in zip(bodies, signatures, strict=True)
            )
        )
    assert len(await sim.receiver.wait_for(1000, "shop")) == 1000
    assert sim.receiver.doubles() == {}
