"""The form made of the config's own schema: one section at a time, a control for each key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QListWidget, QWidget

from itsjustintv_desktop.ui.formatting import clock
from itsjustintv_desktop.ui.pages.settings.controls import Control, control_for, title_of
from itsjustintv_desktop.ui.plain import plain
from itsjustintv_desktop.ui.widgets.basic import Card, button, column, label, row, stacked
from itsjustintv_desktop.ui.widgets.scroll import Upright
from itsjustintv_desktop.ui.widgets.states import EmptyState, Loading

if TYPE_CHECKING:
    from itsjustintv_desktop.engine import FieldInfo

ANY = "*"
SIDE = 168
WIDEST = 900
"""A line of help is read from end to end."""
Path = tuple[str, ...]


class FormTab(QWidget):
    """`typed` with a key and a text, a moment after the last key stroke. `secrets_requested`: a secret is asked for."""

    typed = Signal(tuple, str)
    secrets_requested = Signal()
    text_requested = Signal()
    back_requested = Signal()
    """The last good version, in the place of a file that cannot be used."""
    log_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.controls: dict[Path, Control] = {}
        self._fields: dict[Path, list[FieldInfo]] = {}
        self._written: Mapping[Path, str] = {}
        self._sections: list[Path] = []
        self._opened: dict[int, QWidget] = {}
        """The sections that were shown, by number."""
        self.sections = QListWidget()
        self.sections.setAccessibleName(self.tr("Sections"))
        self.sections.setProperty("role", "sections")
        self.sections.setFixedWidth(SIDE)
        self.sections.currentRowChanged.connect(self._open)
        self._pages = stacked(Loading(self.tr("Reading the settings")))
        self._broken = EmptyState(
            "alert",
            self.tr("config.toml cannot be read as a form"),
            "",
            self.tr("Edit the te&xt"),
            self.text_requested.emit,
        )
        self.edit_text = self._broken.action
        self.back = button(self.tr("Use the &last good version"), self.back_requested.emit)
        self.log = button(self.tr("Show the lo&g"), self.log_requested.emit)
        for other in (self.back, self.log):
            self._broken.also(other)
        inner = QWidget()
        row(self.sections, (self._pages, 1), spacing=16, inside=inner, margins=(0, 12, 0, 0))
        self._stack = stacked(inner, self._broken)
        column(self._stack, inside=self)

    @property
    def is_made(self) -> bool:
        return bool(self._fields)

    @property
    def problems(self) -> list[str]:
        """What was typed and cannot be."""
        return [control.problem for control in self.controls.values() if control.problem]

    def make(self, fields: tuple[FieldInfo, ...], written: Mapping[Path, str]) -> None:
        """The sections, and what the text says; their controls are made when they are opened."""
        self._written = written
        for field in fields:
            if ANY not in field.path and not field.unused:
                self._fields.setdefault(field.path[:-1], []).append(field)
        self._sections = list(self._fields)
        self.sections.addItems([title_of(path) for path in self._sections])
        self.sections.setFixedWidth(max(SIDE, self.sections.sizeHintForColumn(0) + 12))
        self.sections.setCurrentRow(0)

    def show_written(self, written: Mapping[Path, str]) -> None:
        """What the text says; keys it does not have show their default as a hint."""
        self._written = written
        self._stack.setCurrentIndex(0)
        for path, control in self.controls.items():
            control.show_text(written.get(path, ""))

    def show_broken(self, sentence: str, last_good: float | None = None) -> None:
        """`last_good`: when the last good version was written (Unix seconds), None if there is none."""
        self.back.setVisible(last_good is not None)
        if last_good is not None:
            hint = self.tr("config.toml.bak of {}. What is in config.toml now is kept as config.toml.broken.")
            self.back.setToolTip(plain(hint.format(clock(last_good))))
        self._broken.say(self.tr("config.toml cannot be read as a form"), sentence)
        self._stack.setCurrentIndex(1)

    def complain(self, path: Path, problem: str | None) -> None:
        if path in self.controls:
            self.controls[path].complain(problem)

    def forget_problems(self) -> None:
        """What was typed and cannot be goes."""
        for control in self.controls.values():
            control.complain(None)
            control.reset()

    def open_section(self, path: Path) -> None:
        if path in self._sections:
            self.sections.setCurrentRow(self._sections.index(path))

    def _open(self, number: int) -> None:
        if number not in self._opened:
            self._opened[number] = self._section(self._sections[number])
            self._pages.addWidget(self._opened[number])
        self._pages.setCurrentWidget(self._opened[number])

    def _section(self, path: Path) -> QWidget:
        card = Card()
        card.setMaximumWidth(WIDEST)
        card.body.setSpacing(16)
        card.body.addLayout(row(label(title_of(path), "heading"), None, label(f"[{'.'.join(path)}]", "aside")))
        for field in self._fields[path]:
            control = control_for(field)
            control.typed.connect(self.typed)
            control.secrets_requested.connect(self.secrets_requested)
            control.show_text(self._written.get(field.path, ""))
            self.controls[field.path] = control
            card.body.addWidget(control)
        card.body.addStretch(1)
        scroll = Upright(card)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return scroll
