from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import stamina

from itsjustintv_desktop.engine.twitch.profiles import BackgroundRefresh
from tests.engine.twitch.rig import Rig
from tests.engine.twitch.test_enrichment import Enriching
from tests.support.bent import bend, refuse


class Trickling:
    def __init__(self, rig: Rig, enriching: Enriching) -> None:
        self.rig = rig
        self.enriching = enriching
        self.busy = False
        self.watched: list[str] = []
        self.trickle = BackgroundRefresh(
            rig.helix, enriching.profiles, enriching.avatars, busy=lambda: self.busy, clock=rig.clock
        )

    async def until(self, done: Callable[[], bool]) -> None:
        """Run until `done`, then stop."""
        clock = self.rig.clock
        clock.stop_when = done
        clock.stopped.clear()
        work = self.rig.tasks.start("trickle", self.trickle.run(lambda: self.watched))
        await asyncio.wait_for(clock.stopped.wait(), 20)
        work.cancel()
        await asyncio.wait([work])
        assert work.cancelled()


@pytest.fixture
async def trickling(rig: Rig, tmp_path: Path) -> AsyncIterator[Trickling]:
    enriching = Enriching(rig, tmp_path)
    yield Trickling(rig, enriching)
    await enriching.images.close()


def add(trickling: Trickling, count: int) -> None:
    for number in range(count):
        channel = trickling.rig.simulator.add_channel(f"channel_{number}", followers=number)
        trickling.watched.append(channel.user_id)


def complete(trickling: Trickling) -> bool:
    profiles = [trickling.enriching.profiles.get(one) for one in trickling.watched]
    return all(one.login and one.followers is not None and one.image is not None for one in profiles)


def idle(trickling: Trickling, rounds: int = 3) -> Callable[[], bool]:
    """It looked around that often without finding anything to do."""
    return lambda: sum(pause >= 60 for pause in trickling.rig.clock.slept) >= rounds


async def test_everything_is_had_one_call_at_a_time(rig: Rig, trickling: Trickling) -> None:
    add(trickling, 12)
    await trickling.until(lambda: complete(trickling))
    assert dict(rig.simulator.calls) == {"users": 1, "followers": 12}
    assert trickling.enriching.profiles.get(trickling.watched[7]).followers == 7
    assert set(rig.clock.slept) <= {1.0, 2.0}  # 1.0 is the saving of profiles


async def test_when_all_is_fresh_it_rests_until_something_is_a_day_old(rig: Rig, trickling: Trickling) -> None:
    add(trickling, 2)
    await trickling.until(lambda: complete(trickling))
    before, calls, looks = rig.clock.now(), rig.simulator.calls.total(), len(rig.clock.slept)
    await trickling.until(lambda: rig.clock.now() - before > 80000)
    assert rig.simulator.calls.total() == calls
    assert len(rig.clock.slept) - looks < 40
    await trickling.until(lambda: rig.simulator.calls.total() > calls)
    assert 86000 < rig.clock.now() - before < 90100


async def test_nothing_is_called_while_busy_or_low_on_budget(rig: Rig, trickling: Trickling) -> None:
    add(trickling, 2)
    trickling.busy = True
    await trickling.until(lambda: len(rig.clock.slept) > 20)
    assert not rig.simulator.calls
    trickling.busy = False
    rig.client.budget.limit, rig.client.budget.remaining = 800, 300
    rig.client.budget.reset_at = rig.clock.now() + 590
    await trickling.until(lambda: len(rig.clock.slept) > 40)
    assert not rig.simulator.calls


async def test_one_that_is_gone_is_not_asked_for_over_and_over(rig: Rig, trickling: Trickling) -> None:
    add(trickling, 1)
    trickling.watched.append("424242")
    await trickling.until(idle(trickling, rounds=5))
    assert rig.simulator.calls["users"] == 1
    assert rig.simulator.calls["followers"] == 2
    assert complete(trickling) is False
    assert trickling.enriching.profiles.get(trickling.watched[0]).followers == 0


async def test_an_outage_is_met_with_longer_pauses_and_got_over(rig: Rig, trickling: Trickling) -> None:
    add(trickling, 1)
    rig.simulator.faults.set("users", status=403)
    await trickling.until(lambda: 600.0 in rig.clock.slept)
    assert rig.simulator.calls["users"] < 15
    rig.simulator.faults.clear()
    await trickling.until(lambda: complete(trickling))


async def test_a_nudge_wakes_it(rig: Rig, trickling: Trickling) -> None:
    rig.clock.stop_when = lambda: True
    work = rig.tasks.start("trickle", trickling.trickle.run(lambda: trickling.watched))
    await rig.clock.stopped.wait()
    rig.clock.stopped.clear()
    add(trickling, 1)
    trickling.trickle.trigger()
    await rig.clock.stopped.wait()
    assert rig.simulator.calls["users"] == 1
    work.cancel()


@pytest.mark.parametrize(
    ("status", "message"),
    [(401, "Missing required scope"), (401, "Unauthorized"), (403, ""), (404, ""), (410, "Gone"), (500, ""), (503, "")],
)
async def test_followers_that_are_not_to_be_had_keep_nothing_else_from_being_refreshed(
    rig: Rig, trickling: Trickling, monkeypatch: pytest.MonkeyPatch, status: int, message: str
) -> None:
    add(trickling, 3)
    asked = refuse(monkeypatch, rig.http, "/followers", status, message)
    profiles = trickling.enriching.profiles
    with stamina.set_testing(True, attempts=7, cap=True):  # as many as in its ten seconds, without these
        await trickling.until(lambda: all(profiles.get(one).image is not None for one in trickling.watched))
        assert all(profiles.get(one).display_name for one in trickling.watched)
        await rig.helix.streams(trickling.watched)  # the token does well elsewhere
        before = rig.clock.now()
        await trickling.until(lambda: rig.clock.now() - before > 6 * 3600)
    assert len(asked) <= (18 if status >= 500 else 7), "it is given up, for a day or for a while"
    assert rig.simulator.other_calls["token"] <= 2
    assert rig.client.status.ok


async def test_an_answer_without_a_total_is_not_asked_for_over_and_over(
    rig: Rig, trickling: Trickling, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(trickling, 2)
    bend(monkeypatch, rig.http, "/followers", lambda told: told | {"total": None})
    await trickling.until(idle(trickling, rounds=5))
    assert rig.simulator.calls["followers"] == 2
    assert trickling.enriching.profiles.get(trickling.watched[0]).followers is None
