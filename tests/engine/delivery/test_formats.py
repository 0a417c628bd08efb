from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from itsjustintv_desktop.engine.delivery import formats
from itsjustintv_desktop.engine.delivery.formats.json import KEYS

PICTURE = b"\x89PNG rest"


def render(name: str, payload: dict[str, Any], image_bytes: bytes | None, **options: Any) -> tuple[bytes, str]:
    kind = formats.named(name)
    return kind.render(payload, image_bytes, **options), kind.content_type


def payload(**changes: Any) -> dict[str, Any]:
    stream = {
        "id": "40952121085",
        "title": "Chess & <chat> *live* @everyone",
        "category_id": "743",
        "category_name": "Chess",
        "started_at": "2026-11-23T14:00:00Z",
        "thumbnail_url": "https://static-cdn.jtvnw.net/previews-ttv/live_user_ada-{width}x{height}.jpg",
    } | changes.pop("stream", {})
    image = {
        "url": "https://static-cdn.jtvnw.net/ada-profile_image-300x300.png",
        "width": 300,
        "height": 300,
        "mime_type": "image/png",
        "sha256": "ab" * 32,
    }
    return {
        "streamer_login": "ada_l",
        "streamer_name": "Ada_L",
        "streamer_id": "141981764",
        "url": "https://twitch.tv/ada_l",
        "view_count": 1234,
        "followers_count": 5678,
        "tags": ["Deutsch", "Schach"],
        "language": "de",
        "description": "Zahlen & Züge",
        "image": image,
        "timestamp": "2026-11-23T14:00:05Z",
        "additional_tags": [],
        "event": {"id": "1", "type": "stream.online", "message_id": "m"},
        "stream": stream,
        "enriched": True,
        "missing": [],
        "test": False,
    } | changes


def body(format: str, made: dict[str, Any], image: bytes | None = PICTURE) -> dict[str, Any]:  # noqa: A002
    data, content_type = render(format, made, image)
    assert content_type == "application/json"
    decoded = json.loads(data.decode("utf-8"))
    assert isinstance(decoded, dict)
    return decoded


def test_json_is_the_payload_in_order_with_the_image() -> None:
    made = payload()
    sent = body("json", made)
    assert list(sent) == list(KEYS) == list(made)
    assert list(sent["image"]) == ["url", "width", "height", "mime_type", "data"]
    assert base64.b64decode(sent["image"]["data"]) == PICTURE
    assert {key: sent[key] for key in KEYS if key != "image"} == {key: made[key] for key in KEYS if key != "image"}
    assert "Zahlen & Züge".encode() in render("json", made, PICTURE)[0]


def test_json_without_an_image() -> None:
    sent = body("json", payload(image=None, missing=["image", "view_count"], enriched=False, view_count=None), None)
    assert (sent["image"], sent["view_count"], sent["missing"]) == (None, None, ["image", "view_count"])


def test_json_says_so_when_the_image_file_is_gone() -> None:
    made = payload()
    sent = body("json", made, None)
    assert (sent["image"], sent["missing"], sent["enriched"]) == (None, ["image"], False)
    assert (made["missing"], made["enriched"]) == ([], True)
    assert body("json", made | {"missing": ["image"]}, None)["missing"] == ["image"]


@pytest.mark.parametrize("format", ["json", "discord", "slack"])
def test_the_same_bytes_on_each_attempt(format: str) -> None:  # noqa: A002
    first = render(format, payload(), PICTURE)
    stored = json.loads(json.dumps(payload()))
    assert render(format, stored, PICTURE) == first


@pytest.mark.parametrize("format", ["json", "discord", "slack"])
def test_a_lone_surrogate_still_gives_valid_utf_8(format: str) -> None:  # noqa: A002
    body(format, payload(stream={"title": "half \ud83d an emoji"}, streamer_name="\udc00"))


def test_discord_message() -> None:
    sent = body("discord", payload())
    embed = sent["embeds"][0]
    assert sent["content"] == "**Ada\\_L** is live on Twitch"
    assert sent["allowed_mentions"] == {"parse": []}
    assert embed["title"] == "Chess & \\<chat\\> \\*live\\* \\@everyone"
    assert embed["url"] == "https://twitch.tv/ada_l"
    assert embed["author"] == {
        "name": "Ada_L",
        "url": "https://twitch.tv/ada_l",
        "icon_url": "https://static-cdn.jtvnw.net/ada-profile_image-300x300.png",
    }
    assert embed["fields"] == [
        {"name": "Category", "value": "Chess", "inline": True},
        {"name": "Viewers", "value": "1,234", "inline": True},
    ]
    assert embed["image"]["url"] == (
        "https://static-cdn.jtvnw.net/previews-ttv/live_user_ada-1280x720.jpg?t=1795442405"
    )
    assert embed["timestamp"] == "2026-11-23T14:00:00.000Z"
    assert embed["color"] == 0x9146FF
    assert "footer" not in embed


def test_slack_message() -> None:
    sent = body("slack", payload())
    header, section, picture, context = sent["blocks"]
    assert sent["text"] == "Ada_L is live on Twitch: Chess &amp; &lt;chat&gt; *live* @everyone"
    assert header["text"] == {"type": "plain_text", "text": "Chess & <chat> *live* @everyone", "emoji": False}
    assert section["text"] == {
        "type": "mrkdwn",
        "text": "<https://twitch.tv/ada_l|Ada_L> is live on Twitch\nCategory: Chess\nViewers: 1,234",
    }
    assert section["accessory"]["image_url"] == "https://static-cdn.jtvnw.net/ada-profile_image-300x300.png"
    assert picture["image_url"].endswith("live_user_ada-1280x720.jpg?t=1795442405")
    assert picture["alt_text"] == "Picture of the stream of Ada_L"
    assert context["elements"][0]["text"] == (
        "Since <!date^1795442400^{date_short_pretty} {time}|2026-11-23 14:00 UTC>"
    )


def test_slack_escapes_what_would_ping_or_link() -> None:
    sent = body("slack", payload(streamer_name="<!channel>", stream={"category_name": "<@U1> & <http://x|y>"}))
    text = sent["blocks"][1]["text"]["text"]
    assert "<!channel>" not in sent["text"] + text
    assert "&lt;!channel&gt;" in text
    assert "Category: &lt;@U1&gt; &amp; &lt;http://x|y&gt;" in text


def test_a_test_is_marked_everywhere() -> None:
    discord = body("discord", payload(test=True))
    slack = body("slack", payload(test=True))
    assert discord["content"].startswith("Test: ")
    assert discord["embeds"][0]["footer"]["text"] == "This is a test. Nobody went live."
    assert slack["text"].startswith("Test: ")
    assert slack["blocks"][0]["text"]["text"].startswith("Test: ")
    assert slack["blocks"][-1]["elements"][-1]["text"] == "This is a test. Nobody went live."
    assert body("json", payload(test=True))["test"] is True


BARE: dict[str, Any] = {
    "view_count": None,
    "image": None,
    "stream": {"title": None, "category_name": None, "started_at": None, "thumbnail_url": None},
    "enriched": False,
}


def test_a_message_without_enrichment_is_still_good() -> None:
    discord = body("discord", payload(**BARE), None)["embeds"][0]
    slack = body("slack", payload(**BARE), None)
    assert discord["title"] == "Ada\\_L is live"
    assert "fields" not in discord
    assert "image" not in discord
    assert "icon_url" not in discord["author"]
    assert discord["timestamp"] == "2026-11-23T14:00:05.000Z"
    assert [block["type"] for block in slack["blocks"]] == ["header", "section", "context"]
    assert slack["blocks"][1]["text"]["text"] == "<https://twitch.tv/ada_l|Ada_L> is live on Twitch"


def test_the_viewers_of_the_first_second_are_not_shown_as_zero() -> None:
    assert [field["name"] for field in body("discord", payload(view_count=0))["embeds"][0]["fields"]] == ["Category"]
    assert "Viewers" not in body("slack", payload(view_count=0))["blocks"][1]["text"]["text"]


# What each service refuses a message for. Counted in UTF-16 units, the strictest reading.
texts = st.one_of(
    st.none(),
    st.text(max_size=40),
    st.text(st.sampled_from("\\*_~`|<>&@:🎮é\n\u202e\x00 "), max_size=5000),
    st.builds(lambda text, times: text * times, st.text(min_size=1, max_size=5), st.integers(0, 2000)),
)
addresses = st.one_of(
    texts,
    st.sampled_from(
        [
            "https://x/{width}x{height}.jpg",
            "https://x/a?b=1&c=|",
            "https://x/a?b=1&c=2",
            "https://x/a>b",
            "javascript:alert(1)",
            "https://x/a b",
            "",
        ]
    ),
    st.builds("https://x/{}".format, st.text("a|", max_size=4000)),
)
times = st.one_of(texts, st.sampled_from(["2026-11-23T14:00:00Z", "0001-01-01T00:00:00+23:59", "2026-11-23T14:00:00"]))
payloads = st.builds(
    lambda stream, image, **rest: payload(stream=stream, **rest) | {"image": image},
    streamer_name=texts,
    streamer_login=texts,
    url=addresses,
    timestamp=times,
    view_count=st.one_of(st.none(), st.integers(0, 10**12)),
    test=st.booleans(),
    stream=st.fixed_dictionaries(
        {"title": texts, "category_name": texts, "thumbnail_url": addresses, "started_at": times}
    ),
    image=st.one_of(st.none(), st.fixed_dictionaries({"url": addresses})),
)
WEB = re.compile(r"https?://[!-~]+")


def size(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def is_web(url: str, limit: int) -> bool:
    return WEB.fullmatch(url) is not None and size(url) <= limit


@given(payloads)
@settings(max_examples=150)
def test_discord_limits(made: dict[str, Any]) -> None:
    sent = body("discord", made)
    (embed,) = sent["embeds"]
    assert sent["allowed_mentions"] == {"parse": []}
    assert 1 <= size(sent["content"]) <= 2000
    assert 1 <= size(embed["title"]) <= 256
    assert 1 <= size(embed["author"]["name"]) <= 256
    fields = embed.get("fields", [])
    assert all(1 <= size(field["name"]) <= 256 and 1 <= size(field["value"]) <= 1024 for field in fields)
    parts = [embed["title"], embed["author"]["name"], embed.get("footer", {}).get("text", "")]
    parts += [text for field in fields for text in (field["name"], field["value"])]
    assert sum(map(size, parts)) <= 6000
    urls = [
        embed.get("url"),
        embed["author"].get("url"),
        embed["author"].get("icon_url"),
        embed.get("image", {}).get("url"),
    ]
    assert all(is_web(url, 2048) for url in urls if url is not None)
    assert "timestamp" not in embed or re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", embed["timestamp"])
    # No escape is cut in two: an odd number of backslashes at the end would take the meaning from what follows.
    for text in (embed["title"], *(field["value"] for field in fields)):
        tail = text.rstrip("…")
        assert (len(tail) - len(tail.rstrip("\\"))) % 2 == 0


@given(payloads)
@settings(max_examples=150)
def test_slack_limits(made: dict[str, Any]) -> None:
    sent = body("slack", made)
    assert 1 <= size(sent["text"]) <= 3000
    assert 2 <= len(sent["blocks"]) <= 50
    for block in sent["blocks"]:
        if block["type"] == "header":
            assert 1 <= size(block["text"]["text"]) <= 150
        elif block["type"] == "section":
            assert 1 <= size(block["text"]["text"]) <= 3000
        elif block["type"] == "context":
            assert 1 <= len(block["elements"]) <= 10
            assert all(1 <= size(element["text"]) <= 3000 for element in block["elements"])
        pictures = [block] if block["type"] == "image" else [block["accessory"]] if "accessory" in block else []
        assert all(
            1 <= size(picture["alt_text"]) <= 2000 and is_web(picture["image_url"], 3000) for picture in pictures
        )
    # Each < of ours is a link or a date; each & begins an escape.
    for text in (sent["text"], sent["blocks"][1]["text"]["text"]):
        assert not re.search(r"&(?!amp;|lt;|gt;)", text)
        assert all(found.startswith(("<http://", "<https://")) for found in re.findall(r"<[^>]*>?", text))


@given(payloads)
@settings(max_examples=150)
def test_text_alone_is_within_the_limits_too(made: dict[str, Any]) -> None:
    discord = json.loads(render("discord", made, None, plain=True)[0])
    slack = json.loads(render("slack", made, None, plain=True)[0])
    assert discord.keys() == {"content", "allowed_mentions"}
    assert 1 <= size(discord["content"]) <= 2000
    assert discord["allowed_mentions"] == {"parse": []}
    assert slack.keys() == {"text", "unfurl_links", "unfurl_media"}
    assert 1 <= size(slack["text"]) <= 40_000
    assert all(found.startswith(("<http://", "<https://")) for found in re.findall(r"<[^>]*>?", slack["text"]))


@pytest.mark.parametrize("format", ["discord", "slack"])
@pytest.mark.parametrize("picture", ["data", "link"])
def test_messages_hold_links_whether_the_picture_is_wanted_or_a_link_to_it(format: str, picture: Any) -> None:  # noqa: A002
    made: Any = format
    assert render(made, payload(), None, picture=picture) == render(made, payload(), None)


@pytest.mark.parametrize("format", ["json", "discord", "slack"])
def test_no_pictures_are_no_pictures_and_not_missing_ones(format: str) -> None:  # noqa: A002
    made: Any = format
    text = render(made, payload(stream={"thumbnail_url": None}), PICTURE, picture="none")[0].decode()
    assert "static-cdn" not in text
    assert "image" not in text.replace('"image":null', "")


@pytest.mark.parametrize("unseen", ["\u3164", "\u2800\u2800", "\u00ad", "\ufeff\u2060", "\u200d", "\ufe0f", "\u034f"])
def test_a_title_that_shows_nothing_is_none(unseen: str) -> None:
    made = payload(stream={"title": unseen, "category_name": unseen}, streamer_name=unseen)
    embed = body("discord", made)["embeds"][0]
    assert (embed["title"], embed["author"]["name"]) == ("ada\\_l is live", "ada_l")
    assert [field["name"] for field in embed["fields"]] == ["Viewers"]
    assert body("slack", made)["blocks"][0]["text"]["text"] == "ada_l is live"
