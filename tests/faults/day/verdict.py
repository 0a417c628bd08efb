"""What a day must come to, told from Twitch's and the receivers' side, and where the program failed it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from itsjustintv_desktop.engine.core.clock import parse_rfc3339
from itsjustintv_desktop.engine.core.models import DeliveryState, DeliveryView, EventState
from itsjustintv_desktop.engine.storage.ledger import EventRecord
from tests.faults.day.script import LOGINS, RESTART_WINDOW
from tests.faults.day.world import RESENDS, Run, World

POLL = 300.0 * 1.05 + 60.0 + 20.0
"""Seconds for which a stream must be there to be seen by asking: an interval, a retry after an outage, some slack."""
MAX_AGE = 1800.0
SLACK = sum(RESENDS) + 20.0
"""How much later than it was the end of a stream may have been told."""


@dataclass(slots=True)
class Story:
    """One stream: all that is known of it from outside, and what the program made of it."""

    stream_id: str
    runs: list[Run]
    told: bool = False
    """Twitch's message that it began was taken."""
    events: list[EventRecord] = field(default_factory=list)
    arrived: Counter[str] = field(default_factory=Counter)
    """How often each receiver took it."""

    @property
    def began(self) -> float:
        return self.runs[0].began

    @property
    def ended(self) -> float:
        return self.runs[-1].ended

    @property
    def announced(self) -> bool:
        return any(record.state is EventState.ANNOUNCED for record in self.events)

    @property
    def reasons(self) -> set[str]:
        return {record.reason or "" for record in self.events} - {""}


@dataclass(slots=True)
class Verdict:
    """`faults` are sentences, none if all is well. The numbers say what the day was worth."""

    faults: list[str] = field(default_factory=list)
    streams: int = 0
    told: int = 0
    found: int = 0
    """Announced though Twitch's message never came."""
    announced: int = 0
    restarted: int = 0
    missed: int = 0
    unseen: int = 0
    """Nobody could have seen these."""
    repeated: int = 0
    """Messages about a stream that was announced before."""
    retried: int = 0
    expired: int = 0
    challenges: int = 0
    lost: int = 0
    """Messages of Twitch's that were never taken."""
    ended: set[str] = field(default_factory=set)
    """Why subscriptions were ended."""

    def table(self) -> str:
        numbers = {name: getattr(self, name) for name in self.__slots__ if name not in {"faults", "ended"}}
        lines = [f"{name:>12} {value}" for name, value in numbers.items()]
        return "\n".join([*lines, f"{'ended':>12} {', '.join(sorted(self.ended))}", *self.faults])


async def judge(world: World) -> Verdict:
    """At the end of the settling hour, with the program still running."""
    found = Verdict()
    records = [record for record in await _events(world) if not record.event.test]
    deliveries = await _deliveries(world)
    stories = _stories(world, records)
    _streams(world, stories, found)
    _events_end(records, found)
    _deliveries_end(world, stories, deliveries, found)
    _subscriptions(world, found)
    await _health(world, found)
    doubles = world.simulator.receiver.doubles()
    found.faults += [f"{name} got {stream} {len(group)} times" for (name, _, stream), group in doubles.items()]
    found.faults += world.neighbour.damage()
    bad = [one.name for one in world.simulator.receiver.all if one.verified is False]
    found.faults += [f"{name} could not verify a webhook" for name in bad]
    return found


def _stories(world: World, records: Iterable[EventRecord]) -> list[Story]:
    runs: dict[str, list[Run]] = defaultdict(list)
    for run in world.diary.runs:
        runs[run.stream_id].append(run)
    stories = {stream_id: Story(stream_id, some) for stream_id, some in runs.items()}
    for record in records:
        if record.event.kind == "stream.online":
            stories[record.event.stream_id].events.append(record)
    for stream_id, _ in _told(world, "stream.online"):
        stories[stream_id].told = True
    for one in world.simulator.receiver.accepted():
        stories[one.json["stream"]["id"]].arrived[one.name] += 1
    return list(stories.values())


def _told(world: World, kind: str) -> list[tuple[str, float]]:
    """Messages to the program that it took: stream id (for offline: channel id), and when."""
    found = []
    for sent in world.simulator.eventsub.sent:
        about = sent.subscription
        if sent.ok and sent.kind == "notification" and about is not None and about not in world.neighbour.held:
            event = msgspec.json.decode(sent.body)["event"]
            if about.type == kind:
                named = event["broadcaster_user_id"] if kind == "stream.offline" else event["id"]
                found.append((named, parse_rfc3339(sent.timestamp)))
    return found


def _streams(world: World, stories: list[Story], found: Verdict) -> None:
    ends = defaultdict(list)
    for channel, at in _told(world, "stream.offline"):
        ends[channel].append(at)
    before: dict[str, Story] = {}
    known_end: dict[str, float] = defaultdict(lambda: float("-inf"))
    """When the last broadcast ended that was announced, or taken for the rest of one that was."""
    for story in sorted(stories, key=lambda one: one.began):
        login = story.runs[0].login
        previous, before[login] = before.get(login), story
        gap = story.began - previous.ended if previous else float("inf")
        taken = bool(previous and (previous.announced or "restarted" in previous.reasons))
        visible = _longest(world, story, MAX_AGE) >= POLL
        _count(story, found)
        why = f"{story.stream_id}, from {_clock(world, story.began)} to {_clock(world, story.ended)}"
        if story.arrived["main"] > 1 or sum(record.state is EventState.ANNOUNCED for record in story.events) > 1:
            found.faults.append(f"doubled: {why}")
        may_be_restart = story.began - known_end[login] <= RESTART_WINDOW + SLACK
        if story.announced or "restarted" in story.reasons:
            known_end[login] = story.ended
        if not story.told and not visible:
            if _longest(world, story, float("inf")) >= POLL + 120 and not story.events:
                found.faults.append(f"silent: {why} was there to be seen, and has no entry")
            continue
        may_be_overtaken = any(_known_before(other, story) for other in stories if other.runs[0].login == login)
        suppressed = (may_be_restart and "restarted" in story.reasons) or (
            may_be_overtaken and "overtaken" in story.reasons
        )
        if not story.announced and not suppressed:
            how = "Twitch was told that we know" if story.told else "it was there to be seen"
            found.faults.append(f"lost: {why}: {how}, and it came to {sorted(story.reasons) or 'nothing'}")
        channel = world.simulator.state.get(login).user_id
        told_end = previous is not None and any(previous.ended <= at <= story.began for at in ends[channel])
        if taken and told_end and gap <= RESTART_WINDOW and story.announced:
            found.faults.append(f"pinged again: {why} began {gap:.0f} s after {previous and previous.stream_id}")


def _known_before(newer: Story, story: Story) -> bool:
    """Whether the program heard of another stream, which began later, first."""
    first = min((record.id for record in newer.events), default=None)
    return newer.began > story.began and first is not None and all(first < record.id for record in story.events)


def _longest(world: World, story: Story, max_age: float) -> float:
    """Seconds of the longest stretch in which it could be seen by asking."""
    longest = 0.0
    for run in story.runs:
        stretches = [(run.visible, min(run.ended, run.began + max_age))]
        for since, until in world.diary.blind:
            stretches = [
                piece for begin, end in stretches for piece in ((begin, min(end, since)), (max(begin, until), end))
            ]
        longest = max([longest, *(end - begin for begin, end in stretches)])
    return longest


def _count(story: Story, found: Verdict) -> None:
    found.streams += 1
    found.told += story.told
    found.announced += story.announced
    found.found += story.announced and not story.told
    found.restarted += "restarted" in story.reasons
    found.missed += "missed" in story.reasons
    found.unseen += not story.events
    found.repeated += sum(record.reason == "already_announced" for record in story.events)
    if sum(record.reason == "missed" for record in story.events) > 1:
        found.faults.append(f"listed twice as missed: {story.stream_id}")


def _events_end(records: list[EventRecord], found: Verdict) -> None:
    found.ended = {record.event.detail for record in records if record.event.kind == "revocation"}
    for record in records:
        if record.state is EventState.ACCEPTED:
            found.faults.append(f"event {record.id} was never settled")
        elif record.state is not EventState.ANNOUNCED and not (record.reason and record.explanation):
            found.faults.append(f"event {record.id} does not say why it was not announced")


def _deliveries_end(world: World, stories: list[Story], deliveries: list[DeliveryView], found: Verdict) -> None:
    by_event = defaultdict(list)
    for view in deliveries:
        by_event[view.event_id].append(view)
    down, up = world.diary.club_down
    for story in stories:
        for record in story.events:
            views = {view.destination: view for view in by_event[record.id]}
            if record.state is not EventState.ANNOUNCED:
                found.faults += [f"{story.stream_id} was not announced and sent to {name}" for name in views]
                continue
            if views.keys() != {"main", "club"}:
                found.faults.append(f"{story.stream_id} was announced to {sorted(views)} only")
            for name, view in views.items():
                found.retried += view.attempts > 1
                found.expired += view.state is DeliveryState.EXPIRED
                late = name == "club" and down <= view.created_at <= up and story.ended < up + 3000
                if view.state is not DeliveryState.DELIVERED and not (late and view.state is DeliveryState.EXPIRED):
                    found.faults.append(f"{story.stream_id} to {name} is {view.state.value}: {view.last_error}")
                if (view.state is DeliveryState.DELIVERED) != (story.arrived[name] == 1):
                    found.faults.append(f"{story.stream_id} to {name} is {view.state.value} and was not got once")


def _subscriptions(world: World, found: Verdict) -> None:
    target = world.running.reach.way.target
    where = getattr(target, "callback", "") or getattr(target, "conduit_id", "")
    ids = [world.simulator.state.get(login).user_id for login in LOGINS]
    wanted = Counter((kind, user_id) for kind in ("stream.online", "stream.offline") for user_id in ids)
    held: Counter[tuple[str, str]] = Counter()
    for one in world.simulator.eventsub.subscriptions:
        if one in world.neighbour.held:
            continue
        key = one.type, one.condition["broadcaster_user_id"]
        if one.status != "enabled" or where not in {one.transport.callback, one.transport.conduit_id}:
            found.faults.append(f"stale: {key} is {one.status} at {one.transport.public()}")
        else:
            held[key] += 1
    found.faults += [f"{count} of the subscription {key} too many" for key, count in (held - wanted).items()]
    found.faults += [f"no subscription {key}" for key in wanted - held]
    if world.transport == "webhook":
        secrets = {
            one.transport.secret for one in world.simulator.eventsub.subscriptions if one not in world.neighbour.held
        }
        if secrets != {world.running.signing.primary}:
            found.faults.append("stale: a subscription was made with another secret")
    for sent in world.simulator.eventsub.sent:
        found.challenges += sent.kind == "webhook_callback_verification"
    last = {sent.message_id: sent.ok for sent in world.simulator.eventsub.sent if sent.kind == "notification"}
    found.lost = sum(not ok for ok in last.values())


async def _health(world: World, found: Verdict) -> None:
    report = await world.running.doctor.health()
    for name, part in report["parts"].items():
        if part["status"] != "ok":
            found.faults.append(f"at the end {name} is {part['status']}: {part['reason']}")
    if world.running.supervisor.broken:
        found.faults.append(f"loops broke: {world.running.supervisor.broken}")


async def _events(world: World) -> list[EventRecord]:
    """Oldest first."""
    found: list[EventRecord] = []
    before: int | None = None
    while page := await world.running.ledger.events(before=before):
        found += page
        before = page[-1].id
    return found[::-1]


async def _deliveries(world: World) -> list[DeliveryView]:
    found: list[DeliveryView] = []
    before: int | None = None
    while page := await world.running.ledger.deliveries(before=before, limit=200):
        found += page
        before = page[-1].id
    return found


def _clock(world: World, moment: float) -> str:
    minutes = round((moment - world.times.began) / 60)
    return f"{minutes // 60:02}:{minutes % 60:02}"
