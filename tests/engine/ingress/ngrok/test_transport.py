"""The tunnel comes up, carries Twitch's messages, and is gone when the program ends."""

from __future__ import annotations

import asyncio
import json
import stat
import sys
from pathlib import Path

import aiohttp
import msgspec
import pytest

from itsjustintv_desktop.engine.config.schema import Config, Server, Tunnel, Twitch
from itsjustintv_desktop.engine.core.models import Webhook
from itsjustintv_desktop.engine.ingress.transports import TransportState
from tests.engine.ingress.ngrok.conftest import TOKEN, Rig
from tests.support import signed
from tests.support.public import public_port
from tests.support.waiting import until


async def test_a_signed_message_goes_through_the_tunnel(rig: Rig, tmp_path: Path) -> None:
    async with public_port(tmp_path) as public:
        rig.upstream = public.address
        rig.start()
        await rig.ready()
        target = rig.way.target
        assert isinstance(target, Webhook)
        assert target.callback.startswith("https://localhost:")
        assert target.callback.endswith("/twitch")
        assert rig.way.status.address == target.callback
        message = signed.online(public.now())
        async with (
            aiohttp.ClientSession() as session,
            session.post(
                target.callback,
                data=message.body,
                headers={name: str(value) for name, value in message.headers()},
                ssl=await rig.context(),
            ) as answer,
        ):
            assert answer.status == 204
        (stored,) = await public.stored()
        assert stored.event.message_id == message.id


async def test_what_ngrok_is_asked_for(rig: Rig) -> None:
    rig.config = Config(tunnel=Tunnel(provider="ngrok", domain="mine.ngrok-free.dev", region="eu"))
    rig.upstream = ("0.0.0.0", 8099)
    rig.start()
    await rig.ready()
    (asked,) = rig.seen("asked")
    assert asked.pop("name").startswith("itsjustintv")
    assert asked == {
        "url": "https://mine.ngrok-free.dev",
        "upstream": {"url": "http://127.0.0.1:8099", "protocol": "http1"},
        "inspect": False,
    }
    assert "connect.eu.ngrok-agent.com:443" in rig.seen("settings")[0]
    assert isinstance(rig.way.target, Webhook)
    assert rig.way.target.callback.startswith("https://mine.ngrok-free.dev:")
    await rig.passes(lambda: rig.way.status.facts.get("region") == "eu", most=30)
    assert rig.way.status.facts == {"local_address": "0.0.0.0:8099", "agent": "3.39.8", "region": "eu"}


async def test_the_agent_is_given_the_proxy_in_its_private_file_alone(rig: Rig) -> None:
    rig.environ |= {"HTTPS_PROXY": "http://stale.example:1", "http_proxy": "http://stale.example:1", "NO_PROXY": "*"}
    rig.outbound.proxies.configure("http://ada:s3cret-pw@proxy.example:3128")
    rig.script(session="dial")
    rig.start()
    await rig.state("offline")
    (process,) = rig.running()
    assert "s3cret-pw" not in " ".join(process.cmdline()) + json.dumps(process.environ())
    assert not [name for name in process.environ() if name.lower().endswith("_proxy")]
    assert 'proxy_url: "http://ada:s3cret-pw@proxy.example:3128"' in rig.seen("settings")[0]
    rig.outbound.proxies.configure("direct")
    rig.script()
    await rig.ready()
    assert "proxy_url" not in rig.seen("settings")[-1]


async def test_without_a_domain_ngrok_chooses_one_and_an_ipv6_address_is_written_right(rig: Rig) -> None:
    rig.upstream = ("::", 8099)
    rig.start()
    await rig.ready()
    (asked,) = rig.seen("asked")
    assert (asked["url"], asked["upstream"]["url"]) == ("https://", "http://[::1]:8099")
    assert "connect_url" not in rig.seen("settings")[0]


async def test_an_address_in_the_config_wins(rig: Rig) -> None:
    rig.config = Config(
        tunnel=Tunnel(provider="ngrok"), twitch=Twitch(incoming_webhook_url="https://a.example/in"), server=Server()
    )
    rig.start()
    await rig.ready()
    assert rig.way.target == Webhook("https://a.example/in")


async def test_the_token_is_nowhere_but_in_a_private_file_while_it_starts(rig: Rig) -> None:
    rig.script(session="dial")
    rig.start()
    await rig.state("offline")
    (process,) = rig.running()
    assert TOKEN not in " ".join(process.cmdline())
    assert TOKEN not in json.dumps(process.environ())
    assert not [name for name in process.environ() if name.startswith(("ITSJUSTINTV_", "NGROK_"))]
    (modes,) = rig.seen("modes")
    assert modes == [0o600, 0o700]
    assert TOKEN in rig.seen("settings")[0]
    rig.script()
    await rig.ready()
    held = [path for path in rig.folder.rglob("*") if path.is_file()]
    assert [path.name for path in held] == ["agent.json"]
    assert all(TOKEN.encode() not in path.read_bytes() for path in held)
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in held)


async def test_its_local_api_keeps_no_requests_and_nobody_else_steers_it(rig: Rig) -> None:
    rig.start()
    await rig.ready()
    settings = rig.seen("settings")[0]
    for line in ("inspect_db_size: -1", "remote_management: false", "update_check: false", 'web_addr: "127.0.0.1:'):
        assert line in settings


@pytest.mark.parametrize("stubborn", [False, pytest.param(True, marks=pytest.mark.slow)])
async def test_the_end_leaves_nothing(rig: Rig, stubborn: bool) -> None:
    rig.script(stubborn=stubborn)
    rig.start()
    await rig.ready()
    (process,) = rig.running()
    begun = asyncio.get_running_loop().time()
    await rig.stop()
    assert asyncio.get_running_loop().time() - begun < 5.0
    assert not process.is_running() or process.status() == "zombie"
    assert rig.seen("removed"), "the address was given back"
    assert [path for path in rig.folder.rglob("*") if path.is_file()] == []
    await rig.way.close()


async def test_the_end_comes_in_time_while_the_agent_is_mute(rig: Rig) -> None:
    rig.start()
    await rig.ready()
    rig.script(mute=True)
    begun = asyncio.get_running_loop().time()
    await rig.stop()
    assert asyncio.get_running_loop().time() - begun < 5.0
    await until(lambda: rig.running() == [])


async def test_the_end_while_it_starts(rig: Rig) -> None:
    rig.script(silent=True)
    rig.start()
    await until(lambda: rig.seen("pid"))
    await rig.stop()
    assert rig.running() == []
    assert [path for path in rig.folder.rglob("*") if path.is_file()] == []


async def test_looks_from_outside_are_few(rig: Rig, tmp_path: Path) -> None:
    async with public_port(tmp_path) as public:
        asked = 0
        judge = public.server._health

        def count() -> object:
            nonlocal asked
            asked += 1
            return judge()

        public.server._health = count  # type: ignore[method-assign, assignment]
        rig.upstream = public.address
        rig.start()
        await rig.ready()
        await rig.passes(lambda: asked == 1, most=20)
        for _ in range(20):
            rig.way.trigger()
            await rig.passed(10)
        assert asked == 1, "a person who asks often does not spend the allowance"
        await rig.passes(lambda: asked == 2, most=4000)
        assert rig.way.status.code == "ready"


async def test_a_state_is_complete(rig: Rig) -> None:
    rig.start()
    await rig.ready()
    status = rig.way.status
    assert (status.kind, status.state, status.fix) == ("ngrok", TransportState.READY, "")
    assert status.address in status.message
    assert msgspec.json.decode(msgspec.json.encode(status), type=type(status)) == status
    assert rig.codes() == ["ready"]


def test_other_ways_do_not_pay_for_it() -> None:
    import subprocess

    code = (
        "import sys, itsjustintv_desktop.engine.ingress.ngrok\n"
        "print(sorted({'pyngrok', 'psutil', 'yaml', 'truststore'} & {name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50, check=True)
    assert done.stdout.strip() == "[]"
