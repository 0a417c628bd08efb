"""Every metric of docs/telemetry.md arrives at a collector with the right value, over both protocols."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.monitoring.telemetry.recorder import METRICS
from itsjustintv_desktop.engine.storage.ledger import Ledger
from tests.support.collector import PROTOCOLS, collector
from tests.support.engine import ONE_STREAMER, running_engine
from tests.support.waiting import until

PAGE = Path(__file__).parents[4] / "docs" / "telemetry.md"

CONFIG = (
    ONE_STREAMER
    + """
[destinations.down]
url = "RECEIVER/down"
[destinations.wrong]
url = "RECEIVER/wrong"
[streamers.bob]
login = "bob"
destinations = ["down", "wrong"]
[streamers.carol]
login = "carol"
tag_filter = ["nobody has this"]
[retry]
initial_delay = "10m"
"""
)


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_every_metric_arrives_with_its_value(tmp_path: Path, protocol: str) -> None:
    async with (
        collector(protocol) as collected,
        running_engine(tmp_path, collected.config(protocol) + CONFIG, logins=("alice", "bob", "carol")) as running,
    ):
        simulator = running.simulator
        simulator.faults.set_receiver("down", status=503)
        simulator.faults.set_receiver("wrong", redirect="/elsewhere")
        for login in ("alice", "bob", "carol"):
            await simulator.go_live(login)
        (held, *_) = simulator.eventsub.subscriptions
        await simulator.send(held, {}, signature="sha256=00")
        await running.settled()
        running.engine.telemetry.reloaded("applied")
        running.engine.telemetry.reloaded("rejected")
        running.engine.telemetry.reloaded("applied")
        value = collected.value

        # All is over, so an export that holds the last of it holds everything; gauges follow with the next reading.
        await until(lambda: value("itsjustintv.config.reloads") == 3)
        await until(
            lambda: (
                value("itsjustintv.deliveries.retrying") == value("itsjustintv.deliveries.waiting") == 1
                and value("itsjustintv.deliveries.oldest_due.age") == 0
            )
        )
        assert value("itsjustintv.config.reloads", itsjustintv__outcome="rejected") == 1
        duration = "http.server.request.duration"
        # One of the three subscriptions was confirmed over the same address: 200, a challenge.
        assert value(duration, http__response__status_code=204, http__route="/twitch", url__scheme="http") == 3
        assert value(duration, http__response__status_code=403) == 1
        assert value(duration, http__response__status_code=200) == 3
        assert value("itsjustintv.events.received", itsjustintv__event__kind="stream.online") == 3
        assert value("itsjustintv.events.received", itsjustintv__outcome="new") == 3
        assert value("itsjustintv.events.settled", itsjustintv__event__state="announced") == 2
        assert value("itsjustintv.events.settled", itsjustintv__reason="filtered") == 1
        assert value("itsjustintv.announce.duration", itsjustintv__source="twitch") == 2
        attempts = "itsjustintv.delivery.attempt.duration"
        assert value(attempts, itsjustintv__destination="main", itsjustintv__outcome="delivered") == 1
        assert value(attempts, itsjustintv__destination="down", http__response__status_code=503) == 1
        assert value(attempts, itsjustintv__destination="wrong", itsjustintv__outcome="dead") == 1
        ended = "itsjustintv.deliveries.ended"
        assert value(ended, itsjustintv__destination="main", itsjustintv__delivery__state="delivered") == 1
        assert value(ended, itsjustintv__destination="wrong", itsjustintv__delivery__state="dead") == 1
        assert value(ended) == 2
        assert value("itsjustintv.delivery.latency", itsjustintv__destination="main") == 1
        breaker = "itsjustintv.destination.breaker"
        assert value(breaker, itsjustintv__destination="down", itsjustintv__breaker__state="closed") == 1
        assert value(breaker, itsjustintv__destination="down", itsjustintv__breaker__state="open") == 0
        asked = "http.client.request.duration"
        calls = running.engine.twitch.client.calls
        await until(lambda: value(asked, url__template="/streams") == calls["GET /streams"] > 0)
        await until(lambda: value(asked, url__template="/channels") == calls["GET /channels"] > 0)
        assert value(asked, server__address="127.0.0.1", http__response__status_code=200) > 0

        assert set(collected.metrics) == {metric.name for metric in METRICS}
        for metric in METRICS:
            arrived = collected.metrics[metric.name]
            assert arrived.unit == metric.unit
            kinds = {"counter": "sum", "histogram": "histogram", "gauge": "gauge"}
            assert arrived.WhichOneof("data") == kinds[metric.kind]
            for found, _ in collected.points(metric.name):
                assert set(found) <= set(metric.attributes)


async def test_what_is_overdue_shows_its_age_and_a_shut_breaker_its_state(tmp_path: Path) -> None:
    async with (
        collector("http") as collected,
        running_engine(tmp_path, collected.config("http") + ONE_STREAMER) as running,
    ):
        running.simulator.faults.set_receiver("main", status=410)
        await running.simulator.go_live("alice")
        breaker = "itsjustintv.destination.breaker"
        await until(lambda: collected.value(breaker, itsjustintv__breaker__state="paused") == 1)
        assert collected.value(breaker, itsjustintv__breaker__state="closed") == 0


async def test_what_housekeeping_gives_up_counts_as_failed(tmp_path: Path) -> None:
    config = ONE_STREAMER + '[retry]\ninitial_delay = "10m"\nmax_age = "1h"\n'
    async with collector("http") as collected, running_engine(tmp_path, collected.config("http") + config) as running:
        running.simulator.faults.set_receiver("main", status=503)
        await running.simulator.go_live("alice")
        await until(lambda: collected.value("itsjustintv.deliveries.retrying") == 1)
        engine = running.engine
        ledger: Ledger = engine.ledger
        later = engine.clock.now() + 7200.0
        engine.housekeeping._clock = _At(later)  # type: ignore[assignment]
        await engine.housekeeping._give_up()
        await until(lambda: collected.value("itsjustintv.deliveries.ended", itsjustintv__delivery__state="dead") == 1)
        assert (await ledger.counts()).by_state == {"dead": 1}


class _At:
    def __init__(self, now: float) -> None:
        self._now = now

    def now(self) -> float:
        return self._now


def test_the_page_lists_what_the_code_has() -> None:
    row = re.compile(r"^\| `([a-z._]+)` \| (counter|histogram|gauge) \| (\S+) \| (.*?) \|", re.M)
    rows = row.findall(PAGE.read_text(encoding="utf-8"))
    listed = {(name, kind, unit, tuple(re.findall(r"`([a-z._]+)`", named))) for name, kind, unit, named in rows}
    assert listed == {(each.name, each.kind, each.unit, each.attributes) for each in METRICS}


async def test_waiting_deliveries_are_counted_in_pages(tmp_path: Path) -> None:
    """No count is one long query: whatever is to be accepted comes between two pages."""
    async with running_engine(tmp_path, ONE_STREAMER, logins=("alice",)) as running:
        running.simulator.faults.set_receiver("main", status=503)
        await running.simulator.go_live("alice")
        await running.settled()
        page = await running.engine.ledger.waiting_page(0, 500)
        assert (page.waiting, page.tried, page.last_id) == (1, 1, 1)
        assert (await running.engine.ledger.waiting_page(page.last_id, 500)).waiting == 0
