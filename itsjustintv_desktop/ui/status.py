"""One honest answer out of a snapshot: how it is, in a word, a sentence, a colour and a tray icon."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from itsjustintv_desktop.engine import Snapshot
from itsjustintv_desktop.ui.shell.trayicons import TrayState
from itsjustintv_desktop.ui.widgets.basic import Tone
from itsjustintv_desktop.ui.words import clock, said


@dataclass(frozen=True, slots=True)
class Status:
    """`word` for the sidebar, `sentence` for the tray, `action` what the button below the sidebar is called."""

    tray: TrayState
    tone: Tone
    word: str
    sentence: str
    action: str


def status_of(snapshot: Snapshot) -> Status:
    """The worst of it decides; paused is a person's wish and stands above all but failures."""
    pause, resume = _tr("Pause"), _tr("Resume")
    failing = [each for each in snapshot.troubles if each.status == "failing"]
    if failing:
        return Status(
            "attention", "attention", _tr("Needs a look"), said(failing[0].reason or failing[0].part), _action(snapshot)
        )
    if snapshot.paused is not None:
        until = snapshot.paused.until
        sentence = _tr("Paused until {}").format(clock(until)) if until else _tr("Paused until you resume")
        return Status("paused", "off", _tr("Paused"), sentence, resume)
    if not any(each.enabled for each in snapshot.streamers):
        return Status("attention", "attention", _tr("No streamer"), _tr("No streamer is watched yet"), pause)
    if snapshot.live:
        names = ", ".join(each.name or each.login for each in snapshot.live[:3])
        more = len(snapshot.live) - 3
        text = _tr("Live now: {}").format(names) + (_tr(" and {} more").format(more) if more > 0 else "")
        return Status("live", "ok", _tr("Announcing"), text, pause)
    watched = sum(each.enabled for each in snapshot.streamers)
    return Status("well", "ok", _tr("Announcing"), _tr("All is well, %n channels watched", watched), pause)


def _action(snapshot: Snapshot) -> str:
    return _tr("Resume") if snapshot.paused is not None else _tr("Pause")


def _tr(text: str, n: int = -1) -> str:
    return QCoreApplication.translate("status", text, None, n)
