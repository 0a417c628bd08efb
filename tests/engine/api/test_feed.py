"""The live feed, page by page."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from itsjustintv_desktop.engine import FeedItem
from itsjustintv_desktop.engine.api.events import SCAN
from itsjustintv_desktop.engine.core.errors import NotFoundError
from itsjustintv_desktop.engine.core.models import EventState
from itsjustintv_desktop.engine.storage.ledger.records import pack
from tests.support.builders import make_event
from tests.support.engine import Running, running_engine


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    """Nothing contacts Twitch, and no stream is announced by itself."""
    async with running_engine(tmp_path, listen=False) as made:
        await made.engine.pipeline._tasks.stop()
        yield made


async def put(
    running: Running,
    state: EventState = EventState.SUPPRESSED,
    reason: str = "filtered",
    *,
    title: str = "",
    payload: bool = True,
    **details: object,
) -> int:
    """An event in the ledger, settled like this."""
    ledger = running.engine.ledger
    source = "elsewhere"  # the pipeline has no enricher for it and does not see it: it is settled at once
    event = make_event(**{"source": source, "kind": "stream.online", **details})
    body = msgspec.json.encode({"streamer_login": event.broadcaster_login, "stream": {"title": title}, "tags": ["A"]})

    def store(connection):  # type: ignore[no-untyped-def]
        connection.execute(
            "INSERT INTO events(source, kind, message_id, received_at, broadcaster_id, broadcaster_login, "
            "broadcaster_name, stream_id, started_at, subscription_id, detail, test, state, reason, explanation, "
            "streamer, payload, settled_at) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            (
                event.source, event.kind, event.message_id, event.received_at, event.broadcaster_id,
                event.broadcaster_login, event.broadcaster_name, event.stream_id, event.started_at, "", "",
                event.test, state.value, None if state is EventState.ANNOUNCED else reason, "Because.", "alice",
                pack(body) if payload else None, event.received_at,
            ),
        )  # fmt: skip
        return connection.execute("SELECT last_insert_rowid()").fetchone()[0]

    found: int = await ledger._writer.run(store)
    return found


def ids(items: tuple[FeedItem, ...]) -> list[int]:
    return [each.event_id for each in items]


async def test_it_shows_what_a_person_cares_about(running: Running) -> None:
    announced = await put(running, EventState.ANNOUNCED)
    await put(running, EventState.NOTED, "nothing_to_announce")
    suppressed = await put(running)
    missed = await put(running, EventState.SUPPRESSED, "missed", payload=False)
    revoked = await put(running, EventState.NOTED, "revoked", kind="revocation")
    await put(running, EventState.NOTED, "not_watched")
    page = await running.engine.api.feed.page()
    assert ids(page.items) == [revoked, missed, suppressed, announced]
    assert [each.kind for each in page.items] == ["notice", "missed", "suppressed", "announced"]
    assert page.before is None
    for kind, event_id in (
        ("announced", announced),
        ("suppressed", suppressed),
        ("missed", missed),
        ("notice", revoked),
    ):
        assert ids((await running.engine.api.feed.page(kinds=[kind])).items) == [event_id]  # type: ignore[list-item]
    with pytest.raises(NotFoundError):
        await running.engine.api.feed.item(announced + 1)


async def test_pages_join_without_a_gap(running: Running) -> None:
    made = [await put(running, EventState.ANNOUNCED if n % 3 else EventState.SUPPRESSED) for n in range(250)]
    found: list[int] = []
    before = None
    pages = 0
    while pages == 0 or before is not None:
        page = await running.engine.api.feed.page(before, 70)
        found += ids(page.items)
        before = page.before
        pages += 1
        assert len(page.items) <= 70
    assert found == made[::-1]
    assert pages == 4
    assert len((await running.engine.api.feed.page(limit=5000)).items) == 200


@pytest.mark.parametrize("search", ["grand", "GRAND Prix", "  grand prix "])
async def test_a_title_is_found_whatever_its_case(running: Running, search: str) -> None:
    await put(running, title="A quiet evening")
    wanted = await put(running, title="The Grand Prix")
    await put(running, payload=False)
    assert ids((await running.engine.api.feed.page(search=search)).items) == [wanted]


async def test_names_are_found(running: Running) -> None:
    wanted = await put(running, broadcaster_login="müller", broadcaster_name="MÜLLER", payload=False)
    await put(running)
    assert ids((await running.engine.api.feed.page(search="müLL")).items) == [wanted]
    assert len((await running.engine.api.feed.page(search="alice")).items) == 2, "the key in the config"
    assert (await running.engine.api.feed.page(search="evening")).items == ()
    assert (await running.engine.api.feed.page(search="streamer_login")).items == (), "the payload's keys are no text"


async def test_a_long_search_answers_soon_and_says_where_to_go_on(running: Running) -> None:
    def fill(connection):  # type: ignore[no-untyped-def]
        body = pack(b'{"stream": {"title": "nothing of the kind"}}')
        connection.executemany(
            "INSERT INTO events(source, kind, received_at, broadcaster_id, broadcaster_login, broadcaster_name, "
            "stream_id, subscription_id, detail, test, state, streamer, payload) "
            "VALUES ('x', 'stream.online', 1, '1', '', '', '', '', '', 0, 'announced', 'alice', ?)",
            ((body,) for _ in range(SCAN + 500)),
        )

    wanted = await put(running, title="needle")
    await running.engine.ledger._writer.run(fill)
    page = await running.engine.api.feed.page(search="needle")
    assert (page.items, page.before) == ((), wanted + 501)
    page = await running.engine.api.feed.page(page.before, search="needle")
    assert (ids(page.items), page.before) == ([wanted], None)
    began = time.perf_counter()
    await running.engine.ledger.recent(None, {"announced", "suppressed", "noted"})
    print(f"one job of the ledger: {(time.perf_counter() - began) * 1000:.1f} ms")


async def test_what_is_damaged_is_shown_all_the_same(running: Running) -> None:
    event_id = await put(running)

    def damage(connection):  # type: ignore[no-untyped-def]
        connection.execute("UPDATE events SET payload = ?", (b"\xff not json",))

    await running.engine.ledger._writer.run(damage)
    (item,) = (await running.engine.api.feed.page()).items
    assert (item.login, item.title) == ("alice", "")
    with pytest.raises(NotFoundError, match="damaged"):
        await running.engine.api.feed.payload(event_id)


@pytest.mark.parametrize("digest", ["", "..", "0" * 63, "../../ledger.db", "g" * 64])
async def test_only_pictures_can_be_read(running: Running, digest: str) -> None:
    assert await running.engine.api.feed.picture(digest) is None


async def test_a_stream_from_twitch_with_all_its_details(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as running:
        desk = running.engine.api
        running.simulator.state.get("alice").title = "A grand evening"
        stream = await running.simulator.go_live("alice")
        await running.simulator.receiver.wait_for(1, "main")
        await running.settled()
        (item,) = (await desk.feed.page(search="grand")).items
        assert (item.kind, item.streamer, item.login, item.title) == ("announced", "alice", "alice", "A grand evening")
        assert (item.stream_id, item.enriched, item.missing, item.test) == (stream.id, True, (), False)
        assert (item.url, item.can_send_anyway) == ("https://twitch.tv/alice", False)
        assert item.started_at == pytest.approx(stream.started_at, abs=1)
        (delivery,) = item.deliveries
        assert (delivery.destination, delivery.state.value, delivery.last_status) == ("main", "delivered", 204)
        assert item == await desk.feed.item(item.event_id)
        assert item.picture is not None
        picture = await desk.feed.picture(item.picture)
        assert picture is not None
        text = await desk.feed.payload(item.event_id)
        sent = running.simulator.receiver.all[0].json
        shown = msgspec.json.decode(text)
        assert shown["image"]["data"].endswith(f"... ({len(sent['image']['data'])} characters)")
        shown["image"]["data"] = sent["image"]["data"]
        assert shown == sent
        assert '\n  "streamer_login": "alice"' in text


async def test_what_was_not_announced_says_why_and_whether_it_can_be_sent(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as running:
        await running.engine.api.announcements.pause()
        running.simulator.state.get("alice").title = "While paused"
        await running.simulator.go_live("alice")
        await running.settled()
        (item,) = (await running.engine.api.feed.page()).items
        assert (item.kind, item.reason, item.title, item.can_send_anyway) == (
            "suppressed", "paused", "While paused", True,
        )  # fmt: skip
        assert item.explanation
        await running.engine.api.announcements.send_anyway(item.event_id)
        assert (await running.engine.api.feed.item(item.event_id)).kind == "announced"


async def test_what_never_became_an_announcement_has_no_payload(running: Running) -> None:
    event_id = await put(running, EventState.SUPPRESSED, "missed", payload=False)
    with pytest.raises(NotFoundError, match="no payload"):
        await running.engine.api.feed.payload(event_id)
    with pytest.raises(NotFoundError):
        await running.engine.api.feed.payload(event_id + 1)
    (item,) = (await running.engine.api.feed.page()).items
    assert (item.enriched, item.deliveries) == (False, ())
