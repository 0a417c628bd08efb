"""The example in docs/payload.md is what the program sends, key for key, and its table names every key."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

from itsjustintv_desktop.engine.announce.payload import build
from itsjustintv_desktop.engine.config.schema import Streamer
from itsjustintv_desktop.engine.core.models import Enrichment, Image, StreamEvent
from itsjustintv_desktop.engine.delivery import formats

PAGE = (Path(__file__).parents[2] / "docs" / "payload.md").read_text(encoding="utf-8")
BEGAN = 1_763_928_000.0
PICTURE = b"a picture"


def example() -> Any:
    found = re.search(r"(?ms)^```json\n(.*?)^```", PAGE)
    assert found is not None
    return json.loads(found.group(1))


def sent() -> Any:
    """What the engine makes of such a stream."""
    event = StreamEvent(
        source="twitch",
        kind="stream.online",
        message_id="befa7b53-d79d-478f-86b9-120f112b044e",
        received_at=BEGAN + 2.25,
        broadcaster_id="12826",
        broadcaster_login="aurora_plays",
        broadcaster_name="Aurora_Plays",
        stream_id="40952121085",
        started_at=BEGAN,
    )
    enrichment = Enrichment(
        login="aurora_plays",
        name="Aurora_Plays",
        description="Games at night.",
        image=Image(
            url="https://static-cdn.jtvnw.net/jtv_user_pictures/aurora-300x300.png",
            sha256="0" * 64,
            mime_type="image/png",
            width=300,
            height=300,
        ),
        tags=("English", "Speedrun"),
        language="en",
        followers_count=1284,
        title="Any% until it works",
        category_id="1469308723",
        category_name="Software and Game Development",
        thumbnail_url="https://static-cdn.jtvnw.net/previews-ttv/live_user_aurora_plays-{width}x{height}.jpg",
        started_at=BEGAN,
        missing=("view_count",),
    )
    payload = build(event, Streamer(key="aurora", additional_tags=("team",)), enrichment, event_id="17")
    body = formats.DEFAULT.render(payload, PICTURE)
    return json.loads(body)


def test_the_example_is_what_is_sent() -> None:
    expected = sent()
    assert expected["image"]["data"] == base64.b64encode(PICTURE).decode()
    expected["image"]["data"] = "iVBORw0KGgo..."
    assert json.dumps(example()) == json.dumps(expected)


def test_the_table_names_every_key() -> None:
    body = sent()
    table = [line for line in PAGE.splitlines() if line.startswith("| `")]
    first = {key for line in table for key in re.findall(r"`([a-z_]+)`", line.split(" | ")[0])}
    assert set(body) <= first
    for group in ("image", "event", "stream"):
        row = next(line for line in table if line.startswith(f"| `{group}` |"))
        listed = re.search(r"`\{([^}]+)\}`", row)
        assert listed is not None
        assert listed.group(1).split(", ") == list(body[group])
