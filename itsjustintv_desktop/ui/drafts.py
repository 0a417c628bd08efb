"""What was typed and is not saved yet, kept by name while something else is looked at."""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

import msgspec

D = TypeVar("D", bound=msgspec.Struct)


class Draft(NamedTuple, Generic[D]):
    """`mine` is what a person made of `base`."""

    base: D
    mine: D


class Drafts(Generic[D]):
    """By name; "" for one that has none yet."""

    def __init__(self) -> None:
        self._kept: dict[str, Draft[D]] = {}

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._kept)

    def get(self, name: str) -> D | None:
        kept = self._kept.get(name)
        return kept.mine if kept is not None else None

    def base(self, name: str) -> D | None:
        """What the draft of that name was made of."""
        kept = self._kept.get(name)
        return kept.base if kept is not None else None

    def keep(self, name: str, base: D, mine: D) -> None:
        """A draft that says what is saved is none."""
        if mine == base:
            self.drop(name)
        else:
            self._kept[name] = Draft(base, mine)

    def drop(self, name: str) -> None:
        self._kept.pop(name, None)

    def only(self, names: frozenset[str]) -> None:
        """What is gone has no draft; what is new may have one."""
        self._kept = {name: kept for name, kept in self._kept.items() if not name or name in names}

    def meet(self, name: str, theirs: D) -> bool:
        """`theirs` is what is saved now. The draft goes on from there; False where both changed the same, and a
        person has to choose: then it stays as it is."""
        kept = self._kept.get(name)
        if kept is None or kept.base == theirs:
            return True
        if self.disputed(name, theirs):
            return False
        self.insist(name, theirs)
        return True

    def disputed(self, name: str, theirs: D) -> list[str]:
        """The fields that both changed."""
        kept = self._kept.get(name)
        return [] if kept is None else [each for each in kept.mine.__struct_fields__ if _both(kept, theirs, each)]

    def insist(self, name: str, theirs: D) -> None:
        """Mine goes on from `theirs`, also where both changed the same."""
        kept = self._kept.get(name)
        if kept is not None:
            fields = kept.mine.__struct_fields__
            own = {field: getattr(kept.mine, field) for field in fields if _changed(kept, field)}
            self.keep(name, theirs, msgspec.structs.replace(theirs, **own))


def _changed(kept: Draft[D], field: str) -> bool:
    return bool(getattr(kept.mine, field) != getattr(kept.base, field))


def _both(kept: Draft[D], theirs: D, field: str) -> bool:
    value = getattr(theirs, field)
    return _changed(kept, field) and value not in (getattr(kept.base, field), getattr(kept.mine, field))
