"""What a start finds on disk, whatever the last one was doing when it ended."""

from __future__ import annotations

import shutil
from contextlib import AsyncExitStack

import pytest
from structlog.testing import capture_logs

from itsjustintv_desktop.engine.core.models import Webhook
from itsjustintv_desktop.engine.ingress.acme.store import self_signed
from itsjustintv_desktop.engine.ingress.transports import TransportState
from tests.engine.ingress.acme.rig import Proxy, Rig, refusing
from tests.support.waiting import until


async def test_a_good_certificate_is_used_at_once_though_the_authority_is_down(rig: Rig, stack: AsyncExitStack) -> None:
    proxy = await stack.enter_async_context(Proxy(rig.authority))
    rig.change(directory_url=proxy.directory)
    rig.begin()
    await rig.reaches("ready")
    asked = len(proxy.asked)
    first, _ = await rig.shown()
    proxy.refuse["dir"] = refusing("serverInternal", "down", status=503)
    await rig.again()
    rig.begin()
    await rig.reaches("ready")
    assert rig.way.target == Webhook(f"https://{rig.name}/twitch")
    assert (await rig.shown())[0] == first
    assert len(proxy.asked) == asked, "nobody had to be asked"


async def test_down_at_the_start_with_a_renewal_due(rig: Rig, stack: AsyncExitStack) -> None:
    proxy = await stack.enter_async_context(Proxy(rig.authority))
    rig.change(directory_url=proxy.directory)
    rig.begin()
    await rig.reaches("ready")
    proxy.refuse["dir"] = refusing("serverInternal", "down", status=503)
    rig.clock.advance(70 * 86400)
    await rig.again()
    rig.begin()
    await rig.settle(lambda: "renewal_problem" in rig.way.status.facts)
    assert rig.way.status.state is TransportState.READY
    assert rig.way.target is not None


async def test_an_order_goes_on_where_the_program_was_stopped(rig: Rig, stack: AsyncExitStack) -> None:
    """Stopped after the authority issued it and before we had it: it is fetched, not ordered again."""
    proxy = await stack.enter_async_context(Proxy(rig.authority))
    rig.change(directory_url=proxy.directory)
    proxy.held.add("certZ")
    rig.begin()
    await rig.settle(lambda: proxy.count("certZ"))
    await rig.again()
    proxy.let_go()
    rig.begin()
    await rig.reaches("ready")
    assert proxy.count("order-plz") == 1
    assert proxy.count("finalize-order") == 1
    assert proxy.count("sign-me-up") == 1, "the account is kept too"


async def test_stopped_while_the_authority_looks(rig: Rig, stack: AsyncExitStack) -> None:
    proxy = await stack.enter_async_context(Proxy(rig.authority))
    rig.change(directory_url=proxy.directory)
    proxy.held.add("chalZ")
    rig.begin()
    await rig.settle(lambda: proxy.count("chalZ"))
    await rig.again()
    proxy.held.clear()  # what the first one asked never arrived
    rig.begin()
    await rig.reaches("ready")
    assert proxy.count("order-plz") == 1
    proxy.let_go()


async def test_an_order_the_authority_forgot_is_made_anew(rig: Rig, stack: AsyncExitStack) -> None:
    proxy = await stack.enter_async_context(Proxy(rig.authority))
    rig.change(directory_url=proxy.directory)
    proxy.held.add("chalZ")
    rig.begin()
    await rig.settle(lambda: proxy.count("chalZ"))
    await rig.again()
    proxy.let_go()
    proxy.refuse_first["my-order"] = [refusing("malformed", "no such order", status=404)]
    rig.begin()
    await rig.reaches("ready")
    assert proxy.count("order-plz") == 2


@pytest.mark.fault(
    "certificates: their files are deleted while it runs",
    seen="Nothing: they are written again within an hour, with the same certificate and account.",
)
async def test_files_that_are_deleted_while_it_runs_are_written_again(rig: Rig) -> None:
    """Else the next start would order another certificate, with another account."""
    rig.begin()
    await rig.reaches("ready")
    await rig.settle(lambda: (rig.folder / "acme_cache.json").exists())
    names = ("cert.pem", "key.pem", "acme_cache.json")
    before = {name: (rig.folder / name).read_bytes() for name in names}
    shutil.rmtree(rig.folder)
    await rig.next_try()
    await rig.settle(lambda: all((rig.folder / name).exists() for name in names))
    assert {name: (rig.folder / name).read_bytes() for name in names} == before


async def test_stopping_does_not_wait_for_a_silent_authority(rig: Rig, stack: AsyncExitStack) -> None:
    proxy = await stack.enter_async_context(Proxy(rig.authority))
    rig.change(directory_url=proxy.directory)
    proxy.held.add("dir")
    rig.begin()
    await rig.settle(lambda: proxy.count("dir"))
    running = rig._running
    assert running is not None
    running.cancel()
    await until(running.done, timeout=5.0)
    proxy.let_go()


async def test_a_crash_between_the_two_files_leaves_a_pair_that_fits(rig: Rig, stack: AsyncExitStack) -> None:
    proxy = await stack.enter_async_context(Proxy(rig.authority))
    rig.change(directory_url=proxy.directory)
    rig.folder.mkdir()
    (rig.folder / "key.pem").mkdir()  # the second step fails, as a crash before it would
    (rig.folder / "key.pem" / "x").touch()
    proxy.held.add("certZ")
    rig.begin()
    await until(lambda: rig.way.status.code == "disk")
    (rig.folder / "key.pem" / "x").unlink()
    (rig.folder / "key.pem").rmdir()
    await rig.next_try()
    await rig.settle(lambda: proxy.count("certZ"))
    (rig.folder / "key.pem").mkdir()
    proxy.let_go()
    await rig.settle(lambda: "renewal_problem" in rig.way.status.facts)
    (rig.folder / "key.pem").rmdir()
    (rig.folder / "key.pem").write_bytes(self_signed([rig.name]).key_pem)
    proxy.refuse["dir"] = refusing("serverInternal", "down", status=503)  # what is on disk has to do
    await rig.again()
    rig.begin()
    await rig.reaches("ready")
    assert proxy.count("order-plz") == 1, "nothing was lost"
    assert rig.way._pair is not None
    assert (rig.folder / "key.pem").read_bytes() == rig.way._pair.key_pem


async def test_damaged_files_are_put_aside_and_it_begins_anew(rig: Rig) -> None:
    rig.folder.mkdir()
    (rig.folder / "acme_cache.json").write_text('{"accounts": [')
    (rig.folder / "cert.pem").write_text("no certificate")
    (rig.folder / "key.pem").write_text("no key")
    rig.begin()
    with capture_logs() as logs:
        await rig.reaches("ready")
    assert (rig.folder / "acme_cache.json.damaged").exists()
    assert {entry["log_level"] for entry in logs} == {"info", "warning"}


async def test_an_expired_certificate_on_disk_is_told_while_no_new_one_comes(rig: Rig, stack: AsyncExitStack) -> None:
    proxy = await stack.enter_async_context(Proxy(rig.authority))
    rig.change(directory_url=proxy.directory)
    rig.begin()
    await rig.reaches("ready")
    rig.clock.advance(100 * 86400)
    proxy.refuse["dir"] = refusing("serverInternal", "down", status=503)
    await rig.again()
    rig.begin()
    await rig.reaches("expired")
    assert rig.way.target is None
