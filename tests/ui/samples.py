"""Snapshots to show: nothing yet, a good day, trouble. No name or address in them belongs to anybody."""

from __future__ import annotations

import time
from typing import Any

from itsjustintv_desktop.engine import (
    DestinationStatus,
    Level,
    Numbers,
    OverallStatus,
    PauseView,
    Problem,
    Snapshot,
    StreamerView,
    TransportView,
)
from itsjustintv_desktop.engine.core.models import LiveStream
from itsjustintv_desktop.engine.core.status import WORDS
from itsjustintv_desktop.engine.runtime.config_reloader import ConfigState
from itsjustintv_desktop.engine.storage.secrets import SecretsState
from itsjustintv_desktop.engine.twitch.subscriptions import SubscriptionsState, SubscriptionsStatus

NOW = time.time()


def way(**details: Any) -> TransportView:
    given: dict[str, Any] = {
        "kind": "conduit", "state": "ready", "code": "ready", "message": "Twitch hands its messages over.", "fix": "",
        "since": NOW - 3600, "address": "", "facts": (),
    }  # fmt: skip
    return TransportView(**{**given, **details})


def streamer(login: str, **details: Any) -> StreamerView:
    given: dict[str, Any] = {
        "key": login, "login": login, "display_name": login.title(), "user_id": str(sum(map(ord, login))),
        "enabled": True, "live": False, "tag_filter": (), "additional_tags": (), "destinations": ("community",),
        "subscription": None, "picture": None, "followers": 1234,
    }  # fmt: skip
    return StreamerView(**{**given, **details})


def destination(name: str, **details: Any) -> DestinationStatus:
    given: dict[str, Any] = {
        "name": name, "format": "json", "enabled": True, "state": "closed", "reason": "", "since": NOW - 3600,
        "paused_by_hand": False, "address": "https://example.org/••••••", "url_in_vault": True, "has_secret": True,
        "secret_in_vault": True, "users": 2, "waiting": 0, "first_due": None, "next_due": None,
    }  # fmt: skip
    return DestinationStatus(**{**given, **details})


def stream(login: str, **details: Any) -> LiveStream:
    given: dict[str, Any] = {
        "broadcaster_id": str(sum(map(ord, login))), "stream_id": f"s-{login}", "login": login, "name": login.title(),
        "started_at": NOW - 1500, "title": "Onion soup and a ghost story", "category": "Food & Drink",
        "viewer_count": 86,
    }  # fmt: skip
    return LiveStream(**{**given, **details})


def numbers(oldest_due: float | None = None, next_due: float | None = None, **by_state: int) -> Numbers:
    return Numbers(by_state=tuple(by_state.items()), oldest_due=oldest_due, next_due=next_due, unfinished_events=0)


def snapshot(**details: Any) -> Snapshot:
    """A good day: two streamers, one of them live, two destinations."""
    given: dict[str, Any] = {
        "at": NOW, "version": "0.1.0", "started_at": NOW - 86400, "address": ("127.0.0.1", 8080), "way": way(),
        "subscriptions": SubscriptionsStatus(
            state=SubscriptionsState.OK, code="ok", message="All is subscribed to.", since=NOW - 3600
        ),
        "config": ConfigState(state="ok", reason="", since=NOW - 3600), "status": status(),
        "live": (stream("pixelforge"),),
        "streamers": (streamer("pixelforge", live=True), streamer("aurora_plays")),
        "destinations": (destination("community"), destination("chat", format="discord")),
        "deliveries": numbers(delivered=12),
        "paused": None, "signing_problem": None,
        "secrets": SecretsState(status="ready", message="", since=NOW - 3600),
    }  # fmt: skip
    return Snapshot(**{**given, **details})


def status(level: Level = Level.OK, headline: str = "All 2 streams will be announced", **details: Any) -> OverallStatus:
    given = {"level": level, "word": WORDS[level], "headline": headline, "announced": 2, "watched": 2}
    return OverallStatus(**{**given, **details})


def failing(text: str = "The disk is full.", code: str = "ledger") -> OverallStatus:
    problem = Problem(code=code, level=Level.FAILING, text=text)
    return status(Level.FAILING, "No stream will be announced", announced=0, problems=(problem,))


def on_pause() -> OverallStatus:
    return status(Level.PAUSED, "Announcements are paused", announced=0, note=paused().sentence)


def affected(text: str = "It answered 404.", name: str = "chat") -> OverallStatus:
    """One of two streamers announces to a destination that refuses everything."""
    problem = Problem(code=f"destination {name}", level=Level.FAILING, text=text, streamers=("aurora_plays",))
    return status(Level.ATTENTION, "1 of 2 streams will be announced", announced=1, problems=(problem,))


def paused(until: float | None = None) -> PauseView:
    return PauseView(since=NOW - 60, until=until, sentence="Announcements are paused until they are resumed.")
