"""What was held back by a pause stays so: the table of cases, each played on a real ledger."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from itsjustintv_desktop.engine.announce.pause import Pause
from itsjustintv_desktop.engine.announce.suppression import PausedStreams
from itsjustintv_desktop.engine.config.schema import Twitch
from itsjustintv_desktop.engine.core.events import Bus
from itsjustintv_desktop.engine.core.models import DeliveryState, Enrichment, EventState
from itsjustintv_desktop.engine.storage.ledger import broadcasting
from itsjustintv_desktop.engine.storage.ledger.importing import key_of
from tests.support.builders import make_config
from tests.support.clock import START
from tests.support.waiting import until
from tests.support.world import World, opened_world

WINDOW = 900.0
HOUR = 3600.0
CASES = {
    "begins during the pause": ("pause 60 a", "paused"),
    "told twice during the pause": ("pause 60 a 5 a", "paused paused"),
    "told again after the pause": ("pause 60 a 60 resume 60 a", "paused paused"),
    "told again after the pause and a kill": ("pause 60 a 60 resume kill 60 a", "paused paused"),
    "told again long after": ("pause 60 a resume 7200 a", "paused paused"),
    "came during the pause, told of afterwards": ("pause 60 begin-a 60 resume 60 a", "paused"),
    "crashed and back after the pause": ("pause 60 a 3600 resume 60 off 120 b", "paused paused"),
    "crashed during the pause, back after it": ("pause 60 a 3600 off 60 resume 60 b", "paused announced"),
    "a rehearsal, and the real one during it": ("pause 60 a 60 off 60 b 60 resume", "paused paused"),
    "crashed twice, once during the pause": ("pause 60 a 60 off 60 b 60 resume 60 off 60 c", "paused paused paused"),
    "its second half is told of again": ("pause 60 a resume 60 off 60 b 3600 b", "paused paused paused"),
    "another broadcast, beyond the window": ("pause 60 a 60 resume 60 off 1800 b", "paused announced"),
    "sent anyway, then told again": ("pause 60 a resume send 60 a", "paused already_announced"),
    "sent anyway during the pause, told again": ("pause 60 a send 60 a", "paused already_announced"),
    "sent anyway, then crashed and back": ("pause 60 a resume send 600 off 60 b", "paused restarted"),
    "second half sent, told again": ("pause 60 a resume 9 off 60 b send 60 b", "paused paused already_announced"),
    "second half sent, crashes": ("pause 60 a resume 9 off 60 b send 60 off 60 c", "paused paused restarted"),
    "announced before, told again during it": ("a 60 pause 60 a", "announced already_announced"),
    "announced before, crashes during it": ("a 60 pause 60 off 60 b resume 60 b", "announced restarted restarted"),
    "announced before, crashes after it": ("a 60 pause 60 resume off 60 b", "announced restarted"),
    "announced before, another during it": ("a 60 off 3600 pause 60 b 60 resume b", "announced paused paused"),
    "began as it was resumed": ("pause 60 begin-a resume 1 a", "announced"),
    "began well before it was resumed": ("pause 60 begin-a 3 resume 1 a", "paused"),
    "began and told after it": ("pause 60 resume 60 a", "announced"),
    "two pauses": ("pause 60 a resume 60 off 3600 pause 60 b resume 60 a b", "paused paused paused paused"),
    "a test": ("pause 60 test", "announced"),
}  # fmt: skip
BEGAN = START - 5


class Play:
    """Each word of a script is a step; `outcomes` collects the reason ("announced" for none) of each event told.

    `a`, `b`, ...: Twitch tells of this stream; where not told before, it began two seconds ago, or at `begin-a`.
    `off`: the channel went offline. A number: so many seconds pass. `pause`, `resume`. `send`: the last event is sent
    anyway. `kill`: the program is killed and started again. `test`: a test event.
    """

    def __init__(self, world: World, skew: float = 0.0) -> None:
        """`skew`: Twitch's time minus ours, in seconds."""
        self.world = world
        self.skew = skew
        self.began: dict[str, float] = {}
        self.outcomes: list[str] = []
        self.last = 0
        self.pause: Pause

    async def start(self) -> None:
        world = self.world
        self.pause = pause = Pause(world.ledger, bus=Bus(), clock=world.clock)
        await pause.load()
        world.pipeline._held = PausedStreams(
            world.ledger, active=lambda: pause.active, covers=pause.covers, skew=lambda: self.skew
        )
        world.pipeline._restarts._skew = lambda: self.skew
        world.run_pipeline()

    async def run(self, script: str) -> None:
        for word in script.split():
            await self._step(word)

    async def _step(self, word: str) -> None:
        world = self.world
        if word.isdigit():
            world.clock.advance(float(word))
        elif word == "pause":
            await self.pause.begin(None)
        elif word == "resume":
            await self.pause.resume()
        elif word == "kill":
            await world.restart()
            await self.start()
        elif word == "off":
            await world.settle(kind="stream.offline", stream_id="", started_at=None)
        elif word == "send":
            assert await world.pipeline.send_anyway(self.last) == ("main",)
        elif word.startswith("begin-"):
            self.began[word[-1]] = world.clock.now()
        else:
            began = self.began.setdefault(word, world.clock.now() - 2)
            self.last = await world.accept(stream_id=word, started_at=began + self.skew, test=word == "test")
            record = await world.settled(self.last)
            self.outcomes.append(record.reason or record.state.value)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with opened_world(tmp_path, make_config(twitch=Twitch(restart_window=WINDOW))) as made:
        yield made


@pytest.fixture
async def play(world: World) -> Play:
    made = Play(world)
    await made.start()
    return made


@pytest.mark.parametrize("skew", [0.0, 600.0, -600.0], ids=["right", "behind", "ahead"])
@pytest.mark.parametrize("case", CASES)
async def test_the_table_of_cases(play: Play, case: str, skew: float) -> None:
    """Also with a clock that is ten minutes off: the pause is by ours, the streams begin and end by Twitch's."""
    script, outcomes = CASES[case]
    play.skew = skew
    await play.run(script)
    assert play.outcomes == outcomes.split()
    sent = sum(outcome == "announced" for outcome in play.outcomes) + script.split().count("send")
    assert len(await play.world.ledger.deliveries()) == sent, "one announcement each, or none"


async def test_what_came_during_the_pause_and_is_settled_after_it_is_held_back(play: Play) -> None:
    """Enriching takes seconds, and a kill may lie between."""
    world = play.world
    world.clock.advance(60)
    began = world.clock.now() - 2
    await play.pause.begin(None)
    world.enricher.gate.clear()
    event_id = await world.accept(stream_id="a", started_at=began)
    await until(lambda: world.enricher.asked, what="it is being enriched")
    world.clock.advance(1)
    await play.pause.resume()
    world.clock.advance(60)
    await play.run("kill")
    world.enricher.gate.set()
    assert (await world.settled(event_id)).reason == "paused"


async def test_a_second_half_waits_for_what_becomes_of_the_first(play: Play) -> None:
    world = play.world
    await play.run("pause 60")
    world.enricher.gate.clear()
    now = world.clock.now()
    first = await world.accept(stream_id="a", started_at=now - 300)
    second = await world.accept(stream_id="b", started_at=now - 1, received_at=now)
    await until(lambda: len(world.enricher.asked) == 2, what="both are being enriched")
    world.enricher.gate.set()
    for event_id in (first, second):
        assert (await world.settled(event_id)).reason == "paused"


async def test_the_second_half_says_why_and_has_its_details(play: Play) -> None:
    await play.run("pause 60 a 60 resume 9 off 60 b")
    record = await play.world.ledger.event(play.last)
    assert record is not None
    assert "restart_window (15m)" in (record.explanation or "")
    assert "send anyway" in (record.explanation or "")
    assert record.payload is not None
    await play.run("send")
    (delivery,) = await play.world.ledger.deliveries()
    assert delivery.state is DeliveryState.PENDING


async def test_what_a_filter_held_back_is_none_of_it(play: Play) -> None:
    world = play.world
    streamer = world.config.streamers["alice"]
    world.config = make_config(
        type(streamer)(key="alice", user_id="100", login="alice", destinations=("main",), tag_filter=("Deutsch",)),
        twitch=Twitch(restart_window=WINDOW),
    )
    await play.run("60 a")
    assert play.outcomes == ["filtered"]
    world.enricher.facts = Enrichment(tags=("Deutsch",))
    await play.run("60 a")
    assert play.outcomes == ["filtered", EventState.ANNOUNCED.value]


async def remember(world: World, stream_id: str) -> None:
    key = key_of("100", stream_id, BEGAN)
    assert key is not None
    await world.ledger.keep_told([(key, START + 7200)])
    world.run_pipeline()


async def test_it_is_suppressed_with_the_reason_and_can_be_sent_anyway(world: World) -> None:
    await remember(world, "of-go")
    record = await world.settle(stream_id="of-go", started_at=BEGAN)
    assert (record.state, record.reason, record.streamer) == (EventState.SUPPRESSED, "already_announced", "alice")
    assert "Go service" in (record.explanation or "")
    assert world.enricher.asked == [], "nobody was asked for details of what is not announced"
    assert await world.pipeline.send_anyway(record.id) == ("main",)


@pytest.mark.parametrize("details", [{"stream_id": "ours"}, {"started_at": BEGAN - 9}, {"started_at": None}])
async def test_another_stream_or_another_start_of_it_is_announced(world: World, details: dict[str, Any]) -> None:
    await remember(world, "of-go")
    record = await world.settle(**{"stream_id": "of-go", "started_at": BEGAN, **details})
    assert record.state is EventState.ANNOUNCED


async def test_a_test_is_never_held_back(world: World) -> None:
    await remember(world, "of-go")
    record = await world.settle(stream_id="of-go", started_at=BEGAN, test=True)
    assert record.state is EventState.ANNOUNCED


async def test_nothing_is_looked_up_where_nothing_was_imported(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Sequence[bytes]] = []
    known = []

    async def told(keys: Sequence[bytes]) -> set[bytes]:
        asked.append(keys)
        return set()

    async def has_told() -> bool:
        known.append(1)
        return False

    monkeypatch.setattr(world.ledger, "told", told)
    monkeypatch.setattr(world.ledger, "has_told", has_told)
    world.run_pipeline()
    for _ in range(3):
        await world.settle()
    assert (asked, len(known)) == ([], 1)


async def test_the_second_half_of_one_that_only_asking_found_is_no_new_broadcast(world: World) -> None:
    """The Go service announced the first half; the encoder crashed after this program took over."""
    await remember(world, "of-go")
    sight = broadcasting.Sight(broadcaster_id="100", stream_id="of-go", started_at=BEGAN, at=START, told=False)
    await world.ledger.note_broadcasts([sight])
    world.clock.advance(60)
    record = await world.settle(stream_id="second", started_at=START + 58)
    assert (record.state, record.reason) == (EventState.SUPPRESSED, "restarted")
