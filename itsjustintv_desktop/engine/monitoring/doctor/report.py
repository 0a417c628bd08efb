"""Checks, and all of them as a report (the contract of `doctor --json`). What one fault makes several of them say
stands in the first; the others point to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum

import msgspec

from itsjustintv_desktop.engine.core.status import Level, OverallStatus, RowStatus


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

    @property
    def level(self) -> Level:
        return _LEVELS[self.state]


class Unsettled(Check, frozen=True, kw_only=True):
    """Amber only because the program began a moment ago and is not there yet: nothing to worry about. The same to
    programs that read a report; a screen says it calmly."""

    @property
    def level(self) -> Level:
        return Level.STARTING


class Chosen(Check, frozen=True, kw_only=True):
    """Not green only because a person switched it off or paused it. The same to programs; a screen says it calmly."""

    @property
    def level(self) -> Level:
        return Level.PAUSED


class Mitigated(Check, frozen=True, kw_only=True):
    """Red to programs, but streams are announced all the same: late, or without some details."""

    @property
    def level(self) -> Level:
        return Level.ATTENTION


class Report(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`ok`: nothing is red. The checks stand in the order of the chain."""

    ok: bool
    checks: tuple[Check, ...]
    summary: OverallStatus | None = None
    """The answer in a sentence; not part of `doctor --json`."""
    chosen: tuple[str, ...] = ()
    """Names of the checks that are not green only because a person wants it so; not part of `doctor --json`."""


_LEVELS = {CheckState.GREEN: Level.OK, CheckState.AMBER: Level.ATTENTION, CheckState.RED: Level.FAILING}


def green(name: str, message: str) -> Check:
    return Check(name=name, state=CheckState.GREEN, message=message)


def amber(name: str, message: str, fix: str = "") -> Check:
    return Check(name=name, state=CheckState.AMBER, message=message, fix=fix)


def unsettled(name: str, message: str, fix: str = "") -> Check:
    return Unsettled(name=name, state=CheckState.AMBER, message=message, fix=fix)


def chosen(name: str, message: str, fix: str = "") -> Check:
    return Chosen(name=name, state=CheckState.AMBER, message=message, fix=fix)


def red(name: str, message: str, fix: str = "") -> Check:
    return Check(name=name, state=CheckState.RED, message=message, fix=fix)


def mitigated(name: str, message: str, fix: str = "") -> Check:
    return Mitigated(name=name, state=CheckState.RED, message=message, fix=fix)


def of_row(name: str, row: RowStatus) -> Check:
    """What is said of a streamer or destination, as a link of the chain."""
    make = {
        Level.STARTING: unsettled,
        Level.OFF: chosen,
        Level.PAUSED: chosen,
        Level.ATTENTION: amber,
        Level.FAILING: red,
    }.get(row.level)
    return green(name, row.reason) if make is None else make(name, row.reason, row.fix)


def report_of(checks: Iterable[Check]) -> Report:
    every = tuple(checks)
    return Report(
        ok=all(check.state is not CheckState.RED for check in every),
        checks=every,
        chosen=tuple(check.name for check in every if isinstance(check, Chosen)),
    )


_END = re.compile(r"(?<=[.!?]) +(?=\S)")
_OF_MANY = ("streamer ", "destination ")
"""What these say among themselves stays: each is about one of many."""
_LEAST = 20
"""Letters: what is shorter is a turn of phrase."""


def once(checks: Iterable[Check]) -> list[Check]:
    """The same checks without what an earlier one said in the same words. No message is left empty."""
    said: dict[str, str] = {}
    found: list[Check] = []
    for check in checks:
        own = {_plain(sentence) for sentence in _END.split(check.message)}
        fix = " ".join(each for each in _END.split(check.fix) if _plain(each) not in said.keys() | own)
        found.append(msgspec.structs.replace(check, message=_message(check.message, said), fix=fix))
        if not check.name.startswith(_OF_MANY):
            for sentence in [*_END.split(check.message), *_END.split(check.fix)]:
                for part in (sentence, sentence.partition(": ")[2]):
                    if len(part) >= _LEAST:
                        said.setdefault(_plain(part), check.name)
    return found


def _message(text: str, said: dict[str, str]) -> str:
    """Each run of known sentences becomes one pointer, and so does what is known after a colon."""
    parts: list[str] = []
    pointed: set[str] = set()
    for sentence in _END.split(text):
        begin, _, rest = sentence.partition(": ")
        if (name := said.get(_plain(rest))) is not None:
            parts.append(f'{begin}: see "{name}" above.')
            pointed.add(name)
        elif (name := said.get(_plain(sentence))) is None:
            parts.append(sentence)
        elif name not in pointed:
            parts.append(f'See "{name}" above.')
            pointed.add(name)
    return " ".join(dict.fromkeys(parts))


def _plain(sentence: str) -> str:
    return sentence.rstrip(".!?").casefold()
