"""Our signatures against those that others made."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsjustintv_desktop.simulator import Simulator, messages
from itsjustintv_desktop.simulator.clock import rfc3339
from itsjustintv_desktop.simulator.messages import signature
from tests.support.reference import REFERENCE

VECTORS = REFERENCE / "vectors"
FILES = sorted(VECTORS.glob("*.json"))


def test_the_published_vector_of_twitch4j() -> None:
    made = signature(
        "Twitch4J",
        "7d4c39a4-10b3-4166-b1fb-56130d1f693b",
        "2020-12-13T14:15:16.1718Z",
        b'{"hello":"world"}',
    )
    assert made == "sha256=2ac8d26bf60837663d8969f3cb4f22f685c8fa0a4b99d533c8bf622ed4596cc6"


@pytest.mark.skipif(not FILES, reason="the messages captured from twitch-cli are not at hand")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_messages_captured_from_twitch_cli(path: Path) -> None:
    vector: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    headers = vector["headers"]
    made = signature(
        vector["secret"],
        headers["Twitch-Eventsub-Message-Id"],
        headers["Twitch-Eventsub-Message-Timestamp"],
        vector["body"].encode(),
    )
    assert (made == headers["Twitch-Eventsub-Message-Signature"]) is vector["hmac_ok"]


@pytest.mark.skipif(not FILES, reason="the messages captured from twitch-cli are not at hand")
@pytest.mark.parametrize(
    ("name", "type_"),
    [("stream-online", "stream.online"), ("stream-offline", "stream.offline"), ("channel-update-v2", "channel.update")],
)
async def test_notifications_have_the_shape_of_twitch_clis(name: str, type_: str) -> None:
    theirs = json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))
    body = json.loads(theirs["body"])
    sim = Simulator()
    channel = sim.add_channel("cool_user")
    stream = sim.state.start_stream(channel, None, 1)
    event = {
        "stream.online": lambda: messages.stream_online(sim.state, channel, stream),
        "stream.offline": lambda: messages.stream_offline(channel),
        "channel.update": lambda: messages.channel_update(channel),
    }[type_]()
    made = sim.eventsub.subscriptions.create(
        {
            "type": type_,
            "version": theirs["headers"]["Twitch-Eventsub-Subscription-Version"],
            "condition": {"broadcaster_user_id": channel.user_id},
            "transport": {"method": "webhook", "callback": "http://127.0.0.1/", "secret": "0123456789"},
        }
    )
    # Captured before 2026-06-26: since then stream.offline names the stream.
    assert event.keys() == body["event"].keys() | ({"id"} if type_ == "stream.offline" else set())
    assert list(made.public()) == list(body["subscription"])
    sent = messages.Sent(made, messages.NOTIFICATION, "id", "now", 0, b"{}")
    ours = messages.headers(sent)
    assert {key for key in theirs["headers"] if key.startswith("Twitch-")} == {
        key for key in ours if key.startswith("Twitch-")
    }


@given(st.floats(0, 4_000_000_000), st.integers(0, 9))
def test_stamps_are_rfc3339_and_tell_the_second(seconds: float, digits: int) -> None:
    text = rfc3339(seconds, digits)
    assert text.endswith("Z")
    assert len(text) == 20 + (digits + 1 if digits else 0)
    assert int(datetime.fromisoformat(text[:19] + "+00:00").timestamp()) == int(seconds)
