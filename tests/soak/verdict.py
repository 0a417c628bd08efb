"""What became of every message of a soak, told by senders, ledger and receivers alike."""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from contextlib import closing
from pathlib import Path

import msgspec

from itsjustintv_desktop.simulator.receiver import Received
from tests.faults.load import Load
from tests.faults.verdict import Key

_VISIBLE = frozenset({"pending", "expired", "dead", "dropped"})
_NOTHING_NEW = frozenset({"already_announced"})


class Account(msgspec.Struct, kw_only=True):
    """Counts to show, and lists that must be empty."""

    messages: int = 0
    acknowledged: int = 0
    streams: int = 0
    events: dict[str, int] = {}
    """By state and reason."""
    deliveries: dict[str, int] = {}
    """By state."""
    posts: int = 0
    repeats: int = 0
    """POSTs accepted again with the same webhook-id."""
    lost: list[str] = []
    doubled: list[str] = []
    other: list[str] = []


def settle(ledger: Path, load: Load, expected: dict[str, tuple[str, ...]], posts: list[Received]) -> Account:
    """Compare, after the program was stopped."""
    account = Account(messages=len(load.sent), posts=len(posts))
    with closing(sqlite3.connect(ledger)) as opened:
        events = {row[0]: row[1:] for row in opened.execute(_EVENTS)}
        deliveries = opened.execute(_DELIVERIES).fetchall()
        for (word,) in opened.execute("PRAGMA integrity_check").fetchall():
            if word != "ok":
                account.other.append(f"integrity_check: {word}")
    account.events = dict(Counter(f"{state} {reason or ''}".strip() for *_, state, reason in events.values()))
    account.deliveries = dict(Counter(row[3] for row in deliveries))
    keys = {webhook_id: Key(name, *events[event_id][1:3]) for webhook_id, event_id, name, *_ in deliveries}
    attempts = {webhook_id: tries for webhook_id, *_, tries in deliveries}
    visible = {keys[webhook_id] for webhook_id, _, _, state, _ in deliveries if state in _VISIBLE}
    for webhook_id, _, name, state, _ in deliveries:
        if state == "sending":
            account.other.append(f"{webhook_id} to {name} hangs in the state sending")
    taken = _compare_posts(account, posts, keys, attempts)
    _compare_messages(account, load, expected, events, taken | visible)
    return account


def _compare_posts(account: Account, posts: list[Received], keys: dict[str, Key], attempts: dict[str, int]) -> set[Key]:
    """What was taken. Each POST is of a delivery in the ledger, and a stream has one webhook-id a destination."""
    ids: dict[Key, set[str]] = defaultdict(set)
    times: Counter[str] = Counter()
    for post in posts:
        key = keys.get(post.webhook_id)
        if key is None or key.destination != post.name:
            account.other.append(f"{post.name} got a POST of no delivery of its own: {post.webhook_id}")
            continue
        ids[Key(*post.key) if post.key is not None else key].add(post.webhook_id)
        if post.verified is False:
            account.other.append(f"the signature of a POST to {post.name} was wrong")
        times[post.webhook_id] += post.accepted
    for key, some in ids.items():
        if len(some) > 1:
            account.doubled.append(f"{key} was sent under {len(some)} webhook-ids")
    for webhook_id, count in times.items():
        account.repeats += max(0, count - 1)
        if count > max(1, attempts[webhook_id]):
            account.doubled.append(f"{webhook_id} was taken {count} times in {attempts[webhook_id]} attempts")
    return {keys[webhook_id] for webhook_id, count in times.items() if count}


def _compare_messages(
    account: Account,
    load: Load,
    expected: dict[str, tuple[str, ...]],
    events: dict[int, tuple[str, ...]],
    known: set[Key],
) -> None:
    """Each message answered 2xx is in the ledger with an end of its own, and its stream is wherever it belongs."""
    stored = {message_id: state for message_id, _, _, state, _ in events.values() if message_id}
    suppressed = {
        (broadcaster, stream)
        for _, broadcaster, stream, state, reason in events.values()
        if state == "suppressed" and reason and reason not in _NOTHING_NEW
    }
    streams: set[tuple[str, str]] = set()
    for sent in load.sent:
        if not sent.acknowledged:
            account.other.append(f"message {sent.message.id} was never taken, after {sent.tries} tries")
            continue
        account.acknowledged += 1
        if sent.message.id not in stored:
            account.lost.append(f"message {sent.message.id} was acknowledged and is not in the ledger")
        elif stored[sent.message.id] == "accepted":
            account.lost.append(f"message {sent.message.id} was acknowledged and came to no end")
        if sent.stream and sent.broadcaster in expected:
            streams.add((sent.broadcaster, sent.stream))
    account.streams = len(streams)
    for broadcaster, stream in sorted(streams):
        for name in expected[broadcaster]:
            if Key(name, broadcaster, stream) not in known and (broadcaster, stream) not in suppressed:
                account.lost.append(f"stream {stream} of {broadcaster} neither reached {name} nor is seen anywhere")


_EVENTS = "SELECT id, message_id, broadcaster_id, stream_id, state, reason FROM events"
_DELIVERIES = "SELECT webhook_id, event_id, destination, state, attempts FROM deliveries"
