"""The plain listener knows the challenges that are open, and is gone with them."""

from __future__ import annotations

import pytest

from itsjustintv_desktop.engine.core.errors import CertificateError
from itsjustintv_desktop.engine.ingress.acme.http01 import HttpChallenge
from itsjustintv_desktop.engine.ingress.wellknown import WellKnownTokens
from tests.support import rawhttp
from tests.support.clock import FakeClock
from tests.support.ports import free_port

TOKEN = "/.well-known/acme-challenge/token"


async def test_it_serves_tokens_and_nothing_else_as_long_as_they_are_asked_for() -> None:
    clock, port = FakeClock(), free_port()
    well_known = WellKnownTokens(clock)
    well_known.publish("itsjustintv", "nonce", b"for the public port alone")
    challenge = HttpChallenge(well_known, clock, "127.0.0.1", port)
    await challenge.show("a.example", "token", "token.thumbprint")
    address = ("127.0.0.1", port)

    async def ask(target: str, method: str = "GET") -> rawhttp.Answer:
        return await rawhttp.ask(address, rawhttp.request(method, target))

    answer = await ask(TOKEN)
    assert (answer.status, answer.body) == (200, b"token.thumbprint")
    assert answer.header("x-content-type-options") == "nosniff"
    assert (await ask(f"{TOKEN}?x=1")).status == 200
    assert (await ask(TOKEN, "POST")).status == 405
    for other in ("/", "/health", "/twitch", "/.well-known/itsjustintv/nonce", "/.well-known/acme-challenge/other"):
        assert (await ask(other)).status == 404
    clock.advance(50.0)
    challenge.refresh()
    clock.advance(50.0)
    assert (await ask(TOKEN)).status == 200
    await challenge.clear()
    with pytest.raises(ConnectionError):
        await ask(TOKEN)


async def test_a_port_that_is_taken() -> None:
    port = free_port()
    clock = FakeClock()
    well_known = WellKnownTokens(clock)
    first, second = (HttpChallenge(well_known, clock, "127.0.0.1", port) for _ in range(2))
    await first.show("a.example", "token", "token.thumbprint")
    with pytest.raises(CertificateError, match=f"port {port}") as caught:
        await second.show("a.example", "token", "token.thumbprint")
    assert caught.value.kind == "http_port"
    await second.clear()
    await first.clear()
