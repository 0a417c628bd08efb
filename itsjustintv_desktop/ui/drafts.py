"""What was typed and is not saved yet, kept by name while something else is looked at."""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

import msgspec

from itsjustintv_desktop.engine.core.fingerprints import Fingerprints, differs

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

    def keep(self, name: str, base: D, mine: D, *, gone: bool = False) -> None:
        """A draft equal to what is saved is not kept. `gone`: what was saved was removed."""
        if mine == base and not gone:
            self.drop(name)
        else:
            self._kept[name] = Draft(base, mine)

    def drop(self, name: str) -> None:
        self._kept.pop(name, None)

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
        """Keep my draft, based on `theirs` from now on, even where both changed the same value."""
        kept = self._kept.get(name)
        if kept is not None:
            fields = kept.mine.__struct_fields__
            own = {field: getattr(kept.mine, field) for field in fields if _changed(kept, field)}
            self.keep(name, theirs, msgspec.structs.replace(theirs, **own))


def _changed(kept: Draft[D], field: str) -> bool:
    return bool(getattr(kept.mine, field) != getattr(kept.base, field))


def _both(kept: Draft[D], theirs: D, field: str) -> bool:
    if not _changed(kept, field):
        return False
    if differs(_fingerprints(kept.base), _fingerprints(theirs), field):
        return True
    return getattr(theirs, field) not in (getattr(kept.base, field), getattr(kept.mine, field))


def _fingerprints(draft: msgspec.Struct) -> Fingerprints:
    """Of what is stored and never in a draft."""
    found: Fingerprints = getattr(draft, "fingerprints", {})
    return found
