"""How many a day."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.api.statistics import FRESH, Counter, DayNumbers
from itsjustintv_desktop.engine.core.errors import UsageError
from itsjustintv_desktop.engine.storage.ledger import Ledger
from itsjustintv_desktop.engine.storage.ledger.counting import STREAMS_BITE
from tests.support.clock import FakeClock
from tests.support.counting import jobs_of
from tests.support.engine import running_engine
from tests.support.zone import berlin

DAY = 86400.0


class Numbers:
    """A real ledger, and a counter on it whose clock stands at noon."""

    def __init__(self, folder: Path, noon: datetime) -> None:
        self.clock = FakeClock(noon.timestamp())
        self.ledger = Ledger(folder / "ledger.db", self.clock)
        self.counter = Counter(self.ledger, self.clock)

    async def put(
        self,
        at: float,
        state: str = "announced",
        deliveries: tuple[str, ...] = (),
        *,
        test: bool = False,
        stream: str = "",
    ) -> None:
        """`stream`: its id, "" for one of its own."""
        await self.put_many([at], state, deliveries, test=test, stream=stream)

    async def put_many(
        self, moments: list[float], state: str, deliveries: tuple[str, ...], *, test: bool = False, stream: str = ""
    ) -> None:
        def store(connection: sqlite3.Connection) -> None:
            (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM events").fetchone()
            (top,) = connection.execute("SELECT coalesce(max(id), 0) FROM deliveries").fetchone()
            top = max(top, last)
            rows, sent = [], []
            for number, at in enumerate(moments, start=last + 1):
                rows.append((number, at, stream or f"s{number}", test, state))
                for each in deliveries:
                    top = max(top + 1, number)
                    sent.append((top, f"msg_{top}", number, each, at, at))
            connection.executemany(
                "INSERT INTO events(id, source, kind, received_at, broadcaster_id, broadcaster_login, "
                "broadcaster_name, stream_id, subscription_id, detail, test, state) "
                "VALUES (?, 'x', 'stream.online', ?, 'b', '', '', ?, '', '', ?, ?)",
                rows,
            )
            connection.executemany(
                "INSERT INTO deliveries(id, webhook_id, event_id, streamer, destination, state, born_at, created_at) "
                "VALUES (?,?,?,'alice','main',?,?,?)",
                sent,
            )

        await self.ledger._writer.run(store)

    async def days(self, days: int = 3) -> list[tuple[str, int, int, int, int]]:
        return [
            (each.day, each.announced, each.suppressed, each.delivered, each.given_up)
            for each in (await self.counter.days(days)).days
        ]


@pytest.fixture
def zone() -> Iterator[None]:
    with berlin():
        yield


@pytest.fixture
async def numbers(tmp_path: Path, zone: None) -> AsyncIterator[Numbers]:
    made = Numbers(tmp_path, datetime(2027, 3, 29, 12).astimezone())
    await made.ledger.open()
    yield made
    await made.ledger.close()


def at(*moment: int) -> float:
    return datetime(*moment).timestamp()  # type: ignore[arg-type]  # noqa: DTZ001


async def test_each_day_has_its_own(numbers: Numbers) -> None:
    await numbers.put(at(2027, 3, 26, 23, 59), deliveries=("delivered",))  # too old
    await numbers.put(at(2027, 3, 27, 0, 0), deliveries=("delivered", "dead"))
    await numbers.put(at(2027, 3, 27, 23, 59, 59), "suppressed")
    await numbers.put(at(2027, 3, 28, 0, 0), deliveries=("delivered", "pending"))
    await numbers.put(at(2027, 3, 28, 23, 59, 59), deliveries=("expired", "dropped"))
    await numbers.put(at(2027, 3, 29, 0, 0), "noted")
    await numbers.put(at(2027, 3, 29, 11, 0), "suppressed")
    await numbers.put(at(2027, 3, 29, 11, 30), deliveries=("delivered", "delivered", "sending"))
    assert await numbers.days() == [
        ("2027-03-27", 1, 1, 1, 1),
        ("2027-03-28", 1, 0, 1, 1),
        ("2027-03-29", 1, 1, 2, 0),
    ]
    assert (await numbers.counter.days(1)).today.delivered == 2
    first, second, third = (await numbers.counter.days(3)).days
    assert (second.start - first.start, third.start - second.start) == (DAY, DAY - 3600), "summer time began"


async def test_tests_do_not_count(numbers: Numbers) -> None:
    await numbers.put(at(2027, 3, 29, 10, 0), deliveries=("delivered",))
    await numbers.put(at(2027, 3, 29, 11, 0), deliveries=("delivered", "dead"), test=True)
    assert (await numbers.days(1)) == [("2027-03-29", 1, 0, 1, 0)]


async def test_streams_are_counted_and_not_events(numbers: Numbers) -> None:
    """A channel may stand in the config twice: one stream, two events of it."""
    await numbers.put(at(2027, 3, 28, 10, 0), deliveries=("dead",), stream="one")
    await numbers.put(at(2027, 3, 28, 10, 1), deliveries=("delivered",), stream="one")
    await numbers.put(at(2027, 3, 28, 10, 2), "suppressed", stream="one")
    await numbers.put(at(2027, 3, 29, 10, 0), deliveries=("delivered",), stream="one")
    await numbers.put(at(2027, 3, 29, 10, 1), "suppressed", stream="two")
    await numbers.put(at(2027, 3, 29, 10, 2), "suppressed", stream="two")
    await numbers.put(at(2027, 3, 29, 10, 3), stream="three")
    assert await numbers.days(2) == [("2027-03-28", 1, 0, 1, 1), ("2027-03-29", 1, 1, 1, 0)]


@pytest.mark.parametrize(
    ("deliveries", "announced"),
    [
        ((), 1), (("delivered",), 1), (("delivered", "dead"), 1), (("dead",), 0), (("expired",), 0), (("dropped",), 0),
        (("pending",), 0), (("sending", "pending"), 0), (("pending", "delivered"), 1),
    ],
)  # fmt: skip
async def test_announced_is_what_arrived(numbers: Numbers, deliveries: tuple[str, ...], announced: int) -> None:
    await numbers.put(at(2027, 3, 29, 10, 0), deliveries=deliveries)
    assert (await numbers.counter.days(1)).today.announced == announced


async def test_a_test_of_a_stream_does_not_stand_for_it(numbers: Numbers) -> None:
    await numbers.put(at(2027, 3, 29, 9, 0), deliveries=("delivered",), stream="one", test=True)
    await numbers.put(at(2027, 3, 29, 10, 0), deliveries=("delivered",), stream="one")
    assert await numbers.days(1) == [("2027-03-29", 1, 0, 1, 0)]


async def test_more_than_one_job_looks_at(numbers: Numbers) -> None:
    moments = [at(2027, 3, 29, 10, 0)] * (2 * STREAMS_BITE + 1)
    await numbers.put_many(moments, "announced", ("delivered",))
    assert (await numbers.counter.days(1)).today.announced == len(moments)


async def test_nothing_at_all(numbers: Numbers) -> None:
    found = await numbers.counter.days(2)
    assert found.days[0] == DayNumbers(day="2027-03-28", start=at(2027, 3, 28))
    for days in (0, 91):
        with pytest.raises(UsageError):
            await numbers.counter.days(days)


async def test_today_is_counted_each_time_and_other_days_now_and_then(numbers: Numbers) -> None:
    await numbers.days()
    await numbers.put(at(2027, 3, 28, 10, 0))
    await numbers.put(at(2027, 3, 29, 10, 0))
    assert [each[1] for each in await numbers.days()] == [0, 0, 1]
    numbers.clock.advance(FRESH + 1)
    assert [each[1] for each in await numbers.days()] == [0, 1, 1]
    numbers.clock.advance(DAY)
    assert [each[1] for each in await numbers.days()] == [1, 1, 0]


@pytest.mark.slow
async def test_thirty_days_of_a_hundred_thousand(numbers: Numbers) -> None:
    """No job keeps the ledger from what is accepted meanwhile, and what was counted once is not counted again."""
    began = numbers.clock.now() - 30 * DAY
    for part in range(50):
        moments = [began + (part * 1000 + n) * 30 * DAY / 50_000 for n in range(1000)]
        await numbers.put_many(moments, "announced", ("delivered", "dead"))
    with jobs_of(numbers.ledger) as first:
        found = await numbers.counter.days(30)
    with jobs_of(numbers.ledger) as again:
        assert await numbers.counter.days(30) == found
    assert sum(each.delivered for each in found.days) > 47_000
    assert first.most < 300_000
    assert again.together < first.together / 10


async def test_the_engine_counts_what_it_did(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as running:
        await running.simulator.go_live("alice")
        await running.engine.api.announcements.test_event("alice")
        await running.simulator.receiver.wait_for(2, "main")
        await running.settled()
        today = (await running.engine.api.statistics.days()).today
        assert (today.announced, today.delivered, today.given_up, today.suppressed) == (1, 1, 0, 0)
