"""The list of deliveries, and what a person does to many of them."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import pytest

from itsjustintv_desktop.engine import DeliveryFilter
from itsjustintv_desktop.engine.core.errors import LedgerUnavailableError, NotFoundError, UsageError
from itsjustintv_desktop.engine.core.events import DeliveriesChanged, DeliveryChanged, DestinationChanged
from itsjustintv_desktop.engine.core.models import DeliveryState
from tests.support.builders import make_event
from tests.support.counting import jobs_of
from tests.support.engine import Running, running_engine
from tests.support.waiting import until

S = DeliveryState
EVERY = DeliveryFilter()
CONFIG = """
[destinations.main]
url = "RECEIVER/main"
[destinations.spare]
url = "RECEIVER/spare"
[destinations.off]
url = "RECEIVER/off"
enabled = false
[streamers.alice]
login = "alice"
destinations = ["main", "spare"]
"""


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    """Both destinations are paused, so that what is put into the queue stays there."""
    async with running_engine(tmp_path, CONFIG, listen=False, secret=None) as made:
        for name in ("main", "spare"):
            await made.engine.api.destinations.pause(name, "for this test")
        yield made


async def fill(
    running: Running, count: int, *, state: S = S.PENDING, destination: str = "main", streamer: str = "alice"
) -> list[int]:
    """So many deliveries, due in an hour if they wait; their ids, oldest first."""
    now = running.engine.now()

    def store(connection: sqlite3.Connection) -> list[int]:
        if not connection.execute("SELECT 1 FROM events WHERE id = 1").fetchone():
            connection.execute(
                "INSERT INTO events(id, source, kind, received_at, broadcaster_id, broadcaster_login, "
                "broadcaster_name, stream_id, subscription_id, detail, test, state, streamer, payload) "
                "VALUES (1, 'x', 'stream.online', ?, '1', '', '', '1', '', '', 0, 'announced', 'alice', ?)",
                (now, b'{"image": null}'),
            )
        (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM deliveries").fetchone()
        ids = list(range(last + 1, last + count + 1))
        connection.executemany(
            "INSERT INTO deliveries(id, webhook_id, event_id, streamer, destination, state, next_at, born_at, "
            "created_at) VALUES (?,?,1,?,?,?,?,?,?)",
            (
                (each, f"msg_{each}", streamer, destination, state.value,
                 now + 3600 if state is S.PENDING else None, now, now)
                for each in ids
            ),
        )  # fmt: skip
        return ids

    return await running.engine.ledger._writer.run(store)


async def raw(running: Running, question: str) -> list[tuple[object, ...]]:
    return await running.engine.ledger._writer.run(lambda connection: connection.execute(question).fetchall())


# Lists


async def test_pages_join_whatever_is_asked_for(running: Running) -> None:
    a = await fill(running, 130)
    b = await fill(running, 130, state=S.DEAD, destination="spare")
    c = await fill(running, 130, state=S.DELIVERED, streamer="bob")
    every = (a + b + c)[::-1]
    for wanted, expected in (
        (EVERY, every),
        (DeliveryFilter(states=(S.PENDING,)), a[::-1]),
        (DeliveryFilter(states=(S.DEAD, S.PENDING, S.DEAD)), (a + b)[::-1]),
        (DeliveryFilter(destination="spare"), b[::-1]),
        (DeliveryFilter(streamer="bob"), c[::-1]),
        (DeliveryFilter(search="SPAR"), b[::-1]),
        (DeliveryFilter(search="lic"), (a + b)[::-1]),
        (DeliveryFilter(search="nowhere"), []),
        (DeliveryFilter(states=(S.DELIVERED,), destination="spare"), []),
    ):
        found: list[int] = []
        before, calls = None, 0
        while calls == 0 or before is not None:
            page = await running.engine.api.deliveries.page(wanted, before, 50)
            assert len(page.rows) <= 50
            found += [row.id for row in page.rows]
            before, calls = page.before, calls + 1
        assert found == expected, wanted
        assert await running.engine.api.deliveries.count(wanted) == len(expected), wanted


async def test_the_tally_follows_every_change(running: Running) -> None:
    await fill(running, 20)
    ids = await fill(running, 5, destination="spare")
    await running.engine.api.deliveries.drop_many(ids[:3])
    await running.engine.api.deliveries.resend_many(ids[:1])
    await running.engine.ledger.give_up(running.engine.now() + 1, "too old")
    await running.engine.ledger.accept_now(make_event())  # the newest event stays, so that ids are never given twice
    await running.engine.ledger.purge(2e9, 2e9, 2e9)
    await fill(running, 2, state=S.DEAD)
    assert await running.engine.api.deliveries.count(EVERY) == 2
    counted = await raw(running, "SELECT destination, state, count(*) FROM deliveries GROUP BY 1, 2")
    assert await raw(running, "SELECT destination, state, count FROM tally WHERE count > 0") == counted


@pytest.mark.slow
async def test_a_hundred_thousand_cost_no_more(running: Running) -> None:
    await fill(running, 1)
    for _ in range(20):
        await fill(running, 4000, state=S.DELIVERED)
    waiting = [number for _ in range(4) for number in await fill(running, 5000)]
    api, steps = running.engine.api, dict[str, int]()

    async def counted(name: str, call: Awaitable[object]) -> object:
        with jobs_of(running.engine.ledger) as jobs:
            found = await call
        steps[name] = jobs.together
        return found

    assert await counted("count", api.deliveries.count(EVERY)) == 100_001
    await counted("snapshot", api.snapshot.take())
    await counted("page", api.deliveries.page(EVERY))
    await counted("page of a state", api.deliveries.page(DeliveryFilter(states=(S.PENDING,))))
    await counted("page in the middle", api.deliveries.page(EVERY, 50_000))
    await api.deliveries.page(DeliveryFilter(search="spare"))
    await api.deliveries.count(DeliveryFilter(streamer="bob"))
    await api.deliveries.drop_many(waiting[:500])
    for name in ("main", "spare"):
        await api.destinations.resume(name)
    await api.deliveries.retry_all()
    print(steps)
    assert max(steps.values()) < 100_000, "as many as there are rows"


# Changes


async def test_another_due_time(running: Running) -> None:
    (one,) = await fill(running, 1)
    heard = running.engine.subscribe()
    at = running.engine.now() + 600
    assert (await running.engine.api.deliveries.set_due(one, at)).next_at == at
    view = await running.engine.api.deliveries.set_due(one, 5.0)
    assert view.next_at == pytest.approx(running.engine.now(), abs=5)
    assert [each.next_at for each in heard._events if isinstance(each, DeliveryChanged)] == [at, view.next_at]
    assert await raw(running, "SELECT forced FROM deliveries") == [(0,)]


async def test_a_due_time_stays_within_the_rules(running: Running) -> None:
    (one,) = await fill(running, 1)
    (done,) = await fill(running, 1, state=S.DELIVERED)
    desk, now = running.engine.api, running.engine.now()
    for at in (now + 40 * 60, float("inf"), float("nan")):
        with pytest.raises(UsageError, match=r"36 min at most \(\[retry\] max_delay\)|35 min"):
            await desk.deliveries.set_due(one, at)
    with pytest.raises(UsageError, match="only a waiting one"):
        await desk.deliveries.set_due(done, now + 60)
    with pytest.raises(NotFoundError):
        await desk.deliveries.set_due(done + 1, now + 60)
    await running.engine.ledger._writer.run(
        lambda connection: connection.execute("UPDATE deliveries SET born_at = ?", (now - 86400 + 300,)).rowcount
    )
    with pytest.raises(UsageError, match="max_age"):
        await desk.deliveries.set_due(one, now + 600)
    await desk.deliveries.set_due(one, now + 200)


async def test_an_earlier_time_wakes_the_dispatcher(running: Running) -> None:
    (one,) = await fill(running, 1)
    await running.engine.api.destinations.resume("main")
    await running.engine.api.deliveries.set_due(one, running.engine.now() - 1)
    await running.simulator.receiver.wait_for(1, "main")


async def test_many_are_dropped_and_each_other_says_why(running: Running) -> None:
    waiting = await fill(running, 3)
    (done,) = await fill(running, 1, state=S.DELIVERED)
    heard = running.engine.subscribe()
    result = await running.engine.api.deliveries.drop_many([*waiting, waiting[0], done, 999])
    assert (result.done, result.made) == (3, ())
    assert [(each.id, each.reason.split(";")[0]) for each in result.refused] == [
        (done, f"Delivery {done} is delivered already"),
        (999, "There is no delivery 999. See `deliveries list` for those there are."),
    ]
    assert len([each for each in heard._events if isinstance(each, DeliveryChanged)]) == 3
    assert await running.engine.api.deliveries.count(DeliveryFilter(states=(S.DROPPED,))) == 3
    with pytest.raises(UsageError, match="At most 500"):
        await running.engine.api.deliveries.drop_many(range(501))


async def test_many_at_once_are_told_at_once(running: Running) -> None:
    heard = running.engine.subscribe()
    await running.engine.api.deliveries.drop_many(await fill(running, 60))
    assert [type(each) for each in heard._events] == [DeliveriesChanged]


async def test_what_is_paused_by_hand_or_off_is_not_retried(running: Running) -> None:
    (main,) = await fill(running, 1)
    (off,) = await fill(running, 1, destination="off", state=S.DEAD)
    for act in (running.engine.api.deliveries.retry_many, running.engine.api.deliveries.resend_many):
        result = await act([main, off])
        assert result.done == 0
        assert "switched off in the config" in result.refused[1].reason
    assert (await running.engine.api.deliveries.retry_many([main])).refused[0].reason == (
        "The destination main was paused by hand. Resume it first."
    )
    with pytest.raises(UsageError, match="paused by hand"):
        await running.engine.api.deliveries.retry(main)
    with pytest.raises(UsageError, match="paused by hand"):
        await running.engine.api.deliveries.retry_all("main")
    assert await running.engine.api.deliveries.retry_all() == 0
    with pytest.raises(NotFoundError):
        await running.engine.api.deliveries.retry_all("nowhere")


async def test_many_are_retried_and_resent(running: Running) -> None:
    await running.engine.api.destinations.resume("main")
    waiting = await fill(running, 3)
    done = await fill(running, 2, state=S.DELIVERED)
    result = await running.engine.api.deliveries.retry_many([*waiting, *done])
    assert (result.done, [each.id for each in result.refused]) == (3, done)
    await running.simulator.receiver.wait_for(3, "main")
    result = await running.engine.api.deliveries.resend_many(done)
    assert (result.done, len(result.made), set(result.made) & set(done)) == (2, 2, set())
    await running.simulator.receiver.wait_for(5, "main")


async def test_all_that_wait_at_one_destination_are_tried(running: Running) -> None:
    await running.engine.api.destinations.resume("spare")
    await fill(running, 700)
    await fill(running, 700, destination="spare")
    breaker = running.engine.dispatcher.queues.queue("spare").breaker
    breaker.pause("answered 410 Gone", "", running.engine.now())
    heard = running.engine.subscribe()
    assert await running.engine.api.deliveries.retry_all("spare") == 700
    assert DeliveriesChanged(count=700) in heard._events
    await running.simulator.receiver.wait_for(700, "spare", timeout=30)
    assert await running.engine.api.deliveries.count(DeliveryFilter(states=(S.PENDING,))) == 700
    assert running.simulator.receiver.accepted("main") == []


# A destination paused by hand


async def test_it_lasts_across_restarts_and_corrected_addresses(running: Running) -> None:
    found = {each.name: each for each in (await running.engine.snapshot()).destinations}
    assert (found["main"].state, found["main"].reason, found["main"].paused_by_hand) == (
        "paused",
        "for this test",
        True,
    )
    await fill(running, 1)
    running.paths.config.write_text(running.paths.config.read_text().replace("/receiver/main", "/receiver/corrected"))
    await running.restart()
    for address in ("https://wrong.example", "https://corrected.example"):
        assert not running.engine.dispatcher.queues.address("main", address, running.engine.now())
    view = {each.name: each for each in await running.engine.api.destinations.list()}["main"]
    assert view.state == "paused"
    assert view.sentence == "was paused by hand: for this test. Resume it in the app, or with `resume --destination`."
    heard = running.engine.subscribe()
    await running.engine.api.destinations.resume("main")
    assert DestinationChanged(destination="main", state="closed", reason="") in heard._events
    await running.simulator.receiver.wait_for(1, "corrected")


async def test_an_answer_that_was_under_way_does_not_end_it(running: Running) -> None:
    await running.engine.api.destinations.resume("main")
    running.simulator.faults.set_receiver("main", status=410)
    await running.engine.api.deliveries.retry_many(await fill(running, 1))
    await until(lambda: running.engine.dispatcher.queues.states(running.engine.now())["main"][0] == "paused")
    assert not running.engine.dispatcher.queues.paused_by_hand("main")
    await running.engine.api.destinations.pause("main", "by me")
    assert running.engine.dispatcher.queues.states(running.engine.now())["main"] == ("paused", "by me")
    assert running.engine.dispatcher.queues.shut(running.engine.now()) == []


async def test_what_could_not_be_written_down_is_not_paused(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: object) -> None:
        raise LedgerUnavailableError("The disk is full.")

    await running.engine.api.destinations.resume("main")
    monkeypatch.setattr(running.engine.ledger, "save_breaker", full)
    with pytest.raises(LedgerUnavailableError):
        await running.engine.api.destinations.pause("main", "by me")
    assert not running.engine.dispatcher.queues.paused_by_hand("main")
    with pytest.raises(NotFoundError):
        await running.engine.api.destinations.pause("nowhere")


async def test_what_is_held_back_has_no_next_time(running: Running) -> None:
    await fill(running, 2)
    assert (await running.engine.snapshot()).deliveries.next_due is None, "main is paused"
    await running.engine.api.destinations.resume("main")
    await running.simulator.receiver.wait_for(2, "main")
    await fill(running, 1)
    assert (await running.engine.snapshot()).deliveries.next_due is not None
    await running.engine.api.announcements.pause()
    assert (await running.engine.snapshot()).deliveries.next_due is None
