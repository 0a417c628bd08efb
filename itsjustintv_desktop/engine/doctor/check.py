"""One link of the chain, and all of them as a report (the contract of `doctor --json`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec


class CheckState(StrEnum):
    GREEN = "green"
    AMBER = "amber"
    """It works, or mends itself, or cannot be told: worth a look."""
    RED = "red"
    """While this stays, the next stream is not announced, or not to everybody."""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """`message` is a sentence for a person; `fix` says what to do, "" where nothing needs doing."""

    name: str
    state: CheckState
    message: str
    fix: str = ""


class Unsettled(Check, frozen=True, kw_only=True):
    """Amber only because the program began a moment ago and is not there yet: nothing to worry about. The same to
    programs that read a report; a screen says it calmly, and looks again soon."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """`ok`: nothing is red. The checks stand in the order of the chain."""

    ok: bool
    checks: tuple[Check, ...]


def green(name: str, message: str) -> Check:
    return Check(name=name, state=CheckState.GREEN, message=message)


def amber(name: str, message: str, fix: str = "") -> Check:
    return Check(name=name, state=CheckState.AMBER, message=message, fix=fix)


def unsettled(name: str, message: str, fix: str = "") -> Check:
    return Unsettled(name=name, state=CheckState.AMBER, message=message, fix=fix)


def red(name: str, message: str, fix: str = "") -> Check:
    return Check(name=name, state=CheckState.RED, message=message, fix=fix)


def worst(found: Sequence[Check]) -> Check:
    """The first of the worst ones; there must be at least one."""
    order = (CheckState.RED, CheckState.AMBER, CheckState.GREEN)
    return min(found, key=lambda check: order.index(check.state))


def report_of(checks: Iterable[Check]) -> Report:
    every = tuple(checks)
    return Report(ok=all(check.state is not CheckState.RED for check in every), checks=every)
