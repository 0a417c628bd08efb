"""The watchdog of a running engine: work stands still, and it is said, shown, and mended."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.core.events import HealthChanged, Notice
from itsjustintv_desktop.engine.core.models import DeliveryState
from itsjustintv_desktop.engine.monitoring import health, watchdog
from itsjustintv_desktop.engine.monitoring.doctor import doctor
from itsjustintv_desktop.engine.storage.ledger import writer
from tests.support import rawhttp
from tests.support.engine import Running, running_engine
from tests.support.waiting import until


@pytest.fixture
async def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Running]:
    monkeypatch.setattr(watchdog, "EVERY", 0.05)
    monkeypatch.setattr(watchdog, "STUCK_SECONDS", 0.4)
    monkeypatch.setattr(health, "EVERY", 0.02)
    async with running_engine(tmp_path) as running:
        await until(lambda: running.engine.health._known)
        yield running


async def public_health(running: Running) -> int:
    assert running.engine.address is not None
    return (await rawhttp.ask(running.engine.address, rawhttp.request(target="/health"))).status


def hang_once(running: Running, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """The sender's loop stands still in the middle of its work, once."""
    dispatcher, stands = running.engine.dispatcher, asyncio.Event()
    real = dispatcher._round

    async def round_() -> float:
        if stands.is_set():
            return await real()
        stands.set()
        await asyncio.Event().wait()
        return 0.0

    monkeypatch.setattr(dispatcher, "_round", round_)
    dispatcher.wake()
    return stands


@pytest.mark.fault(
    "the worker stops while the API still says 2xx: watch the age of the oldest due delivery",
    seen="/health says 503, a notice tells what stands still; the sender is started again and the delivery arrives",
)
@pytest.mark.expected_errors("work stands still")
async def test_a_sender_that_stands_still_is_told_and_started_again(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = running.engine.subscribe()
    stands = hang_once(running, monkeypatch)
    await until(stands.is_set)
    await running.simulator.go_live("alice")
    await until(lambda: running.engine.watch.stuck)
    report = await running.engine.doctor.health()
    if running.engine.watch.stuck:  # it may be mended by now
        assert report["parts"]["deliveries"]["status"] == "failing"
        assert "due and not sent" in report["parts"]["deliveries"]["reason"]

    async def delivered() -> bool:
        return [view.state for view in await running.deliveries()] == [DeliveryState.DELIVERED]

    await until(delivered)
    await until(lambda: not running.engine.watch.stuck)
    running.engine.health.observe()
    assert await public_health(running) == 200
    _, events = heard.take()
    notices = [event.text for event in events if isinstance(event, Notice)]
    assert sum("due and not sent" in text for text in notices) == 1, "told once"
    changes = [event.status for event in events if isinstance(event, HealthChanged) and event.part == "deliveries"]
    assert changes == ["failing", "ok"]
    assert len(running.simulator.receiver.received("main")) == 1


@pytest.mark.expected_errors("work stands still")
async def test_the_public_port_says_that_it_is_not_well_meanwhile(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running.engine.supervisor, "restart", lambda _: None)
    stands = hang_once(running, monkeypatch)
    await until(stands.is_set)
    assert await public_health(running) == 200
    await running.simulator.go_live("alice")
    await until(lambda: running.engine.watch.stuck)
    assert await public_health(running) == 503
    local = await running.engine.api.diagnostics.doctor(local=True)
    assert not local.ok
    full = {check.name: check for check in (await running.engine.api.diagnostics.doctor()).checks}
    assert full["ledger"].state.value == "red"
    assert "due and not sent" in full["ledger"].message


@pytest.mark.expected_errors("work stands still")
async def test_a_pipeline_that_stands_still_is_started_again(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline, stands = running.engine.pipeline, asyncio.Event()
    real = pipeline._page

    async def page() -> bool:
        if stands.is_set():
            return await real()
        stands.set()
        await asyncio.Event().wait()
        return False

    monkeypatch.setattr(pipeline, "_page", page)
    await running.simulator.go_live("alice")
    await until(stands.is_set)
    await until(lambda: running.engine.watch.announce())

    async def delivered() -> bool:
        return [view.state for view in await running.deliveries()] == [DeliveryState.DELIVERED]

    await until(delivered)
    await until(lambda: running.engine.watch.announce() is None)


@pytest.mark.fault(
    "a disk that hangs in a write",
    seen="Twitch hears 503 at once and sends again; /health says 503; it goes on by itself and nothing is lost",
)
@pytest.mark.expected_errors("does not answer", "could not be taken", "output.json cannot be written")
async def test_a_disk_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "EVERY", 0.05)
    monkeypatch.setattr(watchdog, "LOOK_SECONDS", 0.2)
    monkeypatch.setattr(writer, "HANG_SECONDS", 0.3)
    async with running_engine(tmp_path, resend_delays=(0.3,) * 40) as running:
        engine, simulator = running.engine, running.simulator
        heard = engine.subscribe()
        goes_on = threading.Event()
        hanging = asyncio.ensure_future(engine.ledger._writer.run(lambda _: goes_on.wait(30)))
        try:
            await until(lambda: engine.ledger.hanging)
            assert await public_health(running) == 503
            async with asyncio.timeout(2):
                report = await engine.doctor.health()
                assert not (await engine.api.diagnostics.doctor(local=True)).ok
            assert (report["status"], report["parts"]["ledger"]["status"]) == ("failing", "failing")
            assert "has not finished a write for" in report["parts"]["ledger"]["reason"]
            await simulator.go_live("alice")
            await until(lambda: any(sent.status == 503 for sent in simulator.eventsub.sent))
            await until(lambda: engine.watch._hung)
        finally:
            goes_on.set()
            await hanging
        await until(engine.watch.is_well)
        assert await public_health(running) == 200
        await until(lambda: not engine.watch._hung)
        await until(lambda: simulator.receiver.received("main"), what="Twitch sends again, and it is announced")
        await running.settled()
        assert len(simulator.receiver.received("main")) == 1
        _, events = heard.take()
        assert sum(isinstance(event, Notice) and "disk hangs" in event.text for event in events) == 1


async def test_a_health_report_waits_for_a_hanging_disk_no_longer_than_its_deadline(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anybody noticed that it hangs."""
    monkeypatch.setattr(doctor, "LEDGER_SECONDS", 0.1)
    goes_on = threading.Event()
    hanging = asyncio.ensure_future(running.engine.ledger._writer.run(lambda _: goes_on.wait(30)))
    try:
        async with asyncio.timeout(2):
            assert (await running.engine.doctor.health())["parts"]["deliveries"]["reason"] == ""
    finally:
        goes_on.set()
        await hanging


async def test_a_program_that_is_well_is_left_alone(running: Running) -> None:
    heard = running.engine.subscribe()
    await running.simulator.go_live("alice")
    await running.settled()
    looks = 0
    real = running.engine.watch.look

    async def look() -> None:
        nonlocal looks
        await real()
        looks += 1

    running.engine.watch.look = look  # type: ignore[method-assign]
    await until(lambda: looks >= 10)
    _, events = heard.take()
    assert not [event for event in events if isinstance(event, HealthChanged) and event.status == "failing"]
