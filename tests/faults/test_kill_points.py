"""kill -9 at every point of an event's way where the program can be held or made to die."""

from __future__ import annotations

import asyncio
import random
import shutil
import signal
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from itsjustintv_desktop.engine.storage.ledger.migrations import MIGRATIONS
from tests.faults import selfkill
from tests.faults.killing import Scene, scene
from tests.faults.load import Load, Sent
from tests.faults.verdict import Kill, Verdict, examine
from tests.support.process import MODULE
from tests.support.waiting import until

pytestmark = pytest.mark.slow


class Stage:
    """A scene with one stream after the other, told by hand."""

    def __init__(self, made: Scene, record: Callable[[str, object], None] = lambda *_: None) -> None:
        self.scene = made
        self._record = record
        self.serve = made.serve
        self.simulator = made.simulator
        self.receiver = made.simulator.receiver
        self.load = Load(made.simulator, lambda: made.serve.address, 1)
        self.kills: list[Kill] = []

    def stream(self) -> Sent:
        """A channel goes live; nobody was told yet."""
        channel = list(self.simulator.state.channels.values())[len(self.load.sent) % len(self.scene.expected)]
        return self.load.go_live(channel)

    async def start(self, point: str | None = None) -> None:
        self.serve.program = MODULE if point is None else selfkill.program(point)
        await self.serve.started()

    async def kill(self) -> None:
        self.kills.append(Kill(time.time(), True))
        await self.serve.kill()

    async def dead(self) -> None:
        """It killed itself."""
        code = await self.serve.ended()
        assert code == (-signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM), self.serve.tail()
        self.kills.append(Kill(time.time(), True))

    def is_everywhere(self, sent: Sent) -> bool:
        """Whether each destination has taken that stream."""
        taken = {post.name for post in self.receiver.accepted() if post.key and post.key[2] == sent.stream}
        return taken >= set(self.scene.expected[sent.broadcaster]) - {"chat"}

    async def tell(self, sent: Sent) -> None:
        """Post it until it is taken, as Twitch does."""
        await until(lambda: self.load.post(sent), what="the message is taken")

    async def finish(self) -> Verdict:
        """Start it as it should be, let everything settle, stop, and compare; every message was taken by then."""
        await self.start()
        for sent in self.load.sent:
            if not sent.acknowledged:
                await self.tell(sent)
        await until(self.scene.idle, timeout=30.0, what="all is delivered")
        verdict = await examine(self.scene, self.load, self.kills, await self.serve.stop())
        for name, number in verdict.counters().items():
            self._record(name, number)
        assert not verdict.faults()
        return verdict

    def in_ledger(self, query: str, *parameters: Any) -> Any:
        """One value of the ledger as the killed program left it. Asked of a copy: looking must not change it."""
        data = self.scene.paths.data
        aside = data.parent / "copy"
        aside.mkdir(exist_ok=True)
        for name in ("ledger.db", "ledger.db-wal"):
            (aside / name).unlink(missing_ok=True)
            if (data / name).exists():
                shutil.copy(data / name, aside / name)
        (aside / "ledger.db-shm").unlink(missing_ok=True)
        with closing(sqlite3.connect(aside / "ledger.db")) as ledger:
            return ledger.execute(query, parameters).fetchone()[0]


@pytest.fixture
def stage(tmp_path: Path, record_property: Callable[[str, object], None]) -> Callable[..., Any]:
    @asynccontextmanager
    async def make(streamers: int = 3) -> AsyncIterator[Stage]:
        async with scene(tmp_path, streamers=streamers) as made:
            made_stage = Stage(made, record_property)
            try:
                yield made_stage
            finally:
                await made_stage.load.close()

    return make


@pytest.mark.fault(
    "kill -9: between the commit and the 204 to Twitch",
    seen="Nothing: Twitch sends it again, it is known, and announced once.",
)
async def test_after_the_commit_and_before_the_answer(stage: Callable[..., Any]) -> None:
    async with stage() as at:
        await at.start("accepted")
        sent = at.stream()
        assert not await at.load.post(sent)
        await at.dead()
        assert at.in_ledger("SELECT state FROM events WHERE message_id = ?", sent.message.id) == "accepted"
        verdict = await at.finish()  # Twitch sends it again: known, and announced once
        assert sent.tries >= 2
        assert verdict.states["delivered"] == len(at.scene.expected[sent.broadcaster]) == len(at.receiver.all)


@pytest.mark.fault(
    "kill -9: between a POST to Discord and its mark, again and again",
    seen='It gets there twice at most; then `deliveries list`: dead, "it may have arrived".',
)
async def test_while_discord_has_it_and_the_mark_is_missing(stage: Callable[..., Any]) -> None:
    async with stage(10) as at:
        at.simulator.faults.set_receiver("chat", hang=True)
        await at.start()
        sent = at.stream()
        while "chat" not in at.scene.expected[sent.broadcaster]:
            sent = at.stream()
        await at.tell(sent)
        for _ in range(2):
            await until(lambda: at.receiver.received("chat"), what="Discord has it")
            await at.kill()
            at.receiver.clear()
            await at.start()
        at.simulator.faults.clear()
        await until(at.scene.idle, timeout=30.0, what="all has come to an end")
        assert await at.serve.stop() == 0
        assert at.in_ledger("SELECT state FROM deliveries WHERE destination = 'chat'") == "dead"
        assert "so it may have arrived" in at.in_ledger("SELECT last_error FROM deliveries WHERE destination = 'chat'")
        assert (
            at.in_ledger("SELECT count(*) FROM attempts JOIN deliveries ON id = delivery_id WHERE destination = 'chat'")
            == 2
        )
        assert at.receiver.received("chat") == []


@pytest.mark.fault(
    "kill -9: while Twitch's API is asked for title and viewers",
    seen="Nothing: after the start it is asked again, and the announcement is complete.",
)
async def test_while_it_is_enriched(stage: Callable[..., Any]) -> None:
    async with stage() as at:
        for endpoint in ("users", "streams", "channels"):
            at.simulator.faults.set(endpoint, hang=True)
        await at.start()
        sent = at.stream()
        at.simulator.calls.clear()
        await at.tell(sent)
        await until(lambda: at.simulator.calls["streams"], what="Twitch's API is asked")
        await at.kill()
        assert at.in_ledger("SELECT state FROM events") == "accepted"
        at.simulator.faults.clear()
        verdict = await at.finish()
        assert verdict.resumed == 1
        assert all(post.json["enriched"] for post in at.receiver.all if post.name != "chat")


@pytest.mark.parametrize(
    "point",
    [
        pytest.param(
            "announced",
            marks=pytest.mark.fault(
                "kill -9: when the deliveries are stored and nobody was woken",
                seen="Nothing: they are sent at the start.",
            ),
        ),
        pytest.param(
            "claimed",
            marks=pytest.mark.fault(
                "kill -9: when a delivery is marked as being sent and is not yet",
                seen="Nothing: it is sent at the start, with its own webhook-id.",
            ),
        ),
    ],
)
async def test_before_anything_was_sent(stage: Callable[..., Any], point: str) -> None:
    async with stage() as at:
        await at.start(point)
        sent = at.stream()
        await at.tell(sent)
        await at.dead()
        assert not at.receiver.all
        waiting = "pending" if point == "announced" else "sending"
        assert at.in_ledger("SELECT count(*) FROM deliveries WHERE state = ?", waiting)
        verdict = await at.finish()
        assert not verdict.repeats
        assert len(at.receiver.all) == len(at.scene.expected[sent.broadcaster])


@pytest.mark.fault(
    "kill -9: between the receiver's answer and our note of it",
    seen="The receiver gets the POST a second time, with the same webhook-id.",
)
async def test_between_the_answer_and_our_mark(stage: Callable[..., Any]) -> None:
    async with stage() as at:
        await at.start("answered")
        await at.tell(at.stream())
        await at.dead()
        assert at.receiver.accepted()
        verdict = await at.finish()  # sent again, under the same webhook-id: that is checked for all
        assert verdict.repeats >= 1
        assert verdict.interrupted >= 1


@pytest.mark.fault(
    "kill -9: while the receiver's answer is on its way",
    seen="The receiver gets the POST a second time, with the same webhook-id.",
)
@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="processes cannot be stopped here")
async def test_while_the_answer_is_on_its_way(stage: Callable[..., Any]) -> None:
    async with stage() as at:
        at.simulator.faults.set_receiver("*", latency=0.3)
        await at.start()
        sent = at.stream()
        await at.tell(sent)
        names = at.scene.expected[sent.broadcaster]
        await until(lambda: len(at.receiver.all) == len(names), what="every destination has the POST")
        at.serve.process.send_signal(signal.SIGSTOP)
        await at.receiver.wait_for(len(names))
        await at.kill()
        at.simulator.faults.clear()
        verdict = await at.finish()
        assert verdict.repeats == verdict.interrupted == len(names)


@pytest.mark.fault(
    "kill -9: while output.json is replaced", seen="output.json is the old or the new one, whole; then the new one."
)
@pytest.mark.parametrize("renamed", [0, 1])
async def test_while_output_json_is_renamed(stage: Callable[..., Any], renamed: int) -> None:
    async with stage() as at:
        await at.start(f"rename:{renamed}")
        await at.tell(at.stream())
        await at.dead()
        assert len(at.scene.read_output()) == renamed
        assert len(list(at.scene.paths.data.glob(".output.json.*"))) == 1 - renamed
        await at.finish()  # what was half written is gone, and the file is up to date
        assert len(at.scene.read_output()) == 1


@pytest.mark.fault("kill -9: while control.json is replaced", seen="Nothing: the next start writes it anew.")
@pytest.mark.parametrize("renamed", [0, 1])
async def test_while_control_json_is_renamed(stage: Callable[..., Any], renamed: int) -> None:
    async with stage() as at:
        at.serve.program = selfkill.program(f"control:{renamed}")
        await at.serve.start()
        await at.dead()
        assert len(list(at.scene.paths.data.glob(".control.*"))) == 1 - renamed
        at.stream()
        await at.finish()


@pytest.mark.fault("kill -9: while the ledger is made", seen="Nothing: the next start makes it.")
@pytest.mark.slow
async def test_while_the_ledger_is_made(stage: Callable[..., Any]) -> None:
    async with stage() as at:
        for statements in (0, 1, len(MIGRATIONS[0]) // 2, len(MIGRATIONS[0])):
            at.serve.program = selfkill.program(f"migrate:{statements}")
            await at.serve.start()
            await at.dead()
            assert at.in_ledger("PRAGMA user_version") == 0
            assert at.in_ledger("SELECT count(*) FROM sqlite_schema") == 0
        await at.start()
        await at.tell(at.stream())
        await at.serve.stop()
        await at.finish()


@pytest.mark.fault(
    "kill -9: in the middle of a migration of the ledger",
    seen="Nothing: the old version is whole, the next start goes on.",
)
@pytest.mark.slow
async def test_while_the_ledger_is_brought_to_a_newer_version(stage: Callable[..., Any]) -> None:
    async with stage() as at:
        at.simulator.faults.set_receiver("*", status=500)
        await at.start()
        await at.tell(at.stream())
        await until(lambda: at.receiver.all, what="a first attempt")
        await at.serve.stop()
        for statements in (0, 1, 2, 3):
            at.serve.program = selfkill.program(f"upgrade:{statements}")
            await at.serve.start()
            await at.dead()
            assert at.in_ledger("PRAGMA user_version") == len(MIGRATIONS)
            assert at.in_ledger("SELECT count(*) FROM pragma_table_info('events') WHERE name = 'mood'") == 0
            assert at.in_ledger("SELECT count(*) FROM once")
        at.simulator.faults.clear()
        await at.finish()


async def _before_statement(at: Stage, number: int) -> bool:
    """Die before that statement of the ledger, then let all settle. True: all was settled before."""
    await at.start(f"statement:{number}")
    sent = at.stream()
    await at.load.post(sent)
    while at.serve.process.returncode is None:
        if at.is_everywhere(sent):
            await at.scene.idle()  # once nothing is left to do, the asking itself brings it to its end
        await asyncio.sleep(0.02)
    await at.dead()
    stored = at.in_ledger("SELECT count(*) FROM events WHERE message_id = ?", sent.message.id)
    assert stored or not sent.acknowledged
    waiting = at.in_ledger(
        "SELECT count(*) FROM events e LEFT JOIN deliveries d ON d.event_id = e.id "
        "WHERE e.state = 'accepted' OR d.state != 'delivered'"
    )
    await at.start()
    if not sent.acknowledged:
        await at.tell(sent)
    await until(at.scene.idle, timeout=30.0, what="all is delivered")
    await at.kill()
    return bool(stored and not waiting)


async def test_before_some_statements_of_the_ledger(stage: Callable[..., Any]) -> None:
    async with stage() as at:
        for number in random.Random(4).sample(range(40), 2):
            await _before_statement(at, number)
        await at.finish()


@pytest.mark.fault(
    "kill -9: before each statement of the ledger, the commit of Twitch's message included",
    seen="Nothing: what was not acknowledged Twitch sends again, the rest goes on from where it was.",
)
@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_before_every_statement_of_the_ledger(stage: Callable[..., Any]) -> None:
    """All the way of an event, statement by statement."""
    async with stage() as at:
        settled = 0
        for number in count():
            settled = settled + 1 if await _before_statement(at, number) else 0
            if settled == 3:
                break
        print(f"killed before each of {number + 1} statements")
        assert number > 30
        await at.finish()
