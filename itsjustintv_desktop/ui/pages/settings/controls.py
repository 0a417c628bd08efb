"""One key of the config as a control that fits its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QVBoxLayout, QWidget

from itsjustintv_desktop.ui.formatting import translate
from itsjustintv_desktop.ui.pages.settings.names import choice_of, name_of
from itsjustintv_desktop.ui.plain import readable
from itsjustintv_desktop.ui.widgets.basic import button, label, row
from itsjustintv_desktop.ui.widgets.field import Field
from itsjustintv_desktop.ui.widgets.secret import SecretField

if TYPE_CHECKING:
    from itsjustintv_desktop.engine import FieldInfo

WAIT_MS = 250
"""After the last key stroke."""


class Control(QWidget):
    """`typed` with the key and what was typed ("" = the default). `secrets_wished`: it is kept elsewhere."""

    typed = Signal(tuple, str)
    secrets_requested = Signal()

    def __init__(self, info: FieldInfo) -> None:
        super().__init__()
        self.info = info
        self.field: Field | None = None
        self._soon = QTimer(self, singleShot=True, interval=WAIT_MS)
        self._soon.timeout.connect(self.flush)
        self.box = QVBoxLayout(self)
        self.box.setContentsMargins(0, 0, 0, 0)
        self.box.setSpacing(4)

    @property
    def text(self) -> str:
        return ""

    @property
    def problem(self) -> str:
        return self.field.problem if self.field is not None else ""

    def flush(self) -> None:
        """Hand out what was typed, now."""
        self._soon.stop()
        self.typed.emit(self.info.path, self.text)

    def show_text(self, text: str) -> None:
        """What the config says, "" for nothing."""

    def reset(self) -> None:
        """Forget what was typed and is not in the config."""
        self._soon.stop()

    def complain(self, problem: str | None) -> None:
        if self.field is not None:
            self.field.complain(problem)

    def help(self) -> str:
        """Help, and what overrides it or when it counts."""
        parts = [translate(self.info.help)]
        if self.info.environment:
            parts.append(self.tr("{} overrides it now.").format(self.info.environment))
        elif self.info.at_next_start:
            parts.append(self.tr("It counts from the next start."))
        return " ".join(parts)


class Line(Control):
    """Text, numbers, times and lists."""

    def __init__(self, info: FieldInfo) -> None:
        super().__init__(info)
        self.edit = QLineEdit()
        self.edit.setPlaceholderText(readable(info.default))
        self.field = Field(name_of(info.path), self.edit, self.help(), info.path[-1])
        self.box.addWidget(self.field)
        self.edit.textEdited.connect(lambda _: self._soon.start())

    @property
    def text(self) -> str:
        return self.edit.text()

    def show_text(self, text: str) -> None:
        if not self._soon.isActive() and self.edit.text() != text and not self.problem:
            self.edit.setText(text)


class Choice(Control):
    """One of a few words."""

    def __init__(self, info: FieldInfo) -> None:
        super().__init__(info)
        self.combo = QComboBox()
        usual = choice_of(info.path, info.default) if info.default else self.tr("not set")
        self.combo.addItem(self.tr("{} (default)").format(usual), "")
        for choice in info.choices:
            self.combo.addItem(choice_of(info.path, choice), choice)
        self.field = Field(name_of(info.path), self.combo, self.help(), info.path[-1])
        self.box.addWidget(self.field)
        self.combo.activated.connect(lambda _: self.flush())

    @property
    def text(self) -> str:
        return str(self.combo.currentData())

    def show_text(self, text: str) -> None:
        found = self.combo.findData(text)
        self.combo.setCurrentIndex(max(found, 0))


class Switch(Control):
    """On or off."""

    def __init__(self, info: FieldInfo) -> None:
        super().__init__(info)
        self.check = QCheckBox(name_of(info.path))
        self.check.setAccessibleDescription(readable(self.help()))
        self.box.addLayout(row(self.check, None, label(info.path[-1], "aside")))
        self.box.addWidget(label(self.help(), "muted", wrap=True))
        self.check.clicked.connect(lambda _: self.flush())

    @property
    def text(self) -> str:
        text = "true" if self.check.isChecked() else "false"
        return "" if text == self.info.default else text

    def show_text(self, text: str) -> None:
        self.check.setChecked((text or self.info.default) == "true")


class Elsewhere(Control):
    """A secret or an address: not shown among plain settings."""

    def __init__(self, info: FieldInfo) -> None:
        super().__init__(info)
        name = name_of(info.path)
        self.box.addLayout(row(label(name, "label"), None, label(info.path[-1], "aside")))
        if info.path[0] in {"twitch", "tunnel"}:
            where = button(self.tr("Open secrets"), self.secrets_requested.emit, role="small")
            where.setAccessibleName(readable(self.tr("Open secrets for {}").format(name)))
            self.box.addLayout(row(label("••••••••", "muted"), where, None))
        else:
            said = self.tr("It may be secret, so it is set in the text of config.toml.")
            self.box.addWidget(label(said, "muted", wrap=True))
        self.box.addWidget(label(self.help(), "muted", wrap=True))


class Hidden(Control):
    """An address: what is there is not shown, another one can be typed."""

    def __init__(self, info: FieldInfo) -> None:
        super().__init__(info)
        name = name_of(info.path)
        self.edit = SecretField(name, self.tr("type or paste to replace it"))
        self.field = Field(name, self.edit, self.help(), info.path[-1])
        self.box.addWidget(self.field)
        self.edit.textEdited.connect(lambda _: self._soon.start())

    @property
    def text(self) -> str:
        return self.edit.text()

    def flush(self) -> None:
        """An empty field is no wish to take the address away: that is done in the text."""
        self._soon.stop()
        if self.text.strip():
            super().flush()

    def reset(self) -> None:
        super().reset()
        self.edit.clear()
        self.edit.conceal()


def control_for(info: FieldInfo) -> Control:
    if info.kind == "address" and info.path[0] != "global_webhook":
        return Hidden(info)
    if info.value is None:
        return Elsewhere(info)
    if info.kind == "bool":
        return Switch(info)
    if info.kind == "choice":
        return Choice(info)
    return Line(info)
