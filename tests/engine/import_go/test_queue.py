"""retry_state.json: what waits goes on waiting, once, under the name of its destination."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsjustintv_desktop.engine.config.load import parse
from itsjustintv_desktop.engine.config.schema import Retry
from itsjustintv_desktop.engine.core.models import DeliveryState, EventState
from itsjustintv_desktop.engine.delivery import formats, schedule
from itsjustintv_desktop.engine.import_go import announcements
from itsjustintv_desktop.engine.import_go.announcements import Reading
from itsjustintv_desktop.engine.import_go.names import Names
from itsjustintv_desktop.engine.import_go.payload import Pictures
from itsjustintv_desktop.engine.import_go.report import State
from itsjustintv_desktop.engine.storage.ledger.importing import QUEUE
from tests.engine.import_go.gofolder import ALICE_URL, CONFIG, GLOBAL_URL, PNG, GoFolder, payload, waiting, when
from tests.support.clock import START

NAME = "retry_state.json"
KEYS = [
    "webhook_url", "payload", "streamer_key", "attempt", "next_retry", "timestamp", "success", "error", "image", "url",
    "data", "stream", "id", "tags", "streamer_login", "streamer_id", "streamer_name", "started_at", "view_count",
]  # fmt: skip
ELSEWHERE = "https://elsewhere.example/hook"


async def test_each_waits_on_with_its_attempts_and_its_time(go: GoFolder) -> None:
    go.queue(waiting(), waiting("bob", GLOBAL_URL, attempt=1, next_retry=when(90)))
    part = await go.part(NAME)
    assert (part.state, part.taken, part.already, part.left_out) == (State.DONE, 2, 0, 0)
    hers, his = await go.deliveries()
    assert (hers.streamer, hers.destination, hers.state, hers.attempts) == ("alice", "alice", "pending", 2)
    assert (his.streamer, his.destination, his.state, his.attempts) == ("bob", "global", "pending", 1)
    assert hers.next_at == pytest.approx(START + 30.12, abs=0.01)
    assert hers.webhook_id.startswith("msg_")
    for event in await go.events():
        assert (event.state, event.event.source) == (EventState.ANNOUNCED, QUEUE)
        assert event.event.received_at == pytest.approx(START - 60, abs=1)


async def test_again_makes_none_more_and_keeps_the_webhook_ids(go: GoFolder) -> None:
    go.queue(waiting(), waiting("bob", GLOBAL_URL))
    await go.move()
    before = await go.deliveries()
    go.clock.advance(500)
    part = await go.part(NAME)
    assert (part.taken, part.already) == (0, 2)
    assert await go.deliveries() == before


async def test_the_same_entry_twice_is_one(go: GoFolder) -> None:
    go.queue(waiting(), waiting(attempt=1))
    part = await go.part(NAME)
    assert (part.taken, part.already) == (1, 1)


async def test_an_address_that_nobody_has_is_a_dead_letter_that_says_what_to_do(go: GoFolder) -> None:
    go.queue(waiting("bob", ELSEWHERE + "/alices-token"))
    part = await go.part(NAME)
    (dead,) = await go.deliveries()
    assert (dead.state, dead.attempts) == (DeliveryState.DEAD, 2)
    assert dead.last_error is not None
    assert "elsewhere.example" in dead.last_error
    assert dead.destination in dead.last_error
    assert any(dead.destination in note for note in part.notes)
    assert not any("alices-token" in note for note in part.notes)
    # As advised: a destination of that name, and it can be sent.
    ledger = await go.ledger()
    try:
        again = await ledger.resend(dead.id)
    finally:
        await ledger.close()
    assert (again.destination, again.state) == (dead.destination, DeliveryState.PENDING)


async def test_an_address_corrected_in_ours_is_followed_by_name(go: GoFolder) -> None:
    go.ours(
        '[secrets]\nstore = "passphrase"\n[streamers.alice]\nuser_id = "100"\n'
        'target_webhook_url = "https://new.example/alice"\n'
    )
    go.queue(waiting())
    await go.move()
    (delivery,) = await go.deliveries()
    assert (delivery.destination, delivery.state) == ("alice", DeliveryState.PENDING)


async def test_of_two_destinations_with_one_address_the_streamers_own_is_taken(go: GoFolder) -> None:
    go.config(
        '[secrets]\nstore = "passphrase"\n'
        f'[destinations.first]\nurl = "{ALICE_URL}"\n[streamers.alice]\ntarget_webhook_url = "{ALICE_URL}"\n'
    )
    go.queue(waiting())
    await go.move()
    assert [each.destination for each in await go.deliveries()] == ["alice"]


async def test_an_address_in_the_vault_is_found(go: GoFolder) -> None:
    go.queue()
    await go.move(move_secrets=True)
    assert GLOBAL_URL not in go.paths.config.read_text()
    (go.root / "config.toml").unlink()
    go.queue(waiting("bob", GLOBAL_URL))
    await go.move()
    assert [(each.destination, each.state) for each in await go.deliveries()] == [("global", "pending")]


async def test_a_vault_that_is_shut_is_no_reason_to_give_up(go: GoFolder) -> None:
    await go.move(move_secrets=True)
    (go.root / "config.toml").unlink()  # it would tell the name as well
    go.queue(waiting(), waiting("bob", GLOBAL_URL))
    moved = await go.move(environ={"ITSJUSTINTV_PASSPHRASE": "a wrong one"})
    part = {each.name: each for each in moved.parts}[NAME]
    assert (moved.ok, part.state, part.taken) == (False, State.FAILED, 1)
    assert "repeat" in " ".join(part.notes)
    part = await go.part(NAME)
    assert (part.state, part.taken, part.already) == (State.DONE, 1, 1)
    assert sorted(each.destination for each in await go.deliveries()) == ["alice", "global"]


@pytest.mark.parametrize("kind", ["json", "discord", "slack"])
async def test_what_is_stored_can_be_sent_in_every_format(go: GoFolder, kind: Any) -> None:
    go.queue(waiting())
    await go.move()
    (event,) = await go.events()
    stored = msgspec.json.decode(event.payload or b"")
    assert (stored["enriched"], stored["test"], stored["event"]["id"]) == (False, False, str(event.id))
    assert {"view_count", "followers_count", "description", "image", "stream.title"} <= set(stored["missing"])
    assert "tags" not in stored["missing"]
    body = formats.named(kind).render(stored, None)
    text = body.decode()
    assert "Alice" in text
    if kind == "json":
        sent = msgspec.json.decode(body)
        assert set(sent) == set(formats.json.KEYS)
        assert sent["stream"]["id"] == ""
        assert sent["event"]["message_id"] is None


async def test_a_picture_in_a_payload_is_kept(go: GoFolder) -> None:
    import base64

    image = {"url": "", "width": 9, "height": 9, "mime_type": "image/jpeg", "data": base64.b64encode(PNG).decode()}
    broken = {**image, "data": base64.b64encode(b"<html>").decode()}
    go.queue(waiting(payload=payload(image=image)), waiting(payload=payload("bob", image=broken)))
    await go.move()
    first, second = [msgspec.json.decode(event.payload or b"") for event in await go.events()]
    kept = go.paths.images / f"{first['image']['sha256']}.png"
    assert kept.read_bytes() == PNG
    assert (first["image"]["width"], first["image"]["mime_type"]) == (1, "image/png"), "what it is, not what it says"
    assert second["image"] is None
    assert "image" in second["missing"]


@pytest.mark.parametrize(
    ("written", "due"),
    [
        ("0001-01-01T00:00:00Z", 0.0),
        ("9999-12-31T23:59:59Z", schedule.longest_delay(Retry())),
        ("not a time", 0.0),
        (None, 0.0),
        (12, 0.0),
        (when(-86400), 0.0),
    ],
)
async def test_a_due_time_that_cannot_be_is_now_or_the_longest_wait(go: GoFolder, written: Any, due: float) -> None:
    go.queue(waiting(next_retry=written))
    await go.move()
    assert [each.next_at for each in await go.deliveries()] == [START + due]


@pytest.mark.parametrize("written", ["0001-01-01T00:00:00Z", "9999-01-01T00:00:00Z", "", None, 5, [], "2026-99-99"])
async def test_news_without_a_time_is_as_old_as_the_file_at_most(go: GoFolder, written: Any) -> None:
    go.queue(waiting(payload=payload(timestamp=written)))
    part = await go.part(NAME)
    assert part.taken == 1
    (event,) = await go.events()
    assert event.event.received_at == START  # this file is younger than the test's clock


async def test_what_is_too_old_is_taken_over_and_announced_as_lost(go: GoFolder) -> None:
    go.queue(waiting(payload=payload(at=-3 * 86400)))
    part = await go.part(NAME)
    assert part.taken == 1
    assert any("max_age" in note for note in part.notes)


@pytest.mark.parametrize("attempt", [-1, "2", None, 2.5, True, 10**30, [1]])
async def test_attempts_that_cannot_be(go: GoFolder, attempt: Any) -> None:
    go.queue(waiting(attempt=attempt))
    assert (await go.part(NAME)).taken == 1
    (delivery,) = await go.deliveries()
    assert 0 <= delivery.attempts <= 10_000


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text() | st.sampled_from([ALICE_URL, when(), "alice"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | st.text(), inner, max_size=6),
    max_leaves=25,
)


@given(entry=st.dictionaries(st.sampled_from(KEYS), JSON, max_size=8) | JSON)
def test_any_entry_is_an_event_or_left_out_with_a_reason(entry: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    config = parse(CONFIG, file="config.toml", environ={}).config
    names = Names(config, None, {})
    pictures = Pictures(tmp_path_factory.getbasetemp() / "pictures")
    for reading, events in (
        (
            first := Reading(),
            announcements.queued(
                [entry], first, names, pictures, now=START, latest=START + 9, written_at=START, max_age=60.0,
                vault_is_shut=False,
            ),
        ),
        (
            second := Reading(),
            announcements.past([entry], second, names, pictures, addresses={}, now=START, history=1e9),
        ),
    ):  # fmt: skip
        made = list(events)
        assert len(made) + len(reading.left_out) + reading.old >= 1
        for event in made:
            stored = msgspec.json.decode(event.payload("1"))
            assert set(stored) == set(formats.json.KEYS)
            assert event.event.received_at <= START
            for kind in ("json", "discord", "slack"):
                formats.named(kind).render(stored, None)


BROKEN: list[Any] = [
    5, None, "text", [], {}, {"webhook_url": ALICE_URL}, {"webhook_url": ALICE_URL, "payload": []},
    {"webhook_url": ALICE_URL, "payload": {}}, {"payload": payload()}, waiting(url=""), {**waiting(), "webhook_url": 7},
    {**waiting(), "payload": {"tags": 5}, "streamer_key": 9},
]  # fmt: skip


async def test_broken_entries_among_good_ones_are_named_by_index(go: GoFolder) -> None:
    go.queue(waiting(), *BROKEN, waiting("bob", GLOBAL_URL, unknown={"deep": [1, {"x": None}]}))
    part = await go.part(NAME)
    assert (part.state, part.taken, part.left_out) == (State.DONE, 2, len(BROKEN))
    named = [note for note in part.notes if note.startswith("Entry ")]
    assert named[0].startswith("Entry 1 is left out")
    assert any("More entries" in note for note in part.notes)
    assert [each.destination for each in await go.deliveries()] == ["alice", "global"]


async def test_payloads_of_any_shape_are_taken_over_and_can_be_sent(go: GoFolder) -> None:
    odd = [
        payload(tags="English", view_count=-4, followers_count=2**70, description=["x"], image="none"),
        payload(tags=[1, None, "ok", "OK"], view_count=True, language=7, image={"url": "https://x/y.png", "data": 5}),
        payload(streamer_name="\ud800 lone \x00 surrogate", description="\udfff", additional_tags={"a": 1}),
        payload(stream={"id": 5, "title": "x" * 50_000}, event="?", image={"data": "%%%"}),
        payload(deep=_deep(200)),
    ]
    go.queue(*(waiting(payload=each) for each in odd))
    part = await go.part(NAME)
    assert (part.taken, part.left_out) == (len(odd), 0)
    for event in await go.events():
        stored = msgspec.json.decode(event.payload or b"")
        for kind in ("json", "discord", "slack"):
            formats.named(kind).render(stored, None)
    assert (await go.part(NAME)).already == len(odd)


def _deep(levels: int) -> Any:
    found: Any = 1
    for _ in range(levels):
        found = [found]
    return found
