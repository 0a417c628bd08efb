"""The theme in force: it follows the system's colour scheme, unless a person chose one."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication

from itsjustintv_desktop.ui.resources import resource
from itsjustintv_desktop.ui.theme.stylesheet import stylesheet
from itsjustintv_desktop.ui.theme.tokens import BODY_PX, DARK, LIGHT, Palette

Choice = Literal["system", "light", "dark"]
_WEIGHTS = ("Regular", "Medium", "SemiBold", "Bold")


class Theme(QObject):
    """`changed` is emitted after the palette changed; widgets that paint themselves repaint then."""

    changed = Signal()

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self._app = app
        self._choice: Choice = "system"
        self.palette = DARK
        for weight in _WEIGHTS:
            QFontDatabase.addApplicationFont(str(resource("fonts", f"Inter-{weight}.otf")))
        app.styleHints().colorSchemeChanged.connect(self._system_changed)
        app.setStyle("Fusion")
        self._use(self._wanted(), first=True)

    @property
    def choice(self) -> Choice:
        return self._choice

    def choose(self, choice: Choice) -> None:
        """Follow the system, or stay with one scheme."""
        self._choice = choice
        self._use(self._wanted())

    def _system_changed(self) -> None:
        self._use(self._wanted())

    def _wanted(self) -> Palette:
        if self._choice == "system":
            return LIGHT if self._app.styleHints().colorScheme() is Qt.ColorScheme.Light else DARK
        return LIGHT if self._choice == "light" else DARK

    def _use(self, palette: Palette, *, first: bool = False) -> None:
        if palette is self.palette and not first:
            return
        self.palette = palette
        font = QFont("Inter")
        font.setPixelSize(BODY_PX)
        font.setFeature(QFont.Tag("tnum"), 1)  # figures that stand below each other
        self._app.setFont(font)
        self._app.setPalette(_qt_palette(palette))
        self._app.setStyleSheet(stylesheet(palette))
        self.changed.emit()


def theme() -> Theme:
    """The one of this process; it is made with the first question, once there is a QApplication."""
    global _theme
    if _theme is None:
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        _theme = Theme(app)
    return _theme


_theme: Theme | None = None


def _qt_palette(palette: Palette) -> QPalette:
    role = QPalette.ColorRole
    made = QPalette()
    for where, colour in (
        (role.Window, palette.window),
        (role.WindowText, palette.text1),
        (role.Base, palette.input),
        (role.AlternateBase, palette.card),
        (role.Text, palette.text1),
        (role.PlaceholderText, palette.text3),
        (role.Button, palette.card),
        (role.ButtonText, palette.text1),
        (role.Highlight, palette.accent),
        (role.HighlightedText, palette.on_accent),
        (role.ToolTipBase, palette.card),
        (role.ToolTipText, palette.text1),
        (role.Link, palette.accent),
    ):
        made.setColor(where, QColor(colour))
    return made
