"""Hostile input as a table: the right answer or a close, nothing stored, and the next message is taken."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from itsjustintv_desktop.engine.ingress.places import Limits
from tests.engine.ingress.hostile import bodies, framing, signatures
from tests.engine.ingress.hostile.table import Cases, assert_clean, fault_of, run
from tests.support import signed
from tests.support.public import PublicRig, public_port

pytestmark = [pytest.mark.slow, pytest.mark.hostile]  # slow: alone, since some wait for a close

Record = Callable[[str, object], None]
"""Of pytest: how many bad inputs were refused goes to the scoreboard."""

TABLES: dict[str, Cases] = {
    "signatures": signatures.SIGNATURES,
    "timestamps": signatures.TIMESTAMPS,
    "types": signatures.TYPES,
    "bodies": bodies.BODIES,
    "framing": framing.FRAMING,
    "protocols": framing.PROTOCOLS,
    "versions": framing.VERSIONS,
    "targets": framing.TARGETS,
    "large": framing.LARGE,
}


def test_there_are_at_least_150() -> None:
    assert sum(map(len, TABLES.values())) >= 150


@pytest.mark.parametrize("name", TABLES)
async def test_it_is_refused_and_the_next_is_taken(
    port: PublicRig, name: str, caplog: pytest.LogCaptureFixture, record_property: Record
) -> None:
    await run(port, TABLES[name], caplog)
    record_property("bad_inputs", len(TABLES[name]))


async def test_what_is_never_finished_is_closed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, record_property: Record
) -> None:
    """All at once, as each of them waits for its deadline."""
    caplog.set_level(logging.DEBUG)
    table = framing.UNFINISHED
    async with public_port(tmp_path, Limits(headers=0.8, body=0.8, sweep=0.05)) as port:
        with capture_logs() as logs:
            faults = await asyncio.gather(*(fault_of(port, case) for case in table.values()))
            assert {name: fault for name, fault in zip(table, faults, strict=True) if fault} == {}
        assert await port.stored() == []
        assert_clean(logs, caplog)
        assert (await port.post(signed.online(port.now()))).status == 204
    record_property("bad_inputs", len(table))
