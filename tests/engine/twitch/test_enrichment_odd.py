"""Answers of Twitch's that lack something: the announcement lacks that, and nothing else."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from itsjustintv_desktop.engine.core.models import Enrichment, StreamEvent
from itsjustintv_desktop.simulator.state import Channel
from tests.engine.twitch.rig import Rig
from tests.engine.twitch.test_enrichment import Enriching, channel, enriching, live
from tests.support.bent import OTHERS, bend, put, refuse

__all__ = ["channel", "enriching"]


STREAM_FIELDS = {
    "game_id": set(), "game_name": set(), "title": set(), "viewer_count": {"view_count"}, "started_at": set(),
    "language": set(), "thumbnail_url": {"stream.thumbnail_url"}, "tags": set(), "user_login": set(),
    "user_name": set(), "type": set(), "is_mature": set(), "tag_ids": set(),
}  # fmt: skip
CHANNEL_FIELDS = {
    "game_id", "game_name", "title", "tags", "broadcaster_login", "broadcaster_name", "broadcaster_language", "delay",
}  # fmt: skip


@pytest.mark.parametrize("field", STREAM_FIELDS)
async def test_an_odd_field_of_the_stream_costs_that_field(
    rig: Rig, enriching: Enriching, channel: Channel, field: str
) -> None:
    event = await live(rig, channel)
    whole = await enriching.enrich(event)
    for value in OTHERS:
        found = await _with(enriching, event, "/streams", field, value)
        assert set(found.missing) <= STREAM_FIELDS[field], value
        assert (found.title, found.tags, found.category_name) == (whole.title, whole.tags, whole.category_name), value
        assert (found.login, found.name) == (whole.login, whole.name), value
        assert found.view_count == whole.view_count or field == "viewer_count", value
        assert found.thumbnail_url == whole.thumbnail_url or field == "thumbnail_url", value


@pytest.mark.parametrize("field", sorted(CHANNEL_FIELDS))
async def test_an_odd_field_of_the_channel_is_had_from_the_stream(
    rig: Rig, enriching: Enriching, channel: Channel, field: str
) -> None:
    event = await live(rig, channel)
    whole = await enriching.enrich(event)
    for value in OTHERS:
        found = await _with(enriching, event, "/channels", field, value)
        assert found.missing == (), value
        if not isinstance(value, str | list):
            assert found == whole, value
        assert (found.view_count, found.followers_count) == (whole.view_count, whole.followers_count), value


async def _with(enriching: Enriching, event: StreamEvent, path: str, field: str, value: object) -> Enrichment:
    """What is found when Twitch answers `path` with this value in the field."""
    with pytest.MonkeyPatch.context() as patch:
        bend(patch, enriching.rig.http, path, lambda told: put(told, ("data", 0, field), value))
        return await enriching.enrich(event)


async def test_what_both_leave_out_is_missing_and_no_more(
    rig: Rig, enriching: Enriching, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = await live(rig, channel)
    gone = {"game_id": None, "game_name": None, "tags": None}
    for path in ("/streams", "/channels"):
        bend(monkeypatch, rig.http, path, lambda told: told | {"data": [told["data"][0] | gone], "pagination": None})
    found = await enriching.enrich(event)
    assert set(found.missing) == {"stream.category_id", "stream.category_name"}
    assert (found.title, found.tags, found.view_count) == ("A title", (), 77)


@pytest.mark.parametrize("status", [401, 403, 410])
async def test_a_scope_that_is_missing_is_noted_once(
    rig: Rig, enriching: Enriching, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    channels = [rig.simulator.add_channel(f"channel_{number}", followers=number) for number in range(4)]
    asked = refuse(monkeypatch, rig.http, "/followers", status, "Missing required scope")
    with capture_logs() as lines:
        for channel in channels:
            found = await enriching.enrich(await live(rig, channel))
            assert found.missing == ("followers_count",)
    assert len(asked) == 1
    assert rig.simulator.other_calls["token"] == 1
    assert rig.client.status.ok
    assert len([line for line in lines if line["log_level"] == "warning"]) == 1
