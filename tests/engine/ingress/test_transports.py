"""What all ways have in common: one status, told once, and a wait that a nudge ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from itsjustintv_desktop.engine.config.active import ActiveConfig
from itsjustintv_desktop.engine.config.schema import Config, Server, Tls, Tunnel, Twitch
from itsjustintv_desktop.engine.core.models import Webhook
from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.engine.ingress.proxy import NullTransport, ProxyTransport
from itsjustintv_desktop.engine.ingress.transports import BaseTransport, TransportState, callback_of, transport_kind
from tests.support.clock import FakeClock
from tests.support.holding import holding
from tests.support.waiting import until


@pytest.fixture
async def tasks() -> AsyncIterator[Tasks]:
    made = Tasks()
    yield made
    await made.stop()


class Changes:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


def test_a_state_is_logged_once_and_told_when_it_changes() -> None:
    clock, changes = FakeClock(), Changes()
    way = BaseTransport(clock, changes)
    assert way.status.state is TransportState.STARTING
    with capture_logs() as logs:
        way._tell(TransportState.WAITING, "offline", "No network.", address="https://a.example", facts={"tries": "1"})
        clock.advance(5)
        since = way.status.since
        way._tell(TransportState.WAITING, "offline", "No network.")
        assert changes.count == 1, "nothing changed the second time"
        way._tell(TransportState.WAITING, "offline", "No network yet.", facts={"tries": "2"})
    assert changes.count == 2
    assert (way.status.since, way.status.address, way.status.facts) == (since, "https://a.example", {"tries": "2"})
    assert [entry["log_level"] for entry in logs] == ["warning"]
    way._tell(TransportState.READY, "ready", "All is well.", address="")
    assert (way.status.since, way.status.address) == (clock.now(), "")


def test_a_target_is_told_once() -> None:
    changes = Changes()
    way = BaseTransport(FakeClock(), changes)
    way._set_target(Webhook("https://a.example/twitch"))
    way._set_target(Webhook("https://a.example/twitch"))
    assert changes.count == 1
    assert way.target == Webhook("https://a.example/twitch")


async def test_a_nudge_ends_the_wait() -> None:
    clock = FakeClock()
    way = BaseTransport(clock, lambda: None)
    way.trigger()
    assert await way._pause(60.0), "one that came before counts as well"
    waiting = asyncio.get_running_loop().create_task(way._pause(60.0))
    await until(lambda: clock.sleeping)
    clock.advance(60.0)
    assert not await waiting


@pytest.mark.parametrize(
    ("config", "kind", "callback"),
    [
        (Config(), "none", ""),
        (Config(twitch=Twitch(transport="conduit"), tunnel=Tunnel(provider="ngrok")), "conduit", ""),
        (Config(tunnel=Tunnel(provider="ngrok"), server=Server(tls=Tls(enabled=True))), "ngrok", ""),
        (Config(server=Server(tls=Tls(enabled=True, domains=("a.example",)), external_domain="b.example")), "tls",
         "https://b.example/twitch"),
        (Config(server=Server(external_domain="b.example")), "own", "https://b.example/twitch"),
        (Config(twitch=Twitch(incoming_webhook_url="https://c.example/in")), "own", "https://c.example/in"),
    ],
)  # fmt: skip
def test_the_config_chooses_one_way(config: Config, kind: str, callback: str) -> None:
    assert transport_kind(config) == kind
    assert callback_of(config) == callback


def test_a_way_that_found_its_own_address_says_so_unless_the_config_knows_better() -> None:
    assert callback_of(Config(server=Server(external_domain="b.example")), "t.example") == "https://t.example/twitch"
    told = Config(twitch=Twitch(incoming_webhook_url="https://c.example/in"))
    assert callback_of(told, "t.example") == "https://c.example/in"


async def test_an_address_somebody_else_keeps_is_ready_at_once(tasks: Tasks) -> None:
    clock, changes = FakeClock(), Changes()
    config = Config(server=Server(external_domain="b.example", port=8081))
    holder = holding(config)
    way = ProxyTransport(clock, changes, config=holder)
    tasks.start("way", way.run())
    await until(lambda: way.status.state is TransportState.READY)
    assert way.target == Webhook("https://b.example/twitch")
    assert way.status.address == "https://b.example/twitch"
    assert "127.0.0.1 port 8081" in way.status.message
    holder.current = ActiveConfig(Config(server=Server(external_domain="c.example")), {})
    way.trigger()
    await until(lambda: way.target == Webhook("https://c.example/twitch"))


async def test_no_address_is_a_named_state_that_says_what_to_do(tasks: Tasks) -> None:
    way = NullTransport(FakeClock(), lambda: None, config=holding())
    tasks.start("way", way.run())
    assert (way.status.state, way.status.code, way.target) == (TransportState.FAILING, "no_address", None)
    assert 'transport = "conduit"' in way.status.fix
    assert "are not noticed" in way.status.message, "nobody can be asked without a client id"
    config = Config(twitch=Twitch(client_id="mine"))
    assert "found by asking" in NullTransport(FakeClock(), lambda: None, config=holding(config)).status.message
