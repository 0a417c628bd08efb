"""A collector behind https is verified, against the system's store or the file the standard variable names."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.authority import Authority
from tests.support.collector import collector
from tests.support.engine import ONE_STREAMER, running_engine
from tests.support.waiting import until


@pytest.mark.parametrize("known", ["to nobody", "to the system", "by the variable"])
async def test_a_collector_has_to_show_a_certificate_that_is_known(
    tmp_path: Path, known: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path, "authority")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    if known == "to the system":
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    elif known == "by the variable":
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", str(authority.file))
    async with (
        collector("http", authority.server("127.0.0.1")) as collected,
        running_engine(tmp_path, collected.config("http") + ONE_STREAMER) as running,
    ):
        await running.simulator.go_live("alice")
        if known == "to nobody":
            await until(lambda: running.engine.telemetry.health().level == "waiting")
            assert collected.headers == []
        else:
            await collected.wait("attempt")
            assert collected.url.startswith("https://")
