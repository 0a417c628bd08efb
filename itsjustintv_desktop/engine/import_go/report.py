"""What an import did, for people and for programs. No address and no secret ever stands in it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import msgspec

NAMED = 10
"""Most entries of a file that are named one by one."""


class State(StrEnum):
    DONE = "done"
    """All that can be used is here now, or was before."""
    NOTHING = "nothing"
    """There was nothing to take over."""
    LEFT = "left"
    """It was left where it is, on purpose; the notes say why."""
    FAILED = "failed"
    """Not all could be taken over; mend what the notes say and repeat."""


class Part(msgspec.Struct, kw_only=True):
    """One file or folder of the Go service."""

    name: str
    state: State = State.DONE
    taken: int = 0
    already: int = 0
    left_out: int = 0
    notes: list[str] = []

    def leave_out(self, reasons: Iterable[tuple[int, str]]) -> None:
        """Count entries (by index, from 0) that cannot be used, and name the first of them."""
        for index, reason in reasons:
            if self.left_out < NAMED:
                self.notes.append(f"Entry {index} is left out: {reason}.")
            elif self.left_out == NAMED:
                self.notes.append("More entries are left out for such reasons.")
            self.left_out += 1

    def fail(self, sentence: str) -> None:
        self.state = State.FAILED
        self.notes.append(sentence)

    @property
    def summary(self) -> str:
        """A few words."""
        counts = ((self.taken, "taken over"), (self.already, "already there"), (self.left_out, "left out"))
        said = ", ".join(f"{number} {words}" for number, words in counts if number)
        if self.state is State.FAILED:
            return f"not all could be taken over{f' ({said})' if said else ''}"
        if self.state is State.NOTHING:
            return "nothing there"
        return said or ("left as it is" if self.state is State.LEFT else "nothing to take over")


class Moved(msgspec.Struct, kw_only=True):
    """The whole import. `ok` False: repeating it can bring more."""

    folder: str
    parts: list[Part]
    next_steps: list[str]

    @property
    def ok(self) -> bool:
        return all(part.state is not State.FAILED for part in self.parts)

    @property
    def changed(self) -> bool:
        """Whether anything at all was taken over this time."""
        return any(part.taken for part in self.parts)


def number(count: int, one: str, many: str = "") -> str:
    """ "1 entry", "2 entries"."""
    return f"{count} {one if count == 1 else many or one + 's'}"
