"""The doctor over the control port: the same report, and the same errors."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.control import address
from itsjustintv_desktop.engine.control.client import ControlClient
from itsjustintv_desktop.engine.core.errors import NotFoundError
from tests.support.engine import Running, running_engine


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    async with running_engine(tmp_path, secret=None, subscribe=False) as running:
        yield running


@pytest.fixture
async def client(running: Running) -> AsyncIterator[ControlClient]:
    found = address.read(running.paths.control)
    assert found is not None
    async with ControlClient(found) as client:
        yield client


async def test_the_whole_chain(client: ControlClient) -> None:
    report = await client.diagnostics.doctor()
    names = [check.name for check in report.checks]
    assert names[0] == "program"
    assert {"token", "streamer alice", "destination main", "disk"} <= set(names)


async def test_one_streamer_alone(client: ControlClient) -> None:
    names = [check.name for check in (await client.diagnostics.doctor("alice")).checks]
    assert "streamer alice" in names
    with pytest.raises(NotFoundError, match="There are: alice"):
        await client.diagnostics.doctor("mall/ory&local=true")


async def test_this_process_alone(client: ControlClient, running: Running) -> None:
    report = await client.diagnostics.doctor(local=True)
    assert report.ok
    names = [check.name for check in report.checks]
    assert names[:2] == ["program", "public port"]
    assert "token" not in names
    assert report == await running.engine.api.diagnostics.doctor(local=True)
