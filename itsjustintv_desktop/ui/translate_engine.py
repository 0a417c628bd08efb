"""What the engine says, in the person's language.

The engine speaks English: its sentences go into the log, the ledger and the control port, and are read again years
later. As with gettext the English sentence is what a translation is found by: a catalogue maps sentences, with `{}` for
what they are filled with, to another language ("Given up after {} attempts", or {1} {0} where the order is another).
A test holds every key against the source of the engine, so that a reworded sentence is noticed. What has no
translation stays English. English has a small catalogue, too: where a sentence names a command, the screen names
the button.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property, lru_cache
from itertools import pairwise

_HOLE = re.compile(r"\{(\d*)\}")
_ENDS = re.compile(r"(?<=[.!?]) (?=\S)")
_COUNT = re.compile(r"\{\} \w+")
"""Counts and times ("{} hours"): with so little fixed text, the rest must be a number."""
_NUMBER = r"(\d.*?)"
_MANY = "(.*?)"
"""After a colon: whatever else is quoted."""
_ONE = r"((?:(?![.!?] ).)*?)"
"""Not beyond the end of a sentence."""
_DEEP = 4
"""Sentences within sentences ("Twitch could not be asked: ...")."""
_KEPT = 4096


class Sentences:
    """`say` gives the translation of whatever the engine said, in whole or in those sentences that are known."""

    def __init__(self, catalogue: Mapping[str, str]) -> None:
        catalogue = {**_apart(catalogue), **catalogue}
        self._fixed = {text: said for text, said in catalogue.items() if "{}" not in text}
        with_holes = [_Template(text, said) for text, said in catalogue.items() if "{}" in text]
        self._templates = sorted(with_holes, key=lambda each: each.weight, reverse=True)
        self.say = lru_cache(_KEPT)(self._say)

    def _say(self, text: str) -> str:
        return self._find(text, 0) or text

    def _find(self, text: str, depth: int) -> str:
        """The translation, "" where nothing of it is known."""
        whole = self._whole(text, depth)
        if whole or depth > _DEEP:
            return whole
        parts = _ENDS.split(text)
        if len(parts) > 1:
            return _joined(" ", ((part, self._find(part, depth + 1)) for part in parts))
        end = text[-1:] if text.endswith((".", "!", "?")) else ""
        bare = text.removesuffix(end)
        clauses = bare.split("; ")
        if not end and len(clauses) < 2:
            return ""
        found = _joined("; ", ((clause, self._whole(clause, depth)) for clause in clauses))
        return found and found + end

    def _whole(self, text: str, depth: int) -> str:
        return self._known(text, depth) or self._begun(text, depth)

    def _begun(self, text: str, depth: int) -> str:
        """A fragment ("it must be a number") that was made a sentence: it begins with a capital."""
        if " " not in text or not text[0].isupper():
            return ""
        found = self._known(text[0].lower() + text[1:], depth)
        return found[:1].upper() + found[1:]

    def _known(self, text: str, depth: int) -> str:
        # A lone word in a hole may be a name that a person chose, such as a destination called announcements.
        if text in self._fixed and not (depth and " " not in text):
            return self._fixed[text]
        for template in self._templates:
            holes = template.match(text)
            if holes is not None:
                return template.fill([self._find(hole, depth + 1) or hole for hole in holes])
        return ""


class _Template:
    def __init__(self, text: str, said: str) -> None:
        parts = text.split("{}")
        self._text, self._said = text, said
        self._begin, self._end = parts[0], parts[-1]
        self.weight = len(text) - 2 * (len(parts) - 1)
        """Number of fixed letters: of two patterns that match, the longer one is used."""

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        """Made when something may fit: most never do, and hundreds would hold up the start."""
        parts = self._text.split("{}")
        pattern = re.escape(parts[0])
        for before, after in pairwise(parts):
            hole = _NUMBER if _COUNT.fullmatch(self._text) else _MANY if before.endswith(": ") else _ONE
            pattern += hole + re.escape(after)
        return re.compile(pattern, re.DOTALL)

    def match(self, text: str) -> tuple[str, ...] | None:
        if not (text.startswith(self._begin) and text.endswith(self._end)):
            return None
        found = self._pattern.fullmatch(text)
        return None if found is None else found.groups()

    def fill(self, holes: list[str]) -> str:
        numbers = iter(range(len(holes)))
        return _HOLE.sub(lambda hole: holes[int(hole[1]) if hole[1] else next(numbers)], self._said)


def _apart(catalogue: Mapping[str, str]) -> dict[str, str]:
    """Each sentence of what is several, where the translation has as many: it may come with others around it."""
    found: dict[str, str] = {}
    for text, said in catalogue.items():
        parts, others = _ENDS.split(text), _ENDS.split(said)
        if len(parts) > 1 and len(parts) == len(others):
            found |= {
                part: other
                for part, other in zip(parts, others, strict=True)
                if part.count("{}") == other.count("{}") and len(part.split()) > 2
            }
    return found


def _joined(between: str, parts: Iterable[tuple[str, str]]) -> str:
    """What is not known stays as it is; "" if nothing is."""
    every = list(parts)
    return between.join(found or text for text, found in every) if any(found for _, found in every) else ""
