"""Deliveries against a simple model: whatever is done in whatever order, both agree."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from itsjustintv_desktop.engine.core.errors import UsageError
from itsjustintv_desktop.engine.core.models import AttemptResult, DeliveryState, Outcome
from itsjustintv_desktop.engine.storage.ledger import Claimed, Finish, announcing, claiming, history, managing
from itsjustintv_desktop.engine.storage.ledger.accepting import accept
from itsjustintv_desktop.engine.storage.ledger.migrations import migrate
from tests.support.builders import make_event
from tests.support.clock import START

S = DeliveryState
DESTINATIONS = ("a", "b", "c")
MAX_AGE = 5000.0
LATEST = 2000.0


@dataclass
class Model:
    destination: str
    webhook_id: str
    born_at: float
    event_id: int
    state: DeliveryState = S.PENDING
    attempts: int = 0
    next_at: float | None = None
    forced: bool = False
    settled_at: float | None = None


class Deliveries(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        migrate(self.connection)
        self.model: dict[int, Model] = {}
        self.announced: set[tuple[str, str]] = set()
        self.under_way: dict[int, Claimed] = {}

    def teardown(self) -> None:
        self.connection.close()

    @initialize()
    def begin(self) -> None:
        self._announce("s", ["a"], 0.0)

    @rule(
        stream=st.sampled_from("stuvwxyz"),
        to=st.lists(st.sampled_from(DESTINATIONS), unique=True, min_size=1),
        age=st.sampled_from([0.0, 700.0]),
    )
    def announce(self, stream: str, to: list[str], age: float) -> None:
        self._announce(stream, to, age)

    def _announce(self, stream: str, to: list[str], age: float) -> None:
        assert accept(self.connection, [make_event(stream_id=stream, received_at=self.now - age)]) == [True]
        (event_id,) = self.connection.execute("SELECT max(id) FROM events").fetchone()
        made = announcing.announce(
            self.connection, event_id, streamer="alice", payload=b"{}", destinations=to, now=self.now
        )
        assert set(made.created) == {name for name in to if (name, stream) not in self.announced}
        self.announced |= {(name, stream) for name in to}
        for name, delivery_id in made.created.items():
            assert delivery_id > max(self.model, default=0)
            webhook_id = managing.one(self.connection, delivery_id).webhook_id
            self.model[delivery_id] = Model(name, webhook_id, self.now - age, event_id, next_at=self.now)

    @rule(seconds=st.sampled_from([1.0, 30.0, 600.0, 3000.0]))
    def time_goes_on(self, seconds: float) -> None:
        self.now += seconds

    @rule(limit=st.integers(1, 5), slots=st.dictionaries(st.sampled_from(DESTINATIONS), st.integers(0, 2)))
    def claim(self, limit: int, slots: dict[str, int]) -> None:
        batch = claiming.claim(self.connection, self.now, limit, slots, 2)
        assert len(batch.deliveries) <= limit
        due = {
            key: each for key, each in self.model.items() if each.state is S.PENDING and (each.next_at or 0) <= self.now
        }
        for name in DESTINATIONS:
            mine = [claimed for claimed in batch.deliveries if claimed.destination == name]
            assert len(mine) <= slots.get(name, 2)
            left = [due[key].next_at for key in due if due[key].destination == name and not _among(key, mine)]
            taken = [due[claimed.id].next_at for claimed in mine]
            assert not (taken and left) or max(map(float, taken)) <= min(map(float, left)), "the oldest first"  # type: ignore[arg-type]
            if slots.get(name, 2) > len(mine) and len(batch.deliveries) < limit:
                assert not left, "nothing due stays behind while there is room"
        for claimed in batch.deliveries:
            each = self.model[claimed.id]
            each.state, each.attempts = S.SENDING, each.attempts + 1
            assert (claimed.webhook_id, claimed.destination) == (each.webhook_id, each.destination)
            assert (claimed.attempt, claimed.forced, claimed.born_at) == (each.attempts, each.forced, each.born_at)
            self.under_way[claimed.id] = claimed

    @precondition(lambda self: self.under_way)
    @rule(
        data=st.data(),
        state=st.sampled_from([S.PENDING, S.PENDING, S.DELIVERED, S.DEAD, S.EXPIRED]),
        posted=st.booleans(),
        delay=st.sampled_from([0.0, 30.0, 9e6]),
    )
    def finish(self, data: st.DataObject, state: DeliveryState, posted: bool, delay: float) -> None:
        claimed = self.under_way.pop(data.draw(st.sampled_from(sorted(self.under_way))))
        result = AttemptResult(outcome=Outcome.RETRY, status=500, error="no") if posted else None
        next_at = self.now + delay if state is S.PENDING else None
        end = Finish(id=claimed.id, attempt=claimed.attempt, state=state, next_at=next_at, result=result, reason="why")
        for _ in range(2):  # the second changes nothing
            claiming.finish(self.connection, [end], self.now)
        each = self.model[claimed.id]
        each.state, each.next_at, each.forced = state, next_at, each.forced and not posted
        each.attempts -= 0 if posted else 1
        each.settled_at = None if state is S.PENDING else self.now

    @rule()
    def restart(self) -> None:
        sending = [each for each in self.model.values() if each.state is S.SENDING]
        assert claiming.recover(self.connection, self.now, self.now + LATEST) == len(sending)
        for each in sending:
            each.state, each.next_at = S.PENDING, self.now
        self.under_way.clear()
        self._capped()

    @rule()
    def cap(self) -> None:
        claiming.cap_due(self.connection, self.now + LATEST)
        self._capped()

    @rule()
    def give_up(self) -> None:
        before = self.now - MAX_AGE
        old = [each for each in self.model.values() if each.state is S.PENDING and each.born_at < before]
        old = [each for each in old if not each.forced or (each.next_at or 0.0) < before]
        assert claiming.give_up(self.connection, before, "Too old.", self.now) == len(old)
        for each in old:
            each.state, each.next_at, each.settled_at = S.DEAD, None, self.now

    @rule(name=st.sampled_from(DESTINATIONS))
    def fail_removed(self, name: str) -> None:
        waiting = [each for each in self.model.values() if each.state is S.PENDING and each.destination == name]
        assert claiming.fail_removed(self.connection, name, "Removed.", self.now) == len(waiting)
        for each in waiting:
            each.state, each.next_at, each.settled_at = S.DEAD, None, self.now

    @precondition(lambda self: self.model)
    @rule(data=st.data(), wish=st.sampled_from(["retry", "drop", "resend"]))
    def wish(self, data: st.DataObject, wish: str) -> None:
        key = data.draw(st.sampled_from(sorted(self.model)))
        each = self.model[key]
        allowed = {
            "retry": {S.PENDING, S.DEAD, S.EXPIRED, S.DROPPED},
            "drop": {S.PENDING},
            "resend": {S.DELIVERED, S.DEAD, S.EXPIRED, S.DROPPED},
        }
        job = getattr(managing, wish)
        if each.state not in allowed[wish]:
            with pytest.raises(UsageError):
                job(self.connection, key, self.now)
            return
        view = job(self.connection, key, self.now)
        if wish == "retry":
            each.state, each.next_at, each.forced, each.settled_at = S.PENDING, self.now, True, None
        elif wish == "drop":
            each.state, each.next_at, each.settled_at = S.DROPPED, None, self.now
        else:
            assert view.id > max(self.model)
            assert view.webhook_id not in {other.webhook_id for other in self.model.values()}
            self.model[view.id] = Model(
                each.destination, view.webhook_id, self.now, each.event_id, next_at=self.now, forced=True
            )

    @rule(age=st.sampled_from([100.0, 4000.0]))
    def purge(self, age: float) -> None:
        before = self.now - age
        while history.purge(self.connection, before, before, 0.0):
            pass
        left = {row[0] for row in self.connection.execute("SELECT id FROM deliveries")}
        for key in set(self.model) - left:
            gone = self.model.pop(key)
            assert gone.settled_at is not None, "what waits is never forgotten"
            assert gone.settled_at < before

    @invariant()
    def the_ledger_agrees(self) -> None:
        rows = self.connection.execute(
            "SELECT id, destination, webhook_id, born_at, state, attempts, next_at, forced, settled_at FROM deliveries"
        )
        found = {row[0]: row[1:] for row in rows}
        expected = {
            key: (
                each.destination, each.webhook_id, each.born_at, each.state.value, each.attempts,
                found[key][5] if each.state is S.SENDING else each.next_at, int(each.forced), each.settled_at,
            )
            for key, each in self.model.items()
        }  # fmt: skip
        assert found == expected

    @invariant()
    def nothing_hangs(self) -> None:
        """Each is waiting with a due time, being sent, or settled."""
        stuck = self.connection.execute(
            "SELECT count(*) FROM deliveries WHERE (state = 'pending' AND next_at IS NULL) "
            "OR ((state IN ('pending', 'sending')) != (settled_at IS NULL))"
        ).fetchone()
        assert stuck == (0,)

    def _capped(self) -> None:
        for each in self.model.values():
            if each.state is S.PENDING and each.next_at is not None:
                each.next_at = min(each.next_at, self.now + LATEST)


def _among(key: int, claimed: list[Claimed]) -> bool:
    return any(each.id == key for each in claimed)


TestDeliveries = Deliveries.TestCase
TestDeliveries.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
