"""What remained after all kills, told by receivers, load, ledger, output.json and `deliveries list` alike."""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from itsjustintv_desktop.simulator.receiver import Received
from tests.faults.load import Load
from tests.support.process import ask

if TYPE_CHECKING:
    from tests.faults.killing import Scene

_INTERRUPTED = "the program ended before the answer came"
_VISIBLE = frozenset({"pending", "expired", "dead", "dropped"})


class Kill(NamedTuple):
    at: float
    """Unix seconds."""
    at_work: bool
    """False: while it started."""


class Key(NamedTuple):
    """What must be announced once."""

    destination: str
    broadcaster: str
    stream: str


@dataclass(slots=True)
class Verdict:
    """Counts to show, and lists that must be empty."""

    kills: int = 0
    at_work: int = 0
    messages: int = 0
    acknowledged: int = 0
    streams: int = 0
    states: Counter[str] = field(default_factory=Counter)
    repeats: int = 0
    """POSTs accepted again with the same webhook-id."""
    interrupted: int = 0
    """Attempts that a kill cut off."""
    resumed: int = 0
    """Events accepted before a kill and settled after it."""
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    unexplained: list[str] = field(default_factory=list)
    """Repeats without a kill between them."""
    other: list[str] = field(default_factory=list)

    def faults(self) -> list[str]:
        return [
            f"{kind}: {what}"
            for kind, found in (
                ("lost", self.lost),
                ("doubled", self.doubled),
                ("repeat without a kill", self.unexplained),
                ("fault", self.other),
            )
            for what in found
        ]

    def counters(self) -> dict[str, int]:
        """For the scoreboard (tests/scoreboard)."""
        return {
            "kills": self.kills,
            "acknowledged": self.acknowledged,
            "lost": len(self.lost),
            "doubled": len(self.doubled) + len(self.unexplained),
            "repeats": self.repeats,
        }

    def table(self) -> str:
        """A heading and one line."""
        columns: dict[str, object] = {
            "kills": self.kills,
            "(at work)": self.at_work,
            "messages": self.messages,
            "acknowledged": self.acknowledged,
            "streams": self.streams,
            "deliveries": self.states.total(),
            **{state: self.states[state] for state in ("delivered", "pending", "dead")},
            "lost": len(self.lost),
            "doubled": len(self.doubled),
            "same-id repeats": self.repeats,
            "interrupted": self.interrupted,
            "resumed events": self.resumed,
        }
        widths = [max(len(name), len(str(value))) for name, value in columns.items()]
        lines = (list(columns), [str(value) for value in columns.values()])
        padded = ([cell.rjust(width) for cell, width in zip(line, widths, strict=True)] for line in lines)
        return "\n".join("  ".join(cells) for cells in padded)


async def examine(scene: Scene, load: Load | None, kills: Sequence[Kill], code: int) -> Verdict:
    """Compare everything, after the program was stopped with exit code `code`."""
    verdict = Verdict(kills=len(kills), at_work=sum(kill.at_work for kill in kills))
    if code != 0:
        verdict.other.append(f"it did not stop cleanly: {code}")
    listed: list[dict[str, Any]] = await ask(
        scene.paths, scene.serve.environ, "deliveries", "list", "--json", "--limit", "100000"
    )
    verdict.states = Counter(each["state"] for each in listed)
    with closing(sqlite3.connect(scene.paths.ledger)) as ledger:
        events = {row[0]: row[1:] for row in ledger.execute(_EVENTS)}
        verdict.interrupted = _count(ledger, "SELECT count(*) FROM attempts WHERE error = ?", _INTERRUPTED)
        verdict.resumed = sum(
            any(received < kill.at < settled for kill in kills) for *_, received, settled in events.values() if settled
        )
        attempts: dict[str, list[tuple[float, str | None]]] = defaultdict(list)
        for webhook_id, started, error in ledger.execute(_ATTEMPTS):
            attempts[webhook_id].append((started, error))
        verdict.other += _ledger_faults(ledger)
    keys = {
        each["webhook_id"]: Key(each["destination"], *events[int(each["event_id"])][1:3])
        for each in listed
    }  # fmt: skip
    _compare_posts(verdict, scene.simulator.receiver.all, keys, attempts, [kill.at for kill in kills])
    accepted = {keys[one.webhook_id] for one in scene.simulator.receiver.all if one.accepted and one.webhook_id in keys}
    visible = {keys[each["webhook_id"]] for each in listed if each["state"] in _VISIBLE}
    if load is not None:
        _compare_messages(verdict, load, scene.expected, accepted | visible, {row[0] for row in events.values()})
    verdict.other += _file_faults(scene, listed)
    return verdict


_EVENTS = """SELECT id, message_id, broadcaster_id, stream_id, received_at, settled_at FROM events"""
_ATTEMPTS = """SELECT d.webhook_id, a.started_at, a.error FROM attempts a JOIN deliveries d ON d.id = a.delivery_id
    ORDER BY a.delivery_id, a.number"""


def _compare_messages(
    verdict: Verdict, load: Load, expected: dict[str, tuple[str, ...]], known: set[Key], stored: set[str]
) -> None:
    """Every message answered 2xx is in the ledger, and its stream went to, or waits for, each destination."""
    verdict.messages = len(load.sent)
    streams: set[tuple[str, str]] = set()
    for sent in load.sent:
        if not sent.acknowledged:
            verdict.other.append(f"message {sent.message.id} was never taken, after {sent.tries} tries")
            continue
        verdict.acknowledged += 1
        if sent.message.id not in stored:
            verdict.lost.append(f"message {sent.message.id} was acknowledged and is not in the ledger")
        if sent.stream and sent.broadcaster in expected:
            streams.add((sent.broadcaster, sent.stream))
    verdict.streams = len(streams)
    for broadcaster, stream in sorted(streams):
        for name in expected[broadcaster]:
            if Key(name, broadcaster, stream) not in known:
                verdict.lost.append(f"stream {stream} of {broadcaster} neither reached {name} nor waits nor failed")


def _compare_posts(
    verdict: Verdict,
    posts: Sequence[Received],
    keys: dict[str, Key],
    attempts: dict[str, list[tuple[float, str | None]]],
    kills: Sequence[float],
) -> None:
    """Each POST is of a delivery in the ledger, rightly signed; a stream has one webhook-id a destination."""
    groups: dict[Key, list[Received]] = defaultdict(list)
    for post in posts:
        key = keys.get(post.webhook_id)
        if key is None:
            verdict.other.append(f"{post.name} got a POST of no delivery: {post.webhook_id}")
        told = Key(*post.key) if post.key is not None else key
        if told is None:
            continue
        groups[told].append(post)
        if post.name != told.destination or key not in {None, told}:
            verdict.other.append(f"{post.name} got what was for {key}")
        if post.verified is False:
            verdict.other.append(f"the signature of a POST to {post.name} was wrong")
    for key, group in groups.items():
        if len({post.webhook_id for post in group}) > 1:
            verdict.doubled.append(f"{key} was sent under {len({post.webhook_id for post in group})} webhook-ids")
        taken = [post for post in group if post.accepted]
        for first, second in pairwise(taken):
            verdict.repeats += 1
            # The POST that was taken belongs to the last attempt begun before it: that one a kill must have cut off.
            # (Not "a kill after it came in": what a program sent in its last moment is read after its death.)
            begun, error = [(0.0, None), *(one for one in attempts[first.webhook_id] if one[0] <= first.at)][-1]
            if error != _INTERRUPTED or not any(begun <= kill <= second.at for kill in kills):
                verdict.unexplained.append(f"{key}, {second.at - first.at:.3f} s apart")


def _ledger_faults(ledger: sqlite3.Connection) -> Iterable[str]:
    for (word,) in ledger.execute("PRAGMA integrity_check").fetchall():
        if word != "ok":
            yield f"integrity_check: {word}"
    if unfinished := _count(ledger, "SELECT count(*) FROM events WHERE state = 'accepted'"):
        yield f"{unfinished} events are still unfinished"
    if sending := _count(ledger, "SELECT count(*) FROM deliveries WHERE state = 'sending'"):
        yield f"{sending} deliveries hang in the state sending"
    orphans = "SELECT count(*) FROM once WHERE event_id NOT IN (SELECT id FROM events WHERE state = 'announced')"
    if count := _count(ledger, orphans):
        yield f"{count} streams are noted as announced by an event that was not"
    missing = """SELECT count(*) FROM once o WHERE destination != '@feed' AND NOT EXISTS
        (SELECT 1 FROM deliveries d WHERE d.event_id = o.event_id AND d.destination = o.destination)"""
    if count := _count(ledger, missing):
        yield f"{count} streams are noted as announced without a delivery"


def _file_faults(scene: Scene, listed: Sequence[dict[str, Any]]) -> Iterable[str]:
    """output.json agrees with the ledger, and no half-written file is left anywhere."""
    states: dict[str, dict[str, str]] = defaultdict(dict)
    for each in listed:
        states[each["event_id"]][each["destination"]] = each["state"]
    entries: list[Any] = scene.read_output()
    newest = sorted(states, key=int)[-scene.lines :]
    if (shown := [entry["payload"]["event"]["id"] for entry in entries]) != newest:
        yield f"output.json has {len(shown)} entries that are not the newest {len(newest)} events"
    for entry in entries:
        event_id = entry["payload"]["event"]["id"]
        if {each["destination"]: each["state"] for each in entry["deliveries"]} != states.get(event_id):
            yield f"output.json and the ledger disagree about event {event_id}"
    yield from (f"left behind: {path.name}" for path in leftovers(scene.paths.data))


_EXPECTED_FILES = frozenset({"ledger.db", "ledger.db-wal", "ledger.db-shm", "output.json", "instance.lock"})


def leftovers(data: Path) -> list[Path]:
    """Files in the data directory that no stopped program should leave."""
    return [path for path in data.iterdir() if path.is_file() and path.name not in _EXPECTED_FILES]


def _count(ledger: sqlite3.Connection, query: str, *parameters: object) -> int:
    (number,) = ledger.execute(query, parameters).fetchone()
    return int(number)
