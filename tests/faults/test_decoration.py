"""Decoration that a receiver refuses: a picture too large for it, or that it cannot load. The news arrives anyway."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from itsjustintv_desktop.engine.core.models import DeliveryView
from itsjustintv_desktop.engine.delivery.destination_queues import ONLY_A_LINK
from tests.engine.delivery import servers
from tests.engine.delivery.servers import Receiver
from tests.engine.delivery.test_messages import discord, judging, slack, small_only
from tests.support.engine import Running, running_engine
from tests.support.waiting import until

_CONFIG = """
[twitch]
restart_window = "0s"
[destinations.main]
url = "ADDRESS"
format = "FORMAT"
[streamers.alice]
login = "alice"
destinations = ["main"]
"""
LIMIT = 1500
"""Bytes: more than an announcement has without the picture, less than with it."""


@pytest.fixture(autouse=True)
def pictures_are_had_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("itsjustintv_desktop.engine.twitch.profiles.PAUSE", 0.05)


def _config(made: Receiver, kind: str, more: str = "") -> str:
    return _CONFIG.replace("ADDRESS", made.url()).replace("FORMAT", f'{kind}"{more}\n#"')


async def _live(running: Running) -> DeliveryView:
    """Alice goes live, and it is delivered."""
    before = len(await running.deliveries())
    await running.simulator.go_offline("alice")
    await running.simulator.go_live("alice")

    async def done() -> DeliveryView | None:
        found = await running.deliveries()
        return found[0] if len(found) > before and found[0].state in {"delivered", "dead"} else None

    view: DeliveryView = await until(done, what="it has found its end")
    return view


async def _with_picture(running: Running) -> None:
    """The profile image is at hand."""
    user_id = running.simulator.state.get("alice").user_id
    await until(lambda: running.engine.twitch.profiles.get(user_id).image is not None, what="the picture is there")


def _data(made: Receiver) -> list[bool]:
    """Whether the picture itself was in each body that arrived."""
    images = [json.loads(request.body)["image"] for request in made.requests]
    assert all(image is None or image["url"] for image in images)
    return [image is not None and image["data"] is not None for image in images]


@pytest.mark.fault(
    "destinations: the picture is too large for it (413)",
    seen='`deliveries list`: delivered, "gets a link to the picture only"',
)
async def test_a_receiver_that_the_picture_is_too_large_for(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    async with (
        servers.receiver(judging(small_only(LIMIT))) as made,
        running_engine(tmp_path, _config(made, "json"), secret=None) as running,
    ):
        await _with_picture(running)
        view = await _live(running)
        assert (view.state, view.attempts, view.last_error) == ("delivered", 1, ONLY_A_LINK)
        assert "gets a link to the picture only" in ONLY_A_LINK
        assert _data(made) == [True, False]
        assert len({request.headers["webhook-id"] for request in made.requests}) == 1
        # It is known from now on, across a restart too, and everywhere that tells how the destination is.
        await _live(running)
        await running.restart()
        await _live(running)
        assert _data(made) == [True, False, False, False]
        await _is_shown(running, ONLY_A_LINK)
        await running.engine.api.destinations.resume("main")
        await _is_shown(running, "")
        await _live(running)
        assert _data(made)[-2:] == [True, False]
        await running.settled()
        assert [entry["success"] for entry in running.output()] == [True] * 4
        assert {entry["error"] for entry in running.output()} == {None}
    record_property("acknowledged", 4)


async def _is_shown(running: Running, note: str) -> None:
    engine = running.engine
    (view,) = await engine.api.destinations.list()
    snapshot = await engine.api.snapshot.take()
    health = (await engine.doctor.health())["parts"].get("destination main", {"reason": "", "status": "ok"})
    (check,) = [each for each in (await engine.api.diagnostics.doctor()).checks if each.name == "destination main"]
    assert (view.note, health["reason"]) == (note, note)
    assert (snapshot.destinations[0].is_reduced, note in snapshot.destinations[0].status.reason) == (bool(note), True)
    assert health["status"] == "ok"
    assert (check.state, note in check.message) == ("amber" if note else "green", True)


async def test_a_setting_or_another_address_ends_what_is_known(tmp_path: Path) -> None:
    async with (
        servers.receiver(judging(small_only(LIMIT))) as made,
        servers.receiver(servers.status(204)) as other,
        running_engine(tmp_path, _config(made, "json"), secret=None) as running,
    ):
        await _with_picture(running)
        await _live(running)
        await running.stop()
        running.write_config(_config(made, "json", '\npicture = "link"'))
        await running.start()
        assert (await _live(running)).last_error is None
        await _is_shown(running, "")
        await running.stop()
        running.write_config(_config(made, "json"))
        await running.start()
        await _live(running)
        assert _data(made) == [True, False, False, True, False]
        await running.stop()
        running.write_config(_config(other, "json"))
        await running.start()
        assert (await _live(running)).last_error is None
        assert _data(other) == [True]


@pytest.mark.parametrize(
    ("kind", "judge"),
    [
        pytest.param("slack", slack, marks=pytest.mark.fault(
            "destinations: Slack cannot load a picture (400 invalid_blocks)",
            seen='`deliveries list`: delivered, "Sent as text alone, without pictures"')),
        pytest.param("discord", discord, marks=pytest.mark.fault(
            "destinations: Discord does not take a picture of an embed (400)",
            seen='`deliveries list`: delivered, "Sent as text alone, without pictures"')),
    ],
)  # fmt: skip
async def test_a_picture_that_cannot_be_loaded(
    tmp_path: Path, kind: str, judge: Any, record_property: Callable[[str, object], None]
) -> None:
    async with (
        servers.receiver(judging(judge)) as made,
        running_engine(tmp_path, _config(made, kind), secret=None) as running,
    ):
        await _with_picture(running)
        view = await _live(running)
        assert (view.state, view.attempts, len(made.requests)) == ("delivered", 1, 2)
        assert "Sent as text alone, without pictures" in (view.last_error or "")
        details = await running.engine.api.delivery_details.of(view.id)
        assert [(each.outcome, each.status) for each in details.attempts] == [("delivered", details.attempts[0].status)]
        # Perhaps it can load the next one.
        await _live(running)
        assert len(made.requests) == 4
        await _is_shown(running, "")
    record_property("acknowledged", 2)
