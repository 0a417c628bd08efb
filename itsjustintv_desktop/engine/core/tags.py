"""The tag filter: announce only streams that carry one of these tags."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable


def fold(tag: str) -> str:
    """What two tags are compared by: no case, no surrounding space, one form of accented letters."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", tag.strip()).casefold())


def passes(tag_filter: Iterable[str], tags: Iterable[str]) -> bool:
    """Whether any of the channel's own tags equals any entry of the filter. An empty filter lets all pass."""
    wanted = {fold(entry) for entry in tag_filter} - {""}
    return not wanted or any(fold(tag) in wanted for tag in tags)
