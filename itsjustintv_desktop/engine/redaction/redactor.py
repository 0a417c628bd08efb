"""The secrets that are known, and how a text is freed of them.

Every text is looked through for thousands of needles, so it is not done one by one: all needles stand in an index
under their first six characters, and the text is asked for each six characters in a row. What that costs depends on
the text alone.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Iterable

from itsjustintv_desktop.engine.redaction.shapes import HIDDEN, mask
from itsjustintv_desktop.engine.redaction.spellings import LEAST, address_marks, buried, spellings, worth_hiding

_PASSING = 2_000
"""Secrets of the moment that are known at a time."""
_Needle = tuple[str, str]
"""Without regard to case, and as it is spelled."""
_NEVER = frozenset({"@keyring", "[hidden]"})


class Redactor:
    """Safe to use from any thread. Learning what is known already costs next to nothing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._index: dict[str, tuple[_Needle, ...]] = {}
        self._values: set[str] = set()
        self._sources: set[str] = set()
        self._passing: OrderedDict[str, None] = OrderedDict()

    def learn(self, *values: str | None) -> None:
        """From now on none of these is let through, in any usual spelling. Values under six characters are ignored."""
        for value in values:
            if value and value not in self._values and value not in _NEVER:
                self._add(value)

    def learn_header(self, value: str) -> None:
        """A header's value: whole, and its pieces ("Bearer abc" hides "abc" as well)."""
        self._learn_of(value, worth_hiding((value,)))

    def learn_address(self, url: str) -> None:
        """The parts of a webhook's address that give access to it."""
        if url not in self._sources:
            self._learn_of(url, address_marks(url))

    def learn_passing(self, value: str) -> None:
        """A secret of the moment: forgotten when a few thousand others came after it."""
        with self._lock:
            if len(value) < LEAST or value in self._values or value in self._passing:
                return
            self._passing[value] = None
            self._enter(value)
            if len(self._passing) > _PASSING:
                self._leave(self._passing.popitem(last=False)[0])

    def forget(self) -> None:
        """Know nothing any more."""
        with self._lock:
            self._index, self._values, self._sources = {}, set(), set()
            self._passing.clear()

    def redact(self, text: str) -> str:
        """`text` without any known secret, and without what looks like one."""
        return mask(self.without_known(text)) if len(text) >= LEAST else text

    def without_known(self, text: str) -> str:
        """`text` without any known secret."""
        index = self._index
        if not index or len(text) < LEAST:
            return text
        folded = text.casefold()
        grams = {folded[start : start + LEAST] for start in range(len(folded) - LEAST + 1)}
        if index.keys().isdisjoint(grams):
            return text
        needles = [spelled for gram in grams for needle, spelled in index.get(gram, ()) if needle in folded]
        if not needles:
            return text
        needles.sort(key=len, reverse=True)  # the whole before a part of it
        return re.sub("|".join(map(re.escape, needles)), HIDDEN, text, flags=re.IGNORECASE)

    def _learn_of(self, source: str, values: Iterable[str]) -> None:
        if source not in self._sources:
            self._sources.add(source)
            self.learn(*values)

    def _add(self, value: str) -> None:
        with self._lock:
            if len(value) >= LEAST and value not in self._values:
                self._values.add(value)
                if value not in self._passing:
                    self._enter(value)

    def _enter(self, value: str) -> None:
        for needle in _needles(value):
            gram = needle[0][:LEAST]
            self._index[gram] = (*self._index.get(gram, ()), needle)

    def _leave(self, value: str) -> None:
        if value in self._values:
            return
        for needle in _needles(value):
            gram = needle[0][:LEAST]
            rest = tuple(other for other in self._index.get(gram, ()) if other != needle)
            if rest:
                self._index[gram] = rest
            else:
                self._index.pop(gram, None)


def _needles(value: str) -> set[_Needle]:
    found = {(each.casefold(), each) for each in spellings(value) | buried(value)}
    return {each for each in found if len(each[0]) >= LEAST}
