"""A collector that is not local is reached through the proxy of the program, and through no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.collector import PROTOCOLS, collector
from tests.support.engine import ONE_STREAMER, running_engine
from tests.support.proxy import forward_proxy
from tests.support.waiting import until


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_collector_behind_a_proxy(tmp_path: Path, protocol: str) -> None:
    async with forward_proxy("ada", "s3cret") as proxy, collector(protocol) as collected:
        collected.url = collected.url.replace("127.0.0.1", "collector.example")
        config = f'[network]\nproxy = "{proxy.url}"\n' + collected.config(protocol) + ONE_STREAMER
        async with running_engine(tmp_path, config) as running:
            await running.simulator.go_live("alice")
            await collected.wait("attempt")
        assert any("collector.example" in line for line in proxy.asked)


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_variables_that_the_config_overrides_lead_nowhere(
    tmp_path: Path, protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with forward_proxy() as stale, collector(protocol) as collected:
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "grpc_proxy"):
            monkeypatch.setenv(name, stale.url)
        config = '[network]\nproxy = "direct"\n'
        collected.url = collected.url.replace("127.0.0.1", "localhost")
        async with running_engine(tmp_path, config + collected.config(protocol) + ONE_STREAMER) as running:
            await running.simulator.go_live("alice")
            await collected.wait("attempt")
        assert stale.asked == []


async def test_another_proxy_counts_from_the_reload_on(tmp_path: Path) -> None:
    async with forward_proxy() as proxy, collector("http") as collected:
        collected.url = collected.url.replace("127.0.0.1", "collector.example")
        wanted = collected.config("http") + ONE_STREAMER
        async with running_engine(tmp_path, '[network]\nproxy = "direct"\n' + wanted, logins=("alice",)) as running:
            await until(lambda: running.engine.telemetry.active)
            running.paths.config.write_text(running.paths.config.read_text().replace('"direct"', f'"{proxy.url}"'))
            running.engine.reload.trigger()
            await until(lambda: running.engine.telemetry._running and running.engine.telemetry._running.proxies)
            await until(lambda: running.engine.telemetry.active)
            await running.simulator.go_live("alice")
            await collected.wait("attempt")
