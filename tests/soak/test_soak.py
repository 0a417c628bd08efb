"""The short form of the soak: a minute of everything failing, and its verdict is able to fail."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.soak import gauge, saboteur
from tests.soak.gauge import Sample
from tests.soak.report import table
from tests.soak.soak import Plan, run

SECONDS = float(os.environ.get("SOAK_SECONDS", "75"))


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_a_minute_of_everything_failing(tmp_path: Path) -> None:
    """`SOAK_SECONDS` makes it longer. Memory: what is filled once (caches, pools) is not full after so short a time."""
    lines: list[str] = []
    result = await run(tmp_path, Plan(seconds=SECONDS, streamers=60, every=1.0), lines.append)
    print("\n".join(lines), table(result), sep="\n")
    failures = [one for one in result.failures if not one.startswith("memory grew")]
    assert not failures
    for first, last in result.growth.values():
        assert last - first < 2 * gauge.MOST_GROWTH
    # It was worth something.
    assert result.account.acknowledged > 0.9 * result.plan.rate * SECONDS
    assert len(result.weather) >= 15
    assert len(result.strangers) >= 7
    assert result.account.deliveries["delivered"] > 500
    assert result.most["tasks"] > sum(result.before.tasks.values())


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_with_kills_and_edits_of_the_config(tmp_path: Path) -> None:
    plan = Plan(seconds=30, streamers=30, every=1.0, kills=3, config_edits=True)
    lines: list[str] = []
    result = await run(tmp_path, plan, lines.append)
    print("\n".join(lines), table(result), sep="\n")
    assert not result.failures
    assert sum("kill -9" in line for line in lines) == 3
    assert sum(count for what, count in result.weather.items() if what.startswith("config")) >= 2


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("sabotage", "sees"),
    [
        ("leaks", ("memory grew", "tasks leaked: {'a.leak'")),
        ("loses", ("lost",)),
        ("doubles", ("doubled",)),
        ("errs", ("an error in its log",)),
    ],
)
async def test_a_broken_promise_is_seen(tmp_path: Path, sabotage: str, sees: tuple[str, ...]) -> None:
    plan = Plan(seconds=20, streamers=20, every=0.5, tasks_seconds=3.0)
    result = await run(tmp_path, plan, lambda _: None, program=saboteur.program(sabotage))
    for what in sees:
        assert any(failure.startswith(what) for failure in result.failures), result.failures


def _sample(at: float, rss: float) -> Sample:
    return Sample(at=at, rss=rss, pss=rss, cpu=0, threads=1, descriptors=1, ledger=1, waiting=0)


def test_growth_compares_medians_after_warming_up() -> None:
    climbing = [_sample(at, 50 + at / 60) for at in range(3600)]  # a MB a minute
    first, last = gauge.growth(climbing, lambda one: one.rss, 600, 3600)
    assert last - first == pytest.approx(44, abs=0.1)
    spikes = [_sample(at, 90 if at % 50 == 0 else 50) for at in range(3600)]
    assert gauge.growth(spikes, lambda one: one.rss, 600, 3600) == (50, 50)


def test_a_verdict_needs_samples() -> None:
    with pytest.raises(ValueError, match="too few"):
        gauge.growth([_sample(1, 50)], lambda one: one.rss, 600, 3600)


def test_more_tasks_of_a_name_are_a_leak() -> None:
    assert gauge.leaked({"feed": 1, "gone": 2}, {"feed": 1, "delivery.attempt": 3}) == {"delivery.attempt": 3}
    assert gauge.leaked({"feed": 1}, {"feed": 2}) == {"feed": 1}
