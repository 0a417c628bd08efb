"""What one fault makes several checks say stands in the first of them; the others point to it."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from itsjustintv_desktop.engine.monitoring.doctor.check import Check

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
