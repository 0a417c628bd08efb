"""The engine's answer in the words, colours and icons of the screen."""

from __future__ import annotations

from typing import Any

import pytest

from itsjustintv_desktop.engine import Level
from itsjustintv_desktop.ui.status import status_of
from tests.ui import samples

ALL = "All 2 streams will be announced"
NONE = "No stream will be announced"


@pytest.mark.parametrize(
    ("details", "looks", "headline", "detail", "action"),
    [
        ({"live": ()}, ("well", "ok"), ALL, "", "Pause"),
        ({}, ("live", "ok"), ALL, "Live now: Pixelforge", "Pause"),
        ({"live": tuple(map(samples.stream, "abcde"))}, ("live", "ok"), ALL, "Live now: A, B, C and 2 more", "Pause"),
        ({"status": samples.on_pause(), "paused": samples.paused()}, ("paused", "off"), "Announcements are paused",
         samples.paused().sentence, "Resume"),
        ({"status": samples.failing()}, ("attention", "failed"), NONE, "The disk is full.", "Pause"),
        ({"status": samples.failing(), "paused": samples.paused()}, ("attention", "failed"), NONE, "The disk is full.",
         "Resume"),
        ({"status": samples.affected()}, ("attention", "attention"), "1 of 2 streams will be announced",
         "chat: It answered 404.", "Pause"),
        ({"status": samples.status(Level.OFF, "Nothing is set up yet"), "live": ()}, ("attention", "off"),
         "Nothing is set up yet", "", "Pause"),
        ({"status": samples.status(Level.STARTING, "Getting ready"), "live": ()}, ("well", "off"), "Getting ready", "",
         "Pause"),
    ],
)  # fmt: skip
def test_what_it_says(details: dict[str, Any], looks: tuple[str, str], headline: str, detail: str, action: str) -> None:
    found = status_of(samples.snapshot(**details))
    assert ((found.tray, found.tone), found.headline, found.detail, found.action) == (looks, headline, detail, action)
    assert found.word


def test_more_problems_are_counted() -> None:
    one = samples.failing().problems[0]
    found = status_of(samples.snapshot(status=samples.status(Level.FAILING, NONE, problems=(one, one, one))))
    assert found.detail == "The disk is full. 2 more points need attention."
