"""The one honest answer out of a snapshot."""

from __future__ import annotations

from typing import Any

import pytest

from itsjustintv_desktop.ui.status import status_of
from tests.ui import samples


@pytest.mark.parametrize(
    ("details", "tray", "sentence", "action"),
    [
        ({"live": ()}, "well", "All is well", "Pause"),
        ({}, "live", "Live now: Pixelforge", "Pause"),
        ({"live": tuple(map(samples.stream, "abcde"))}, "live", "Live now: A, B, C and 2 more", "Pause"),
        ({"paused": samples.paused()}, "paused", "Paused until you resume", "Resume"),
        ({"paused": samples.paused(samples.NOW + 60)}, "paused", "Paused until ", "Resume"),
        ({"troubles": (samples.trouble(),)}, "attention", "The disk is full.", "Pause"),
        ({"troubles": (samples.trouble(),), "paused": samples.paused()}, "attention", "The disk is full.", "Resume"),
        ({"troubles": (samples.trouble(status="waiting"),), "live": ()}, "well", "All is well", "Pause"),
        ({"streamers": (), "live": ()}, "attention", "No streamer is watched yet", "Pause"),
        ({"streamers": (samples.streamer("a", enabled=False),), "live": ()}, "attention", "No streamer", "Pause"),
    ],
)
def test_what_it_says(details: dict[str, Any], tray: str, sentence: str, action: str) -> None:
    found = status_of(samples.snapshot(**details))
    assert (found.tray, found.action) == (tray, action)
    assert found.sentence.startswith(sentence)
    assert found.word
