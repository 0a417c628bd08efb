"""An account that the authority no longer knows, nonces that it refuses, and answers without end."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from itsjustintv_desktop.engine.ingress.acme.client import NONCES
from itsjustintv_desktop.engine.ingress.transports import TransportState
from tests.engine.ingress.acme.pebble import Pebble, pebble
from tests.engine.ingress.acme.rig import Proxy, Rig, refusing


@pytest.fixture
async def proxy(rig: Rig, stack: AsyncExitStack) -> Proxy:
    """Before the authority that the rig asks."""
    proxy = await stack.enter_async_context(Proxy(rig.authority))
    rig.change(directory_url=proxy.directory)
    return proxy


@pytest.fixture
def forgetful(authority: Pebble, tmp_path: Path, stack: AsyncExitStack) -> Pebble:
    """The same authority after it lost all it knew."""
    (tmp_path / "forgetful").mkdir()
    return stack.enter_context(pebble(tmp_path / "forgetful", like=authority))


@pytest.mark.fault(
    "certificates: the authority does not know our account any more",
    seen='the log says "does not know our account any more"; a new one is registered, and the certificate comes',
)
async def test_a_forgotten_account_is_registered_again(rig: Rig, proxy: Proxy, forgetful: Pebble) -> None:
    rig.begin()
    await rig.reaches("ready")
    first = rig.way._issuing.cache.accounts[proxy.directory]
    before, _ = await rig.shown()
    proxy.lead_to(forgetful)
    rig.clock.advance(70 * 86400)
    with capture_logs() as logs:
        await rig.settle(lambda: proxy.count("certZ") == 2 and rig.way._issuing.cache.pending is None)
    assert len([line for line in logs if "does not know our account any more" in line["event"]]) == 1
    after, _ = await rig.shown()
    assert after != before
    assert proxy.count("sign-me-up") == 2
    second = rig.way._issuing.cache.accounts[proxy.directory]
    assert second.key != first.key
    assert (rig.way.status.state, rig.way.status.fix) == (TransportState.READY, "")


async def test_an_order_of_a_forgotten_account_is_made_anew(rig: Rig, proxy: Proxy, forgetful: Pebble) -> None:
    proxy.held.add("chalZ")
    rig.begin()
    await rig.settle(lambda: proxy.count("chalZ"))
    await rig.stop()
    proxy.lead_to(forgetful)
    proxy.let_go()
    await rig.again()
    rig.begin()
    await rig.reaches("ready")
    assert proxy.count("sign-me-up") == 2


async def test_an_authority_that_forgets_each_account_is_not_asked_without_end(rig: Rig, proxy: Proxy) -> None:
    proxy.refuse["order-plz"] = refusing("accountDoesNotExist", "who?", status=400)
    rig.begin()
    await rig.settle(lambda: rig.way.status.state is TransportState.FAILING)
    assert (proxy.count("sign-me-up"), proxy.count("order-plz")) == (1, 1), "the account was new"
    assert await rig.next_try() > 30
    await rig.settle(lambda: proxy.count("order-plz") == 3)
    assert await rig.next_try() > 300
    assert proxy.count("sign-me-up") == 2


@pytest.mark.fault(
    "certificates: the authority refuses most nonces", seen="Nothing: each is replaced, and the certificate comes."
)
async def test_a_certificate_though_most_nonces_are_refused(
    authority: Pebble, tmp_path: Path, stack: AsyncExitStack
) -> None:
    (tmp_path / "strict").mkdir()
    strict = stack.enter_context(pebble(tmp_path / "strict", like=authority, nonces_refused=60))
    rig = Rig(strict, tmp_path)
    stack.push_async_callback(rig.close)
    await rig.listen()
    rig.begin()
    await rig.reaches("ready")


async def test_several_refused_nonces_in_a_row(rig: Rig, proxy: Proxy) -> None:
    """Each refusal brings the next nonce (RFC 8555 6.5), which is the one used. The last is Pebble's to refuse."""
    given = [f"bm9uY2UtbnVtYmVyLTA{letter}" for letter in "ABCDEF"]
    proxy.refuse_first["order-plz"] = [
        refusing("badNonce", "no", status=400, headers={"Replay-Nonce": nonce}) for nonce in given
    ]
    rig.begin()
    await rig.reaches("ready")
    assert [nonce for nonce in proxy.nonces if nonce in given] == given


async def test_refusals_that_bring_no_nonce(rig: Rig, proxy: Proxy) -> None:
    proxy.refuse_first["order-plz"] = [refusing("badNonce", "no", status=400)] * 4
    rig.begin()
    await rig.reaches("ready")
    assert proxy.count("order-plz") == 5


async def test_an_authority_that_refuses_all_nonces_is_given_up_for_now(rig: Rig, proxy: Proxy) -> None:
    proxy.refuse["order-plz"] = refusing("badNonce", "no", status=400)
    rig.begin()
    await rig.settle(lambda: rig.way.status.state is TransportState.WAITING)
    assert proxy.count("order-plz") == NONCES
    assert await rig.next_try() >= 10


async def test_an_answer_without_end_is_read_to_a_limit(rig: Rig, proxy: Proxy) -> None:
    proxy.endless.add("dir")
    rig.begin()
    await rig.settle(lambda: rig.way.status.state is TransportState.WAITING)
    assert proxy.count("dir") == 1
    proxy.endless.clear()
    await rig.next_try()
    await rig.reaches("ready")
