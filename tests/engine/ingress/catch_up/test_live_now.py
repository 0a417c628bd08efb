"""Who is live by what Twitch tells."""

from __future__ import annotations

from itsjustintv_desktop.engine.core.events import Bus
from itsjustintv_desktop.engine.ingress.catch_up.live_now import LiveNow
from tests.support.builders import make_event


def test_an_end_that_names_another_stream_ends_nothing() -> None:
    now = LiveNow(Bus())
    now.heard(make_event(stream_id="b"))
    now.heard(make_event(kind="stream.offline", stream_id="a", started_at=None))
    assert now.streams["100"].stream_id == "b"
    now.heard(make_event(kind="stream.offline", stream_id="b", started_at=None))
    assert not now.streams


def test_an_end_without_a_name_ends_what_runs() -> None:
    now = LiveNow(Bus())
    now.heard(make_event(stream_id="b"))
    now.heard(make_event(kind="stream.offline", stream_id="", started_at=None))
    assert not now.streams
