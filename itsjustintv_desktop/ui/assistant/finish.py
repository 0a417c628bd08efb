"""7: what is set up, and how it stays around."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

from PySide6.QtWidgets import QCheckBox

from itsjustintv_desktop.engine import Snapshot
from itsjustintv_desktop.ui.assistant.step import SetupContext, Step
from itsjustintv_desktop.ui.formatting import translate
from itsjustintv_desktop.ui.pages.connection.transport_choice import title
from itsjustintv_desktop.ui.preferences import KINDS
from itsjustintv_desktop.ui.widgets.basic import Card, Dot, Tone, label, row

_AUTOSTART = "itsjustintv_desktop.desktop.autostart"


class Finish(Step):
    name = "done"

    def __init__(self, course: SetupContext) -> None:
        super().__init__(
            course,
            self.tr("That is all"),
            self.tr("It goes on working in the tray. Overview says at any time whether your next stream is announced."),
        )
        self._dots = {part: Dot() for part in ("way", "streamer", "destination")}
        self._said = {part: label("", wrap=True) for part in self._dots}
        summary = Card(self.tr("Set up"))
        for part, dot in self._dots.items():
            made = row(dot)
            made.addWidget(self._said[part], 1)
            summary.body.addLayout(made)
        self.body.addWidget(summary)
        habits = Card(self.tr("How it stays around"))
        self.start = QCheckBox(self.tr("Start with the &computer, in the tray"))
        self.start.hide()
        self.start.clicked.connect(lambda on: course.tasks.start("autostart", self._set_start(on)))
        words = {
            "live": self.tr("Tell me when somebody goes &live"),
            "given_up": self.tr("Tell me when a delivery is &given up"),
            "trouble": self.tr("Tell me of t&rouble, and when it is over"),
        }
        habits.body.addWidget(self.start)
        self.kinds = {kind: QCheckBox(words[kind]) for kind in KINDS if kind in words}
        for kind, check in self.kinds.items():
            check.setChecked(course.preferences.notify(kind))
            check.clicked.connect(partial(course.preferences.set_notify, kind))
            habits.body.addWidget(check)
        self.body.addWidget(habits)
        self.body.addStretch(1)
        self._autostart: ModuleType | None = None

    @property
    def next_text(self) -> str:
        return self.tr("&Finish")

    @property
    def can_skip(self) -> bool:
        return False

    def enter(self) -> None:
        self.course.tasks.start("autostart state", self._read_start())
        if self.course.store.snapshot is not None:
            self.refresh(self.course.store.snapshot)

    def refresh(self, snapshot: Snapshot) -> None:
        way = snapshot.way
        tone: Tone = {"ready": "ok", "failing": "failed"}.get(way.state, "attention")  # type: ignore[assignment]
        self._say("way", tone, f"{title(way.kind)}: {translate(way.message)}")
        names = [each.display_name or each.login for each in snapshot.streamers if each.enabled]
        watched = self.tr("Watched: {}").format(", ".join(names[:3])) if names else self.tr("Nobody is watched yet.")
        self._say("streamer", "ok" if names else "attention", watched)
        places = [each.name for each in snapshot.destinations if each.enabled]
        told = self.tr("Told to: {}").format(", ".join(places[:3])) if places else self.tr("No destination yet.")
        self._say("destination", "ok" if places else "attention", told)

    def _say(self, part: str, tone: Tone, text: str) -> None:
        self._dots[part].show_state(tone, text)
        self._said[part].setText(text)

    async def _read_start(self) -> None:
        try:
            self._autostart = importlib.import_module(_AUTOSTART)
        except ModuleNotFoundError:
            return  # this build cannot
        self.start.setChecked(bool(await _in_thread(self._autostart.is_on)))
        self.start.show()

    async def _set_start(self, on: bool) -> None:
        if self._autostart is not None:
            try:
                await _in_thread(self._autostart.set_on, on)
            finally:
                self.start.setChecked(bool(await _in_thread(self._autostart.is_on)))


async def _in_thread(work: Callable[..., Any], *arguments: object) -> Any:
    """It reads or writes a file, or the registry."""
    return await asyncio.get_event_loop().run_in_executor(None, work, *arguments)
