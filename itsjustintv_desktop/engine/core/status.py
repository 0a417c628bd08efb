"""How things stand, as plain values: one level for all, and one wording for all who show it.

monitoring/doctor/overall.py makes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import msgspec


class Level(StrEnum):
    """From the best to the worst that can be said of a stream, a destination, a part of the program, or all of them."""

    OK = "ok"
    STARTING = "starting"
    """Not known yet: the program, or this part of it, began a moment ago."""
    OFF = "off"
    """Nothing is set up, or a person switched it off."""
    WAITING = "waiting"
    """A part does not work now, and goes on by itself once something outside has changed."""
    PAUSED = "paused"
    """A person paused it."""
    ATTENTION = "attention"
    """Some announcements are affected, or something needs attention."""
    FAILING = "failing"
    """Nothing is announced, to this destination, of this streamer, or at all."""


@dataclass(frozen=True, slots=True)
class Status:
    """How one part of the program is: ok, waiting or failing.

    `reason` is a sentence. `since`: Unix seconds, where the part itself knows.
    """

    level: Level = Level.OK
    reason: str = ""
    since: float | None = None

    @classmethod
    def of(cls, state: str, message: str, since: float | None = None) -> Status:
        """Out of a part's own word for its state, and its sentence, which counts where it is not ok."""
        level = _LEVELS[state]
        return cls(level, "" if level is Level.OK else message, since)


_LEVELS: Mapping[str, Level] = {
    "ready": Level.OK,
    "ok": Level.OK,
    "starting": Level.WAITING,
    "working": Level.WAITING,
    "waiting": Level.WAITING,
    "failing": Level.FAILING,
}


class RowStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One streamer or destination. `word`: a few words for a table, "" where there is nothing to say. `reason` and
    `fix` are sentences, "" for none."""

    level: Level = Level.OK
    word: str = ""
    reason: str = ""
    fix: str = ""


class StreamerStatus(RowStatus, frozen=True, kw_only=True):
    announced: bool = True
    """Whether the next stream will be announced, at one destination at least."""
    because_of: tuple[str, ...] = ()
    """Names of the destinations, where the reason lies with those alone."""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """`code`: the name of the doctor's check. `streamers`: keys of those it affects; empty for all, or for none."""

    code: str
    level: Level
    text: str
    fix: str = ""
    streamers: tuple[str, ...] = ()


class OverallStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The one answer to "will my next stream be announced?"."""

    level: Level
    word: str
    """For where there is room for a word or two."""
    headline: str
    """How many streams will be announced, without a full stop."""
    announced: int
    watched: int
    """Streamers that are switched on."""
    problems: tuple[Problem, ...] = ()
    """The worst first."""
    note: str = ""
    """What a person chose, as a sentence: until when announcements are paused."""

    @property
    def detail(self) -> str:
        """The sentence below the headline: what is wrong, "" for nothing."""
        return self.note or (self.problems[0].text if self.problems else "")


class SystemStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How everything is at one moment."""

    summary: OverallStatus
    streamers: Mapping[str, StreamerStatus]
    """By key."""
    destinations: Mapping[str, RowStatus]
    """By name."""
    is_settled: bool = True
    """Everything is known."""


WORDS: Mapping[Level, str] = {
    Level.OK: "Announcing",
    Level.STARTING: "Starting",
    Level.OFF: "Not set up",
    Level.PAUSED: "Paused",
    Level.ATTENTION: "Needs attention",
    Level.FAILING: "Not announcing",
}
"""What `OverallStatus.word` says."""
NO_STREAM = "No stream will be announced"
NEXT_STREAM = "Your next stream will be announced"
