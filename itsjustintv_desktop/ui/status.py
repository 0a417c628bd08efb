"""The state of the program, of a streamer, a destination and a delivery, in words and shapes."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from itsjustintv_desktop.engine import DestinationStatus, Level, OverallStatus, Snapshot, StreamerView
from itsjustintv_desktop.engine.core.models import DeliveryState, LiveStream
from itsjustintv_desktop.ui.formatting import countdown, number, tr, translate
from itsjustintv_desktop.ui.shell.trayicons import TrayState
from itsjustintv_desktop.ui.widgets.basic import Tone

TONES: Mapping[Level, Tone] = {
    Level.OK: "ok",
    Level.STARTING: "off",
    Level.OFF: "off",
    Level.PAUSED: "off",
    Level.ATTENTION: "attention",
    Level.FAILING: "failed",
}
_ICONS: Mapping[Level, TrayState] = {
    Level.OK: "well",
    Level.STARTING: "well",
    Level.OFF: "attention",
    Level.PAUSED: "paused",
    Level.ATTENTION: "attention",
    Level.FAILING: "attention",
}


@dataclass(frozen=True, slots=True)
class AppStatus:
    """`word` for the sidebar, `headline` and `detail` for the tray, `action` what the button below the sidebar is
    called."""

    tray: TrayState
    tone: Tone
    word: str
    headline: str
    detail: str
    action: str


def status_of(snapshot: Snapshot) -> AppStatus:
    summary = snapshot.status
    detail, tray = detail_of(summary), _ICONS[summary.level]
    if summary.level is Level.OK and snapshot.live:
        names = ", ".join(each.name or each.login for each in snapshot.live[:3])
        more = len(snapshot.live) - 3
        detail = tr("Live now: {}").format(names) + (tr(" and {} more").format(more) if more > 0 else "")
        tray = "live"
    return AppStatus(
        tray=tray,
        tone=TONES[summary.level],
        word=translate(summary.word),
        headline=translate(summary.headline),
        detail=detail,
        action=tr("Pause") if snapshot.paused is None else tr("Resume"),
    )


def detail_of(summary: OverallStatus) -> str:
    """What is wrong, with what, in a sentence or two; "" for nothing."""
    if not summary.problems or summary.note:
        return translate(summary.note)
    first, more = summary.problems[0], len(summary.problems) - 1
    text = translate(first.text)
    if first.streamers or first.code.startswith("destination "):
        text = f"{first.code.partition(' ')[2]}: {text}"
    return f"{text} {tr('%n more points need attention.', n=more)}" if more else text


_TONES: dict[DeliveryState, Tone] = {
    DeliveryState.PENDING: "attention",
    DeliveryState.SENDING: "accent",
    DeliveryState.DELIVERED: "ok",
    DeliveryState.EXPIRED: "failed",
    DeliveryState.DEAD: "failed",
    DeliveryState.DROPPED: "off",
}
_SHORT = 60
"""Characters of an error that fit between other words."""


class DeliveryHold(NamedTuple):
    """What holds a destination's deliveries. `always`: whatever their time is; else once their time has come."""

    words: str
    short: str
    always: bool


def held_by(destinations: Iterable[DestinationStatus]) -> dict[str, DeliveryHold]:
    """By name; those that take deliveries are left out."""
    alone = DeliveryHold(tr("waits until it answers again"), tr("waits"), False)
    states = {
        "paused": DeliveryHold(tr("paused"), tr("paused"), True),
        "off": DeliveryHold(tr("switched off"), tr("off"), True),
        "open": alone,
        "half-open": alone,
    }
    return {each.name: states[each.state] for each in destinations if each.state in states}


def tone_of(state: DeliveryState) -> Tone:
    """Its dot."""
    return _TONES[state]


def word_of(state: DeliveryState) -> str:
    """Its state in a word or two."""
    words = {
        DeliveryState.PENDING: tr("waiting"),
        DeliveryState.SENDING: tr("being sent"),
        DeliveryState.DELIVERED: tr("delivered"),
        DeliveryState.EXPIRED: tr("too late"),
        DeliveryState.DEAD: tr("given up"),
        DeliveryState.DROPPED: tr("dropped"),
    }
    return words[state]


def answer_of(status: int | None, error: str | None) -> str:
    """The last answer: what went wrong, or is to be noted, or the status; "" before the first attempt."""
    if error:
        return translate(" ".join(error.split()))
    return str(status) if status is not None else ""


def next_try(next_at: float | None, held: DeliveryHold | None = None, now: float | None = None) -> str:
    """For a waiting delivery: "next try in 00:41", "next try now", or what holds it ("paused")."""
    left = (next_at or 0.0) - (time.time() if now is None else now)
    if held is not None and (held.always or left < 1):
        return held.words
    if next_at is None:
        return ""
    return tr("next try in {}").format(countdown(left)) if left >= 1 else tr("next try now")


def sentence_of(
    destination: str,
    state: DeliveryState,
    status: int | None,
    error: str | None,
    next_at: float | None,
    *,
    held: DeliveryHold | None = None,
    now: float | None = None,
) -> str:
    """One destination's outcome beside its dot: only its name if it was delivered."""
    if state is DeliveryState.DELIVERED:
        return destination
    answer = str(status) if status is not None and state is DeliveryState.PENDING else answer_of(status, error)
    if len(answer) > _SHORT:
        answer = f"{answer[: _SHORT - 1]}…"
    last = next_try(next_at, held, now) if state is DeliveryState.PENDING else word_of(state)
    said = ", ".join(part for part in (answer, last) if part) or word_of(state)
    return f"{destination}: {said}"


_WORSE = frozenset({Level.ATTENTION, Level.FAILING})


@dataclass(frozen=True, slots=True)
class StreamerRow:
    view: StreamerView
    stream: LiveStream | None

    @property
    def name(self) -> str:
        return self.view.display_name or self.view.login or self.view.key


def live_of(row: StreamerRow) -> str:
    """That it is live, with its viewers where they are known; "" where it is not."""
    viewers = row.stream.viewer_count if row.stream is not None else None
    if not row.view.live:
        return ""
    return tr("Live") if viewers is None else tr("Live · {}").format(number(viewers))


def state_of(row: StreamerRow) -> tuple[Tone, str]:
    """The state of its announcements, as a shape and a word or two; if nothing is wrong, whether it is live."""
    status = row.view.status
    tone, live = TONES[status.level], live_of(row)
    if tone == "ok":
        return ("live", live) if live else ("off", translate(status.word) or tr("Offline"))
    return tone, translate(status.word) or tr("Offline")


def facts_of(row: StreamerRow) -> list[tuple[Tone, str]]:
    """That it is live, and what is wrong, are two facts."""
    live, state = live_of(row), state_of(row)
    return [("live", live), state] if live and state[0] != "live" else [state]


def problem_of(view: StreamerView) -> str:
    """What prevents its announcements or needs attention, as sentences; "" for nothing."""
    status = view.status
    return f"{translate(status.reason)} {translate(status.fix)}".strip() if status.level in _WORSE else ""
