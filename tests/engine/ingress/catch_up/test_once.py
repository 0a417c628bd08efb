"""One stream, one event, one announcement: whatever is killed, repeated, or happens at the same moment."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from itsjustintv_desktop.engine.core.models import EventState
from itsjustintv_desktop.engine.storage.ledger import broadcasting, catching
from itsjustintv_desktop.engine.storage.ledger.catching import Action, Decision, Find, Known
from itsjustintv_desktop.engine.storage.ledger.importing import key_of
from itsjustintv_desktop.engine.storage.ledger.migrations import migrate
from tests.engine.ingress.catch_up.rig import Net, opened_net
from tests.support.builders import make_event
from tests.support.clock import START
from tests.support.waiting import until

STREAMS = {"1": "fresh", "2": "old", "3": "fresh", "4": "known"}


def judge(find: Find, known: Known) -> Decision:
    if known.events:
        return Decision(Action.NOTHING)
    if find.event.stream_id == "old":
        return Decision(Action.LIST, "alice", "missed", "Too old.")
    return Decision(Action.SUBMIT, "alice")


def caught(connection: sqlite3.Connection) -> None:
    """The job, in a transaction as the writer makes it."""
    finds = [
        Find(make_event(message_id=None, broadcaster_id=channel, stream_id=stream), ("main",))
        for channel, stream in STREAMS.items()
    ]
    connection.execute("BEGIN IMMEDIATE")
    catching.catch_up(connection, [*STREAMS, "5"], finds, judge, START, START)
    connection.execute("COMMIT")


def prepared(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    migrate(connection)
    if not connection.execute("SELECT 1 FROM events").fetchone():
        connection.execute(
            "INSERT INTO events(source, kind, received_at, broadcaster_id, broadcaster_login, broadcaster_name, "
            "stream_id, subscription_id, detail, test, state) "
            "VALUES ('twitch', 'stream.online', ?, '4', '', '', 'known', '', '', 0, 'accepted')",
            (START,),
        )
        broadcasting.note(
            connection,
            [broadcasting.Sight(broadcaster_id="5", stream_id="over", started_at=START - 9000, at=START - 9000)],
        )
    return connection


def state_of(connection: sqlite3.Connection) -> Any:
    events = connection.execute("SELECT stream_id, state, reason FROM events ORDER BY id").fetchall()
    return events, connection.execute("SELECT * FROM broadcasts ORDER BY 1, 2").fetchall()


def test_a_kill_before_any_statement_leaves_all_or_nothing(tmp_path: Path) -> None:
    """Cut off at every statement, then done twice: always the same rows, and one event a stream."""
    whole = prepared(tmp_path / "whole.db")
    statements: list[str] = []
    whole.set_trace_callback(statements.append)
    caught(whole)
    whole.set_trace_callback(None)
    events, broadcasts = state_of(whole)
    assert events == [
        ("known", "accepted", None),
        ("fresh", "accepted", None),
        ("old", "suppressed", "missed"),
        ("fresh", "accepted", None),
    ]
    assert len(broadcasts) == 5
    for cut in range(1, len(statements) + 1):
        path = tmp_path / f"{cut}.db"
        prepared(path).close()
        first = _Dying(path, cut)
        first.run()
        again = prepared(path)
        for _ in range(2):
            caught(again)
        assert state_of(again) == (events, broadcasts), f"cut off before statement {cut} of {len(statements)}"
        again.close()
    whole.close()


class _Dying:
    """Does the job on a connection that is lost before its statement number `cut`."""

    def __init__(self, path: Path, cut: int) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, factory=_Counting)
        assert isinstance(self._connection, _Counting)
        self._connection.left = cut

    def run(self) -> None:
        with pytest.raises(_LostError):
            caught(self._connection)
        self._connection.close()  # what was not committed is gone, as after a kill


class _LostError(BaseException):
    pass


class _Counting(sqlite3.Connection):
    left = 0

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        self.left -= 1
        if self.left < 1:
            raise _LostError
        return super().execute(*arguments)


async def test_killed_between_any_two_steps_it_is_announced_once(tmp_path: Path) -> None:
    """Rounds and pipeline are stopped after every number of ledger jobs, with a message of Twitch's in between."""
    async with opened_net(tmp_path) as net:
        net.watch("alice", "bob")
        alice = await net.live("alice", ago=60)
        await net.live("bob", ago=7200)
        for jobs in range(6):
            await net.world.restart()
            net.catch_up = net.new()
            await _killed_after(net, jobs)
        await net.world.restart()
        net.catch_up = net.new()
        net.world.run_pipeline()
        await net.world.accept(stream_id=alice, broadcaster_id=net.user_id("alice"))
        await net.ask()
        await until(lambda: _nothing_in_work(net))
        records = await net.records()
        assert Counter(record.reason for record in records if record.streamer == "bob") == {"missed": 1}
        assert [record.event.message_id for record in records if record.streamer == "alice"].count(None) == 1
        assert len(await net.world.ledger.deliveries()) == 1


async def _killed_after(net: Net, jobs: int) -> None:
    run, count, dead = net.world.ledger._run, 0, asyncio.Event()

    async def counted(job: Any, *arguments: Any, **named: Any) -> Any:
        nonlocal count
        count += 1
        if count > jobs:
            dead.set()
            await asyncio.Event().wait()
        return await run(job, *arguments, **named)

    net.world.ledger._run = counted  # type: ignore[method-assign]
    net.world.run_pipeline()
    asking = net.world.tasks.start("ask", net.ask())
    await until(lambda: dead.is_set() or asking.done())


async def test_a_message_and_a_poll_at_the_same_moment(net: Net) -> None:
    net.world.run_pipeline()
    net.world.enricher.gate.clear()
    streams = []
    for number in range(12):
        login = f"channel_{number}"
        net.simulator.add_channel(login)
        streams.append((login, await net.live(login, ago=5)))
    net.watch(*(login for login, _ in streams))

    async def told(login: str, stream: str, turns: int) -> None:
        for _ in range(turns):
            await asyncio.sleep(0.001)
        await net.world.accept(stream_id=stream, broadcaster_id=net.user_id(login), broadcaster_login=login)

    others = [net.new() for _ in range(3)]
    await asyncio.gather(
        *(net.ask(other) for other in others),
        *(told(login, stream, number) for number, (login, stream) in enumerate(streams)),
    )
    net.world.enricher.gate.set()
    await until(lambda: _nothing_in_work(net))
    deliveries = await net.world.ledger.deliveries()
    assert len(deliveries) == 12
    records = await net.records()
    announced = [record.event.stream_id for record in records if record.state is EventState.ANNOUNCED]
    assert sorted(announced) == sorted(stream for _, stream in streams)
    polled = Counter(record.event.stream_id for record in records if record.event.message_id is None)
    assert set(polled.values()) <= {1}


async def test_two_polls_at_the_same_moment_list_once(net: Net) -> None:
    await net.live("alice", ago=7200)
    await asyncio.gather(*(net.ask(net.new()) for _ in range(8)))
    assert await net.reasons() == ["missed"]


async def _nothing_in_work(net: Net) -> bool:
    return not await net.world.ledger.unfinished()


def test_a_stream_that_an_answer_names_twice_is_one_event(tmp_path: Path) -> None:
    connection = prepared(tmp_path / "ledger.db")
    find = Find(make_event(message_id=None, broadcaster_id="1", stream_id="fresh"), ("main",))
    caught = catching.catch_up(connection, ["1"], [find, find], judge, START, START)
    connection.close()
    assert [verdict.action for verdict in caught.verdicts] == [Action.SUBMIT, Action.NOTHING]


async def test_a_stream_that_the_go_service_announced_is_not_found_anew(tmp_path: Path) -> None:
    async with opened_net(tmp_path) as net:
        net.watch("alice", "bob")
        stream_id = await net.live("alice", ago=300)
        await net.live("bob", ago=300)
        stream = net.simulator.state.get("alice").stream
        assert stream is not None
        key = key_of(net.user_id("alice"), stream_id, stream.started_at)
        assert key is not None
        await net.world.ledger.keep_told([(key, START + 7200)])
        await net.ask()
        found = [record.event.broadcaster_login for record in await net.records()]
        assert found == ["bob"]
