from __future__ import annotations

import json

from itsjustintv_desktop.engine.announce.payload import build, merge
from itsjustintv_desktop.engine.config.schema import Streamer
from itsjustintv_desktop.engine.core.models import Enrichment, Image, StreamEvent

EVENT = StreamEvent(
    source="twitch",
    kind="stream.online",
    message_id="m-1",
    received_at=1795421796.5,
    broadcaster_id="12826",
    broadcaster_login="cool_user",
    broadcaster_name="Cool_User",
    stream_id="40001",
    started_at=1795421790.0,
)
STREAMER = Streamer(key="cool", login="cool_user", additional_tags=("Team", "CHESS"))
FULL = Enrichment(
    login="cool_user",
    name="Cool_User",
    description="Hi!",
    image=Image(url="https://x/y.png", sha256="ab" * 32, mime_type="image/png", width=300, height=300),
    tags=("Chess", "Deutsch"),
    language="en",
    view_count=7,
    followers_count=0,
    title="A title",
    category_id="743",
    category_name="Chess",
    thumbnail_url="https://x/{width}x{height}.jpg",
    started_at=1795421791.0,
)


def test_a_full_payload_has_these_keys_in_this_order() -> None:
    payload = build(EVENT, STREAMER, FULL, event_id="17")
    expected = {
        "streamer_login": "cool_user",
        "streamer_name": "Cool_User",
        "streamer_id": "12826",
        "url": "https://twitch.tv/cool_user",
        "view_count": 7,
        "followers_count": 0,
        "tags": ["Chess", "Deutsch", "Team"],
        "language": "de",
        "description": "Hi!",
        "image": {
            "url": "https://x/y.png",
            "width": 300,
            "height": 300,
            "mime_type": "image/png",
            "sha256": "ab" * 32,
        },
        "timestamp": "2026-11-23T08:16:36.500Z",
        "additional_tags": ["Team", "CHESS"],
        "event": {"id": "17", "type": "stream.online", "message_id": "m-1"},
        "stream": {
            "id": "40001",
            "title": "A title",
            "category_id": "743",
            "category_name": "Chess",
            "started_at": "2026-11-23T08:16:31Z",
            "thumbnail_url": "https://x/{width}x{height}.jpg",
        },
        "enriched": True,
        "missing": [],
        "test": False,
    }
    assert json.dumps(payload, ensure_ascii=False) == json.dumps(expected, ensure_ascii=False)


def test_what_is_not_known_is_null_and_named() -> None:
    missing = ("view_count", "followers_count", "tags", "language", "description", "image", "stream.title")
    payload = build(EVENT, STREAMER, Enrichment(missing=missing), event_id="1")
    assert payload["view_count"] is payload["followers_count"] is payload["image"] is None
    assert (payload["tags"], payload["language"], payload["description"]) == (["Team", "CHESS"], "en", "")
    assert payload["stream"]["title"] is None
    assert payload["stream"]["started_at"] == "2026-11-23T08:16:30Z"
    assert (payload["streamer_login"], payload["streamer_name"]) == ("cool_user", "Cool_User")
    assert payload["enriched"] is False
    assert payload["missing"] == list(missing)


def test_a_description_of_ones_own_comes_first_and_is_never_missing() -> None:
    streamer = Streamer(key="cool", login="cool_user", description="Mine")
    assert build(EVENT, streamer, FULL, event_id="1")["description"] == "Mine"
    payload = build(EVENT, streamer, Enrichment(missing=("description",)), event_id="1")
    assert (payload["description"], payload["enriched"], payload["missing"]) == ("Mine", True, [])


def test_one_found_by_polling_and_a_test_say_so() -> None:
    event = StreamEvent(source="twitch", kind="stream.online", message_id=None, received_at=0.0, test=True)
    payload = build(event, Streamer(key="k", login="who", user_id="9"), Enrichment(), event_id="1")
    assert payload["event"]["message_id"] is None
    assert payload["test"] is True
    assert (payload["streamer_id"], payload["streamer_name"], payload["url"]) == ("9", "who", "https://twitch.tv/who")
    assert payload["stream"]["started_at"] is None


def test_merging_keeps_the_first_spelling_of_each() -> None:
    assert merge(["Chess", "chess", ""], ["CHESS", "Élan", "élan"]) == ["Chess", "Élan"]
