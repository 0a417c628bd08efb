"""Health: since when each part is as it is, also when nobody asked meanwhile."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from itsjustintv_desktop.engine import EngineOptions
from itsjustintv_desktop.engine.config import watch
from itsjustintv_desktop.engine.core.clock import SystemClock
from itsjustintv_desktop.engine.core.events import HealthChanged
from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.engine.core.status import Level, Status
from itsjustintv_desktop.engine.engine import Engine
from itsjustintv_desktop.engine.monitoring.health import Health
from tests.support.engine import Running, running_engine
from tests.support.waiting import until

SOURCE = "destination main"


class LaterClock(SystemClock):
    """The real one, ahead by as much as the test says."""

    ahead = 0.0

    def now(self) -> float:
        return super().now() + self.ahead


@pytest.fixture
def clock() -> LaterClock:
    return LaterClock()


@pytest.fixture
async def running(tmp_path: Path, clock: LaterClock) -> AsyncIterator[Running]:
    async with running_engine(tmp_path, clock=clock, listen=False) as running:
        yield running


@pytest.fixture
async def health(running: Running) -> Health:
    """One that nobody else looks at meanwhile."""
    await running.engine.supervisor.end("health")
    running.engine.health._known = None
    return running.engine.health


def part(health: Health, name: str) -> dict[str, Any]:
    found, since = health.observe()[name]
    return {"status": found.level, "since": since, "reason": found.reason}


async def test_since_is_when_it_was_observed_not_when_somebody_asked(
    running: Running, health: Health, clock: LaterClock
) -> None:
    health.observe()
    began = clock.now()
    clock.ahead = 3600
    running.engine.supervisor.broken["feed"] = "OSError"
    health.observe()
    broke = clock.now()
    clock.ahead = 7200
    assert (part(health, "feed"))["since"] == pytest.approx(broke, abs=5)
    assert (part(health, "ledger"))["since"] == pytest.approx(began, abs=5)
    running.engine.supervisor.broken.clear()
    assert (part(health, "feed"))["since"] == pytest.approx(clock.now(), abs=5)


async def test_a_destination_knows_since_when_itself(running: Running, health: Health, clock: LaterClock) -> None:
    breaker = running.engine.dispatcher.queues.queue("main").breaker
    for ago in (500.0, 100.0):
        paused = clock.now() - ago
        breaker.pause("answered 410 Gone", "", paused)
        assert part(health, SOURCE) == {"status": "waiting", "since": paused, "reason": "answered 410 Gone"}
        breaker.resume(clock.now())
        assert SOURCE not in health.observe()


async def test_a_part_that_comes_back_begins_anew(running: Running, health: Health, clock: LaterClock) -> None:
    running.engine.supervisor.broken["feed"] = "OSError"
    health.observe()
    del running.engine.supervisor.broken["feed"]
    health.observe()
    clock.ahead = 3600
    running.engine.supervisor.broken["feed"] = "OSError"
    assert (part(health, "feed"))["since"] == pytest.approx(clock.now(), abs=5)


async def test_the_webhook_secret_waits_since_the_secrets_are_locked(tmp_path: Path, clock: LaterClock) -> None:
    environ = {"ITSJUSTINTV_SECRETS_STORE": "passphrase", "ITSJUSTINTV_TWITCH_WEBHOOK_SECRET": ""}
    async with running_engine(tmp_path, clock=clock, listen=False, environ=environ) as running:
        locked = await running.engine.secrets.refresh()
        assert locked.status == "locked"
        clock.ahead = 3600
        waits = part(running.engine.health, "webhook secret")
        assert (waits["status"], waits["since"]) == ("waiting", locked.since)


# What parts say of themselves, and what is told


async def changes(running: Running, health: Health, name: str, act: Callable[[], object]) -> list[HealthChanged]:
    health.observe()
    heard = running.engine.subscribe()
    act()
    health.observe()
    return [event for event in heard.take()[1] if isinstance(event, HealthChanged) and event.part == name]


async def test_a_part_that_lives_elsewhere_adds_itself(running: Running, health: Health) -> None:
    said: list[Status | None] = [Status(Level.FAILING, "line 3 is wrong", 5.0), None]
    health.add("config", lambda: said[0])
    assert part(health, "config") == {"status": "failing", "since": 5.0, "reason": "line 3 is wrong"}
    assert health.level() == "failing"
    said.pop(0)
    assert "config" not in health.observe()


@pytest.mark.expected_errors("a part could not be looked at")
async def test_a_part_that_breaks_hides_nothing(running: Running, health: Health) -> None:
    def broken() -> Status:
        raise ZeroDivisionError

    health.add("odd", broken)
    parts = health.observe()
    assert parts["odd"][0].level == "failing"
    assert parts["ledger"][0].level == "ok"


async def test_every_part_is_there_in_order(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as running:
        parts = (await running.engine.doctor.health())["parts"]
    assert list(parts) == [
        "config", "ledger", "secrets", "webhook secret", "feed", "twitch", "announce", "announcements", "deliveries",
        "clock", "disk", "files", "loop", "way", "subscriptions", "catching up", "updates",
    ]  # fmt: skip


async def test_trouble_and_its_end_are_told_once_each(running: Running, health: Health) -> None:
    broken = running.engine.supervisor.broken
    (came,) = await changes(running, health, "feed", lambda: broken.update(feed="OSError"))
    assert (came.status, "OSError" in came.reason) == ("failing", True)
    assert await changes(running, health, "feed", lambda: None) == []
    (went,) = await changes(running, health, "feed", lambda: broken.pop("feed"))
    assert (went.status, went.reason) == ("ok", "")


async def test_a_destination_that_recovers_is_told(running: Running, health: Health, clock: LaterClock) -> None:
    breaker = running.engine.dispatcher.queues.queue("main").breaker
    (came,) = await changes(running, health, SOURCE, lambda: breaker.pause("answered 410 Gone", "", clock.now()))
    assert (came.status, came.reason) == ("waiting", "answered 410 Gone")
    (went,) = await changes(running, health, SOURCE, lambda: breaker.resume(clock.now()))
    assert went.status == "ok"


async def test_what_happened_between_two_looks_counts(running: Running, health: Health, clock: LaterClock) -> None:
    """A ledger that failed and healed is well since it healed; a loop that broke again is down since then."""
    health.observe()
    ledger = running.engine.ledger
    ledger._writer.changed_at = clock.now() + 50
    assert (part(health, "ledger"))["since"] == ledger.changed_at
    supervisor = running.engine.supervisor
    supervisor.broken["feed"], supervisor.broken_since["feed"] = "OSError", 7.0
    assert (part(health, "feed"))["since"] == 7.0
    supervisor.broken_since["feed"] = 9.0
    assert (part(health, "feed"))["since"] == 9.0


async def test_a_look_costs_little(tmp_path: Path) -> None:
    many = "".join(f'[destinations.d{n}]\nurl = "RECEIVER/d{n}"\n' for n in range(200))
    async with running_engine(tmp_path, many, logins=(), listen=False, secret=None) as running:
        health = running.engine.health
        for name in running.engine.live.destinations:
            running.engine.dispatcher.queues.queue(name)
        health.observe()
        began = time.process_time()
        for _ in range(20):
            health.observe()
        assert (time.process_time() - began) / 20 < 0.02


async def test_without_a_config_nothing_is_set_up_until_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "EVERY", 0.02)
    monkeypatch.setattr(watch, "SETTLE", 0.02)
    paths = Paths(tmp_path / "config" / "config.toml", tmp_path / "data")
    environ = {"ITSJUSTINTV_SERVER_PORT": "0", "ITSJUSTINTV_SECRETS_STORE": "memory"}
    engine = Engine(EngineOptions(paths=paths, environ=environ))
    await engine.start()
    try:
        config, _ = engine.health.observe()["config"]
        assert (config.level, config.reason) == (
            "failing",
            f"Nothing is set up: there is no config yet at {paths.config}.",
        )
        paths.config.parent.mkdir()
        paths.config.write_text('[streamers.alice]\nlogin = "alice"\n')
        await until(lambda: engine.health.observe()["config"][0].level == "ok")
    finally:
        await engine.stop()
