"""`--local`: only what this process itself can tell, quickly."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.ingress.acme.sni_server import SniServer
from itsjustintv_desktop.engine.ingress.places import Limits
from itsjustintv_desktop.engine.monitoring.doctor.doctor import of_part, public_port
from tests.support.engine import Running, running_engine
from tests.support.ports import free_port
from tests.support.public import PublicRig


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    async with running_engine(tmp_path, secret=None, subscribe=False) as running:
        yield running


async def test_a_healthy_program(running: Running) -> None:
    begun = time.monotonic()
    report = await running.engine.api.diagnostics.doctor(local=True)
    assert time.monotonic() - begun < 1.0
    assert report.ok
    checks = {check.name: check for check in report.checks}
    assert checks["program"].state.value == "green"
    assert checks["public port"].message.startswith("It answers at 127.0.0.1 port ")
    assert checks["ledger"].state.value == "green"
    assert checks["way"].state.value == "amber"  # it has no address, which a restart would not change
    assert "no address" in checks["way"].message


async def test_nothing_outside_is_asked(tmp_path: Path) -> None:
    nothing_by_itself = {"ITSJUSTINTV_TWITCH_CLIENT_ID": ""}
    async with running_engine(tmp_path, secret=None, subscribe=False, environ=nothing_by_itself) as running:
        assert (await running.engine.api.diagnostics.doctor(local=True)).ok
        assert not running.simulator.calls
        assert not running.simulator.other_calls
        assert not running.simulator.receiver.received()


async def test_a_program_that_is_not_well(running: Running) -> None:
    running.engine.supervisor.broken["announce.pipeline"] = "ValueError"
    report = await running.engine.api.diagnostics.doctor(local=True)
    assert not report.ok
    checks = {check.name: check for check in report.checks}
    assert checks["public port"].state.value == "red"
    assert "not well" in checks["public port"].message
    assert "ValueError" in checks["announce.pipeline"].message


async def test_the_public_port_is_gone() -> None:
    check = await public_port(("127.0.0.1", free_port()), secure=False)
    assert check.state.value == "red"
    assert "the connection was refused" in check.message


async def test_the_public_port_speaks_tls_without_a_certificate_yet(tmp_path: Path) -> None:
    rig = PublicRig(tmp_path, Limits())
    await rig.ledger.open()
    try:
        _, port = await rig.server.start("0.0.0.0", 0, SniServer().context)
        check = await public_port(("0.0.0.0", port), secure=True)
        assert (check.state.value, check.message) == ("green", f"It answers at 127.0.0.1 port {port}.")
        rig.healthy = False
        assert (await public_port(("0.0.0.0", port), secure=True)).state.value == "red"
        assert (await public_port(("0.0.0.0", port), secure=False)).state.value == "red"
    finally:
        await rig.stop()


@pytest.mark.parametrize(
    ("name", "status", "expected"),
    [
        ("ledger", "ok", "green"),
        ("ledger", "failing", "red"),
        ("deliveries", "failing", "red"),
        ("announce", "failing", "red"),
        ("disk", "failing", "amber"),
        ("way", "failing", "amber"),
        ("twitch", "waiting", "amber"),
    ],
)
def test_only_what_a_restart_may_mend_is_red(name: str, status: str, expected: str) -> None:
    check = of_part(name, {"status": status, "since": 0.0, "reason": "why"})
    assert (check.name, check.state.value, check.message) == (name, expected, "why")
