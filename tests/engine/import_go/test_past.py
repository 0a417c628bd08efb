"""output.json: the past is history, and nothing but that."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from itsjustintv_desktop.engine.core.models import DeliveryState, EventState
from itsjustintv_desktop.engine.import_go import announcements
from itsjustintv_desktop.engine.import_go.report import State
from itsjustintv_desktop.engine.storage.ledger import FEED
from itsjustintv_desktop.engine.storage.ledger.importing import PAST
from tests.engine.import_go.gofolder import ALICE_URL, GoFolder, over, payload, waiting, when
from tests.engine.storage.ledger.book import raw
from tests.support.clock import START

NAME = "output.json"
FAULT = f'Post "{ALICE_URL}": dial tcp 10.0.0.1:443: connect: connection refused'


def output(go: GoFolder) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads((go.paths.data / NAME).read_bytes())
    return entries


async def test_each_stands_in_the_history_with_what_became_of_it(go: GoFolder) -> None:
    go.write(NAME, [over(at=-9000), over("bob", at=-8000, success=False, error=FAULT)])
    part = await go.part(NAME)
    assert (part.taken, part.left_out) == (2, 0)
    hers, his = await go.deliveries()
    assert (hers.streamer, hers.destination, hers.state) == ("alice", "alice", DeliveryState.DELIVERED)
    assert (his.streamer, his.destination, his.state) == ("bob", "global", DeliveryState.DEAD)
    assert his.last_error is not None
    assert "connection refused" in his.last_error
    assert "hooks.example" not in his.last_error
    assert hers.created_at == pytest.approx(START - 9000, abs=1)
    for event in await go.events():
        assert (event.state, event.event.source) == (EventState.ANNOUNCED, PAST)


@pytest.mark.parametrize(
    "error",
    [
        "unexpected answer 404 at /alice?token=alices-token",
        "the token alices-token was refused",
        'Post "https://gone.example/alices-token": EOF',
        {"not": "a text"},
        "alices-token\ud800\x00",
    ],
)
async def test_no_part_of_an_address_is_kept(go: GoFolder, error: Any) -> None:
    go.write(NAME, [over(success=False, error=error)])
    await go.move()
    (failed,) = await go.deliveries()
    assert "alices-token" not in (failed.last_error or "")
    assert "alices-token" not in (go.paths.data / NAME).read_text()


async def test_again_changes_nothing(go: GoFolder) -> None:
    go.write(NAME, [over(at=-at) for at in range(9000, 8000, -10)])
    await go.move()
    before = await go.deliveries(), output(go)
    part = await go.part(NAME)
    assert (part.taken, part.already) == (0, 100)
    assert (await go.deliveries(), output(go)) == before


async def test_ours_begins_with_the_last_of_them_and_hides_addresses(go: GoFolder) -> None:
    entries = [over(at=-at, success=at % 200 != 0, error=FAULT) for at in range(9000, 0, -100)]
    go.write(NAME, entries)
    await go.move()
    kept = output(go)
    assert [entry["timestamp"] for entry in kept] == [entry["timestamp"] for entry in entries[-25:]]
    assert kept[-1]["payload"] == entries[-1]["payload"]
    assert "alices-token" not in json.dumps(kept)


async def test_an_output_json_of_ours_is_left_alone(go: GoFolder) -> None:
    go.paths.data.mkdir(parents=True)
    (go.paths.data / NAME).write_text("[]")
    go.write(NAME, [over()])
    await go.move()
    assert output(go) == []


async def test_a_thousand_of_them_do_not_come_between_our_own_in_the_feed(go: GoFolder) -> None:
    go.write(NAME, [over(at=-at) for at in range(1000, 0, -1)])
    go.queue(waiting())
    await go.move()
    ledger = await go.ledger()
    try:
        feed = await ledger.feed(25)
        assert [entry.deliveries[0].state for entry in feed] == [DeliveryState.PENDING]
        counts = await ledger.counts()
    finally:
        await ledger.close()
    assert counts.by_state == {"delivered": 1000, "pending": 1}
    newest = (await go.deliveries())[-1]
    assert newest.state is DeliveryState.PENDING, "what waits stands above the past"


async def test_one_that_waits_in_the_queue_is_not_over(go: GoFolder) -> None:
    same = payload(at=-60)
    go.write(NAME, [over(), {"timestamp": when(-60), "payload": same, "success": False, "error": "refused"}])
    go.queue(waiting(payload=same))
    await go.move()
    assert [each.state for each in await go.deliveries()] == [DeliveryState.DELIVERED, DeliveryState.PENDING]


async def test_a_streamer_without_any_address_had_the_file_as_its_output(go: GoFolder) -> None:
    go.config('[streamers.alice]\nuser_id = "100"\n')
    go.write(NAME, [over(), over("carol", at=-100, success=False)])
    await go.move()
    (failed,) = await go.deliveries()
    assert (failed.streamer, failed.destination, failed.state) == ("carol", "go-service", DeliveryState.DEAD)
    assert [event.streamer for event in await go.events()] == ["alice", "carol"]


async def test_a_stream_id_keeps_the_stream_from_being_announced_again(go: GoFolder) -> None:
    go.write(NAME, [over(payload=payload(stream={"id": "555"}))])
    await go.move()
    ledger = await go.ledger()
    try:
        asked = [("alice", "100", "555"), (FEED, "100", "555"), ("alice", "100", "556")]
        assert await ledger.announced_to(asked) == {("alice", "100", "555")}
    finally:
        await ledger.close()


async def test_what_is_older_than_the_history_is_not_taken(go: GoFolder) -> None:
    go.write(NAME, [over(at=-31 * 86400.0), over()])
    part = await go.part(NAME)
    assert (part.taken, part.left_out) == (1, 1)
    assert any("history" in note for note in part.notes)


async def test_only_the_newest_are_taken(go: GoFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announcements, "HISTORY", 3)
    go.write(NAME, [over(at=-at) for at in (50, 40, 30, 20, 10)])
    part = await go.part(NAME)
    assert (part.taken, part.left_out) == (3, 2)


BROKEN: list[Any] = [
    None, 7, {}, {"timestamp": when()}, over(payload=None), over(payload="x"), {**over(), "success": "yes"},
    {**over(payload={"tags": []})}, over(timestamp="0001-01-01T00:00:00Z", payload=payload(timestamp="")),
    over(timestamp="9999-12-31T00:00:00Z", payload=payload(timestamp=4)),
]  # fmt: skip


async def test_broken_entries_among_good_ones(go: GoFolder) -> None:
    go.write(NAME, [over(at=-500), *BROKEN, over(at=-400, extra=1)])
    part = await go.part(NAME)
    assert (part.state, part.taken, part.left_out) == (State.DONE, 2, len(BROKEN))
    assert part.notes[0].startswith("Entry 1 is left out")


async def test_a_long_file_says_how_far_it_is(go: GoFolder) -> None:
    go.write(NAME, [over(at=-at) for at in range(200, 0, -1)])
    await go.move()
    assert "output.json: 100 of 200" in go.said


async def test_purging_takes_the_past_away_in_time(go: GoFolder) -> None:
    go.write(NAME, [over(at=-100), over("bob", at=-90)])
    await go.move()
    ledger = await go.ledger()
    try:
        while await ledger.purge(START + 10, START, START):
            pass
    finally:
        await ledger.close()
    with raw(Path(go.paths.ledger)) as connection:
        assert connection.execute("SELECT count(*) FROM events").fetchone() == (1,), "the newest id is kept"
