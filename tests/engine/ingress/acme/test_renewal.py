"""A certificate is renewed in good time, under open connections, and with care while that fails."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import AsyncExitStack

import pytest

from itsjustintv_desktop.engine.core.models import Webhook
from itsjustintv_desktop.engine.ingress.acme.store import Pair
from itsjustintv_desktop.engine.ingress.transports import TransportState
from tests.engine.ingress.acme.rig import Proxy, Rig, refusing
from tests.support import rawhttp
from tests.support.waiting import until


def pair(rig: Rig) -> Pair:
    assert rig.way._pair is not None
    return rig.way._pair


def pass_life(rig: Rig, share: float) -> None:
    """Go to that share of the present certificate's life."""
    found = pair(rig)
    rig.clock.advance(found.not_before + (found.not_after - found.not_before) * share - rig.clock.now())


def renewed(rig: Rig, before: Pair) -> bool:
    """There is another one, in use and on disk."""
    return pair(rig) != before and not rig.way._unsaved


async def test_it_is_renewed_at_two_thirds_of_its_life_with_a_new_key(rig: Rig) -> None:
    rig.begin()
    await rig.reaches("ready")
    first = pair(rig)
    pass_life(rig, 0.63)
    await rig.settle(lambda: len(rig.clock.sleeping) == 1)
    assert pair(rig) == first
    pass_life(rig, 0.67)
    await rig.settle(lambda: renewed(rig, first))
    assert rig.way.status.code == "ready"
    assert pair(rig).key_pem != first.key_pem
    assert (await rig.shown())[0].not_valid_after_utc.timestamp() == pair(rig).not_after
    assert (rig.folder / "key.pem").read_bytes() == pair(rig).key_pem
    assert (rig.folder / "cert.pem").read_bytes() == pair(rig).chain_pem


@pytest.mark.parametrize("challenge", ["tls-alpn-01", "http-01"])
async def test_open_connections_do_not_notice(rig: Rig, challenge: str) -> None:
    """Requests run on one kept connection, and on new ones, all through a renewal."""
    rig.change(challenge=challenge)
    rig.begin()
    await rig.reaches("ready")
    first = pair(rig)
    context = _trusting()
    reader, writer = await asyncio.open_connection(*rig.address, ssl=context, server_hostname=rig.name)
    shown: set[bytes] = set()
    answered = 0

    async def ask_on() -> None:
        nonlocal answered
        while True:
            writer.write(rawhttp.request("GET", "/health"))
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
            await reader.readexactly(length)
            answered += 1
            _, other = await asyncio.open_connection(*rig.address, ssl=context, server_hostname=rig.name)
            found = other.get_extra_info("ssl_object").getpeercert(True)
            shown.add(found)
            other.close()
            await other.wait_closed()

    asking = rig.tasks.start("test.ask", ask_on())
    await until(lambda: answered > 3)
    pass_life(rig, 0.67)
    await rig.settle(lambda: renewed(rig, first))
    last = answered
    await until(lambda: answered > last + 3)
    assert shown == {first.leaf, pair(rig).leaf}, "ordinary clients never saw a challenge's certificate"
    assert not asking.done()
    writer.close()
    asking.cancel()
    await asyncio.wait({asking})


async def test_a_renewal_that_fails_is_no_alarm_until_it_is_late(rig: Rig, stack: AsyncExitStack) -> None:
    proxy = await stack.enter_async_context(Proxy(rig.authority))
    rig.change(directory_url=proxy.directory)
    rig.begin()
    await rig.reaches("ready")
    proxy.refuse["order-plz"] = refusing("serverInternal", "on fire", status=500)
    pass_life(rig, 0.7)
    await rig.settle(lambda: "renewal_problem" in rig.way.status.facts)
    assert rig.way.status.code == "ready"
    assert "on fire" in rig.way.status.facts["renewal_problem"]
    pass_life(rig, 0.95)
    await rig.reaches("authority_down")
    assert state_of(rig) is TransportState.WAITING
    assert "could not be renewed" in rig.way.status.message
    assert await rig.next_try() <= 3600, "it is urgent now"
    pass_life(rig, 1.01)
    await rig.reaches("expired")
    assert state_of(rig) is TransportState.FAILING
    assert "on fire" in rig.way.status.message
    assert rig.way.target == Webhook(f"https://{rig.name}/twitch"), "the last one that worked stays"
    proxy.refuse.clear()
    rig.clock.advance(3600 * 1.3)
    await rig.settle(lambda: proxy.count("finalize-order") == 2)


async def test_after_two_refusals_it_is_rehearsed_elsewhere(rig: Rig, stack: AsyncExitStack) -> None:
    real = await stack.enter_async_context(Proxy(rig.authority))
    staging = await stack.enter_async_context(Proxy(rig.authority))
    rig.staging[real.directory] = staging.directory
    rig.change(directory_url=real.directory)
    await rig.public.stop()  # as if the router did not forward
    rig.begin()
    await rig.retry_all(lambda: rig.way._retries._pauses.failures == 4)
    assert (real.count("chalZ"), staging.count("chalZ")) == (2, 2), "production was spared"
    rig.public = rig._port()
    await rig.listen()
    await rig.retry_all(lambda: rig.way.status.code == "ready")
    assert (real.count("chalZ"), staging.count("chalZ")) == (3, 3), "first there, then at once here"
    assert (real.count("certZ"), staging.count("certZ")) == (1, 1)
    assert rig.way._issuing.cache.issued_by == real.directory


async def test_staging_that_is_down_itself_stops_nothing(rig: Rig, stack: AsyncExitStack) -> None:
    real = await stack.enter_async_context(Proxy(rig.authority))
    staging = await stack.enter_async_context(Proxy(rig.authority))
    staging.refuse["dir"] = refusing("serverInternal", "closed today", status=503)
    rig.staging[real.directory] = staging.directory
    rig.change(directory_url=real.directory)
    rig.way._retries._unproven = 2
    rig.begin()
    await rig.reaches("ready")
    assert staging.count("dir") == 1


async def test_other_names_in_the_config_make_another_order(rig: Rig) -> None:
    rig.begin()
    await rig.reaches("ready")
    names = (f"other.{rig.name}", rig.name)
    rig.change(domains=names)
    rig.way.trigger()
    await rig.settle(lambda: rig.way.target == Webhook(f"https://{names[0]}/twitch"))
    assert rig.way.status.facts["certificate_names"].split(", ") == sorted(names, key=names.index)
    assert rig.way.status.code == "ready"


async def test_another_authority_in_the_config_is_asked_at_once(rig: Rig, stack: AsyncExitStack) -> None:
    rig.begin()
    await rig.reaches("ready")
    proxy = await stack.enter_async_context(Proxy(rig.authority))
    rig.change(directory_url=proxy.directory)
    rig.way.trigger()
    await rig.settle(lambda: proxy.count("certZ"))
    await rig.reaches("ready")


async def test_a_correction_is_tried_at_once(rig: Rig) -> None:
    """Whoever just repaired the config does not wait an hour for it to show."""
    wrong = rig.name
    rig.authority.no_address(wrong)
    rig.begin()
    await rig.reaches("wrong_dns")
    await rig.next_try()
    await rig.settle(lambda: rig.clock.sleeping and rig.clock.sleeping[0] > 100)
    rig.name = f"right.{wrong}"
    rig.change(domains=(rig.name,))
    rig.way.trigger()
    await rig.reaches("ready")


async def test_an_account_the_authority_forgot_is_made_anew(rig: Rig, stack: AsyncExitStack) -> None:
    proxy = await stack.enter_async_context(Proxy(rig.authority))
    rig.change(directory_url=proxy.directory, email="me@example.com")
    rig.begin()
    await rig.reaches("ready")
    first = rig.way._issuing.cache.accounts[proxy.directory]
    assert first.address == "me@example.com"
    rig.change(email="you@example.com")  # asks about the account, which takes its existence
    proxy.refuse_first["sign-me-up"] = [refusing("accountDoesNotExist", "who?", status=400)]
    pass_life(rig, 0.7)
    await rig.settle(lambda: proxy.count("certZ") == 2)
    await rig.settle(lambda: rig.way._issuing.cache.pending is None)
    second = rig.way._issuing.cache.accounts[proxy.directory]
    assert (second.uri != first.uri, second.address) == (True, "you@example.com")


async def test_another_email_is_told_to_the_authority(rig: Rig) -> None:
    rig.begin()
    await rig.reaches("ready")
    first = rig.way._issuing.cache.accounts[rig.authority.directory]
    rig.change(email="me@example.com")
    pass_life(rig, 0.7)
    before = pair(rig)
    await rig.settle(lambda: renewed(rig, before))
    second = rig.way._issuing.cache.accounts[rig.authority.directory]
    assert (second.uri, second.address) == (first.uri, "me@example.com")


def state_of(rig: Rig) -> TransportState:
    return rig.way.status.state


def _trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    return context
