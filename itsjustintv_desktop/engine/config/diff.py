"""What differs between two configs, in words and without values: they may be secret."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from itsjustintv_desktop.engine.config.destinations import effective_destinations
from itsjustintv_desktop.engine.config.schema import Config

_NAMED = 5
"""So many names are said one by one."""


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """Entries of a table of tables that came, went, or are another now."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """`keys` are those of the other tables, such as "[retry] max_age"."""

    streamers: Names = Names()
    destinations: Names = Names()
    keys: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.streamers or self.destinations or self.keys)

    @property
    def shrinks(self) -> bool:
        """Something is gone: it may be a file that is only half written."""
        return bool(self.streamers.removed or self.destinations.removed)

    @property
    def sentence(self) -> str:
        """For a person: what is different, "" for nothing."""
        parts = [*_streamers(self.streamers), *_destinations(self.destinations)]
        if self.keys:
            parts.append(f"Changed {_listed(self.keys)}.")
        return " ".join(parts)


def compare(before: Config, after: Config) -> Changes:
    """Destinations are the effective ones, those that belong to a streamer or are the global one included."""
    return Changes(
        streamers=_names(before.streamers, after.streamers),
        destinations=_names(effective_destinations(before), effective_destinations(after)),
        keys=tuple(_keys(before, after)),
    )


def _names(before: Mapping[str, Any], after: Mapping[str, Any]) -> Names:
    return Names(
        added=tuple(name for name in after if name not in before),
        removed=tuple(name for name in before if name not in after),
        changed=tuple(name for name in after if name in before and after[name] != before[name]),
    )


def _keys(before: Config, after: Config) -> Iterator[str]:
    for name in Config.__struct_fields__:
        if name not in {"streamers", "destinations", "global_webhook"}:
            yield from _within(name, getattr(before, name), getattr(after, name))


def _within(table: str, before: msgspec.Struct, after: msgspec.Struct) -> Iterator[str]:
    for name in before.__struct_fields__:
        old, new = getattr(before, name), getattr(after, name)
        if isinstance(old, msgspec.Struct):
            yield from _within(f"{table}.{name}", old, new)
        elif old != new:
            yield f"[{table}] {name}"


def _streamers(names: Names) -> Iterator[str]:
    """Whole sentences, so that each can be said in another language."""
    for one, many, some in (
        ("Added streamer {}.", "Added streamers {}.", names.added),
        ("Removed streamer {}.", "Removed streamers {}.", names.removed),
        ("Changed streamer {}.", "Changed streamers {}.", names.changed),
    ):
        if some:
            yield (many if len(some) > 1 else one).format(_listed(some))


def _destinations(names: Names) -> Iterator[str]:
    for one, many, some in (
        ("Added destination {}.", "Added destinations {}.", names.added),
        ("Removed destination {}.", "Removed destinations {}.", names.removed),
        ("Changed destination {}.", "Changed destinations {}.", names.changed),
    ):
        if some:
            yield (many if len(some) > 1 else one).format(_listed(some))


def _listed(names: tuple[str, ...]) -> str:
    shown, more = ", ".join(names[:_NAMED]), len(names) - _NAMED
    return f"{shown} and {more} more" if more > 0 else shown
