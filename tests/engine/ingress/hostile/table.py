"""The shape of one hostile request, and how a table of them is run against the server."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.support import rawhttp, signed
from tests.support.public import PublicRig

CLOSED = 0
"""In the place of a status: the connection was closed without an answer."""

CHALLENGE = "challenge-that-no-log-may-hold"


@dataclass(frozen=True)
class Case:
    """What is sent, made for the server's time in Unix seconds, and the statuses that are right."""

    make: Callable[[float], bytes]
    right: frozenset[int]


Cases = dict[str, Case]


def cases(right: set[int], made: Mapping[str, Callable[[float], bytes]]) -> Cases:
    return {name: Case(make, frozenset(right)) for name, make in made.items()}


def fixed(right: set[int], data: Mapping[str, bytes]) -> Cases:
    """Cases that do not depend on the time."""
    return cases(right, {name: partial(_same, raw) for name, raw in data.items()})


def _same(data: bytes, _now: float) -> bytes:
    return data


async def first_answer(port: PublicRig, data: bytes, *, timeout: float = 10.0) -> rawhttp.Answer | None:
    """The first answer to `data` sent on a connection of its own; None: closed. Raises TimeoutError."""
    try:
        return await port.ask(data, timeout=timeout)
    except ConnectionError:
        return None


async def fault_of(port: PublicRig, case: Case) -> str:
    """What is wrong with the server's reaction to one case; empty: nothing."""
    try:
        answer = await first_answer(port, case.make(port.now()))
    except TimeoutError:
        return "no answer and not closed"
    status = answer.status if answer else CLOSED
    if status not in case.right:
        return f"answered {status}, not one of {sorted(case.right)}"
    if answer and answer.body:
        return f"answered with a body: {answer.body[:40]!r}"
    if answer and answer.header("server") != "itsjustintv":
        return "names another server"
    return ""


async def run(port: PublicRig, table: Cases, caplog: pytest.LogCaptureFixture) -> None:
    """Every case, a good message after each: only those good ones are stored, and the log stays clean."""
    caplog.set_level(logging.DEBUG)
    faults: dict[str, str] = {}
    good: list[str] = []
    with capture_logs() as logs:
        for name, case in table.items():
            if fault := await fault_of(port, case):
                faults[name] = fault
            message = signed.online(port.now())
            if (await port.post(message)).status != 204:
                faults[name] = f"a good message afterwards was not taken; {faults.get(name, '')}"
            good.append(message.id)
            stored = {record.event.message_id for record in await port.ledger.events(limit=3)}
            if not stored <= set(good):
                faults[name] = "it was stored"
                break
    stored = {record.event.message_id for record in await port.ledger.events()}
    assert stored <= set(good)
    assert not faults, "\n".join(f"{name}: {fault}" for name, fault in faults.items())
    assert_clean(logs, caplog)


def assert_clean(logs: Sequence[Mapping[str, Any]], caplog: pytest.LogCaptureFixture) -> None:
    """No error and no traceback, and nothing secret in any line (security checklist)."""
    wrong = [entry for entry in logs if _is_trouble(entry)]
    assert not wrong, wrong
    assert not [record for record in caplog.records if record.exc_info or record.levelno >= logging.ERROR]
    text = repr(logs) + "".join(record.getMessage() for record in caplog.records)
    for secret in (signed.SECRET, "sha256=", CHALLENGE):
        assert secret not in text


def _is_trouble(entry: Mapping[str, Any]) -> bool:
    return entry["log_level"] in {"error", "critical"} or "exc_info" in entry
