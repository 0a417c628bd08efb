"""A certificate from a real authority, by both challenges."""

from __future__ import annotations

import contextlib
import io
import stat
import subprocess
import sys
from contextlib import AsyncExitStack

import pytest

from itsjustintv_desktop.engine.core.models import Webhook
from itsjustintv_desktop.engine.ingress.transports import TransportState
from tests.engine.ingress.acme.rig import Proxy, Rig
from tests.support import rawhttp


@pytest.mark.parametrize("challenge", ["tls-alpn-01", "http-01"])
async def test_a_certificate_is_had_and_served_and_only_then_is_twitch_told(rig: Rig, challenge: str) -> None:
    rig.change(challenge=challenge)
    before, _ = await rig.shown()
    rig.begin()
    await rig.reaches("ready")
    assert rig.way.target == Webhook(f"https://{rig.name}/twitch")
    status = rig.way.status
    assert status.state is TransportState.READY
    assert status.address == f"https://{rig.name}/twitch"
    assert set(status.facts) == {"authority", "certificate_names", "certificate_until", "next_renewal"}
    assert status.facts["authority"] == "127.0.0.1"
    assert status.facts["certificate_names"] == rig.name
    now, _ = await rig.shown()
    assert now != before
    assert "Pebble" in now.issuer.rfc4514_string()
    for name in ("cert.pem", "key.pem", "acme_cache.json"):
        assert stat.S_IMODE((rig.folder / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(rig.folder.stat().st_mode) == 0o700


async def test_several_names_are_all_proven(rig: Rig) -> None:
    names = (rig.name, f"b.{rig.name}", f"c.{rig.name}")
    rig.change(domains=names)
    rig.begin()
    await rig.reaches("ready")
    assert rig.way.target == Webhook(f"https://{names[0]}/twitch")
    assert set(rig.way.status.facts["certificate_names"].split(", ")) == set(names)


async def test_the_plain_port_is_open_only_while_the_authority_looks(rig: Rig, stack: AsyncExitStack) -> None:
    proxy = await stack.enter_async_context(Proxy(rig.authority))
    rig.change(challenge="http-01", directory_url=proxy.directory)
    address = ("127.0.0.1", rig.authority.http_port)
    proxy.held.add("chalZ")
    rig.begin()
    await rig.settle(lambda: proxy.count("chalZ"))
    assert (await rawhttp.ask(address, rawhttp.request("GET", "/twitch"))).status == 404
    proxy.let_go()
    await rig.reaches("ready")
    with pytest.raises(ConnectionError):
        await rawhttp.ask(address, rawhttp.request("GET", "/"))


async def test_nothing_secret_is_logged_or_shown(rig: Rig) -> None:
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        rig.begin()
        await rig.reaches("ready")
    pair, cache = rig.way._pair, rig.way._issuing.cache
    assert pair is not None
    told = f"{output.getvalue()} {rig.way.status!r} {pair!r} {cache!r}"
    account = cache.accounts[rig.authority.directory]
    for secret in (account.key["d"], pair.key_pem.decode().splitlines()[1]):
        assert secret not in told


def test_the_heavy_libraries_wait_until_a_certificate_is_needed() -> None:
    program = (
        "import sys; import itsjustintv_desktop.engine.ingress.acme; "
        "print([name for name in ('acme', 'josepy', 'requests') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
