"""How things stand, in the words, colours and tray icons of the screen. What it says is worked out by the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from itsjustintv_desktop.engine import Level, OverallStatus, Snapshot
from itsjustintv_desktop.ui.formatting import translate
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
        detail = _tr("Live now: {}").format(names) + (_tr(" and {} more").format(more) if more > 0 else "")
        tray = "live"
    return AppStatus(
        tray=tray,
        tone=TONES[summary.level],
        word=translate(summary.word),
        headline=translate(summary.headline),
        detail=detail,
        action=_tr("Pause") if snapshot.paused is None else _tr("Resume"),
    )


def detail_of(summary: OverallStatus) -> str:
    """What is wrong, with what, in a sentence or two; "" for nothing."""
    if not summary.problems or summary.note:
        return translate(summary.note)
    first, more = summary.problems[0], len(summary.problems) - 1
    text = translate(first.text)
    if first.streamers or first.code.startswith("destination "):
        text = f"{first.code.partition(' ')[2]}: {text}"
    return f"{text} {_tr('%n more points need attention.', more)}" if more else text


def _tr(text: str, n: int = -1) -> str:
    return QCoreApplication.translate("status", text, None, n)
