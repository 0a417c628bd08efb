"""The basic controls: labels, buttons, rows, cards, dots, and lines to copy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal, TypeVar

from PySide6.QtCore import QObject, QPointF, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import (
    QColor,
    QEnterEvent,
    QFontMetrics,
    QGuiApplication,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from itsjustintv_desktop.ui.plain import plain, readable
from itsjustintv_desktop.ui.theme import icon, theme
from itsjustintv_desktop.ui.theme.tokens import GAP
from itsjustintv_desktop.ui.widgets.focus import rest

Role = Literal[
    "title",
    "headline",
    "heading",
    "strong",
    "muted",
    "label",
    "aside",
    "chip",
    "chip-text",
    "mono",
    "ok",
    "attention",
    "live",
    "plain",
]
Box = TypeVar("Box", QHBoxLayout, QVBoxLayout)
Tone = Literal["ok", "attention", "live", "off", "accent", "failed"]


def label(text: str = "", role: Role = "plain", *, wrap: bool = False, selectable: bool = False) -> QLabel:
    made = _Selectable() if selectable else Label()
    made.setText(text)
    made.setProperty("role", role)
    made.setWordWrap(wrap)
    if role == "chip":
        made.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Maximum)
    return made


class Label(QLabel):
    """Plain text only: what Twitch or a destination says is never taken for markup."""

    def __init__(self) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)

    def setText(self, text: str) -> None:  # noqa: N802 - Qt's name
        super().setText(readable(text))


class _Selectable(Label):
    """Its text can be selected once the mouse is over it: before, it is laid out at half the cost, and pages with many
    of them come to the front at once."""

    def enterEvent(self, event: QEnterEvent) -> None:  # noqa: N802 - Qt's name
        if self.textInteractionFlags() != Qt.TextInteractionFlag.TextSelectableByMouse:
            self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        super().enterEvent(event)


class Button(QPushButton):
    """A push button whose icon follows the theme."""

    def __init__(self, text: str, icon_name: str = "") -> None:
        super().__init__(text)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAutoDefault(False)
        self._icon_name = icon_name
        if icon_name:
            self.setIconSize(QSize(17, 17))
            theme().changed.connect(self._tint)  # a bound method: Qt lets go of it with the button

    def setProperty(self, name: str, value: object) -> bool:  # noqa: N802 - Qt's name
        changed = super().setProperty(name, value)
        self._tint()
        return changed

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Return presses what has the focus, as Space does; Qt itself does so for default buttons only."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.isAutoRepeat():
            self.click()
        else:
            super().keyPressEvent(event)

    def _tint(self) -> None:
        if self._icon_name:
            palette = theme().palette
            on_accent = self.property("role") == "primary"
            self.setIcon(icon(self._icon_name, palette.on_accent if on_accent else palette.text2))


def button(
    text: str,
    do: Callable[[], object] | None = None,
    *,
    role: Literal["", "primary", "danger", "link", "small"] = "",
    icon_name: str = "",
    hint: str = "",
    destructive: bool = False,
) -> Button:
    """`text` may hold a mnemonic ("&Save"). `destructive`: it takes something away, as one in the colour of danger
    does; it never receives the focus automatically or keeps it, so that a second press removes nothing else."""
    made = Button(text, icon_name)
    made.setProperty("role", role)
    if hint:
        made.setToolTip(plain(hint))
    if do is not None:
        made.clicked.connect(lambda: do())
    if destructive or role == "danger":
        made.setProperty("destructive", True)
        made.clicked.connect(lambda: rest(made) if made.hasFocus() else None)
    return made


def icon_button(icon_name: str, name: str, do: Callable[[], object] | None = None) -> Button:
    """A button that is a picture only; `name` is what it is called, as a hint and for screen readers."""
    made = button("", do, icon_name=icon_name, hint=name)
    made.setProperty("role", "icon")
    made.setAccessibleName(readable(name))
    return made


def rule() -> QFrame:
    """A thin line across."""
    made = QFrame()
    made.setProperty("role", "rule")
    return made


class Card(QFrame):
    """A surface with rounded corners; `body` is its layout."""

    def __init__(self, title: str = "", *, quiet: bool = False, margin: int = 20) -> None:
        super().__init__()
        self.setProperty("role", "card-quiet" if quiet else "card")
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(margin, margin - 4, margin, margin - 4)
        self.body.setSpacing(8)
        if title:
            self.head = row(label(title, "heading"), None)
            self.body.addLayout(self.head)


Part = QWidget | QLayout | tuple[QWidget | QLayout, int] | None
"""What a layout takes: None is a space that takes what is left; with a number, a part takes that share of it."""
Margins = tuple[int, int, int, int]
NO_MARGINS = (0, 0, 0, 0)


def row(*parts: Part, spacing: int = 8, inside: QWidget | None = None, margins: Margins = NO_MARGINS) -> QHBoxLayout:
    """Side by side; `inside`: as the layout of that widget, with these margins."""
    return _laid_out(QHBoxLayout(), parts, spacing, inside, margins)


def column(
    *parts: Part, spacing: int = GAP, inside: QWidget | None = None, margins: Margins = NO_MARGINS
) -> QVBoxLayout:
    """One below the other; `inside`: as the layout of that widget, with these margins."""
    return _laid_out(QVBoxLayout(), parts, spacing, inside, margins)


def _laid_out(made: Box, parts: Iterable[Part], spacing: int, inside: QWidget | None, margins: Margins) -> Box:
    if inside is not None:
        inside.setLayout(made)
        made.setContentsMargins(*margins)
    made.setSpacing(spacing)
    fill(made, *parts)
    return made


def fill(layout: QBoxLayout, *parts: Part) -> None:
    """Add these at its end."""
    for part in parts:
        if part is None:
            layout.addStretch(1)
            continue
        item, share = part if isinstance(part, tuple) else (part, 0)
        if isinstance(item, QWidget):
            layout.addWidget(item, share)
        else:
            layout.addLayout(item, share)


def stacked(*parts: QWidget) -> QStackedWidget:
    """One of them at a time, the first to begin with."""
    made = QStackedWidget()
    for part in parts:
        made.addWidget(part)
    return made


def clear(layout: QLayout) -> None:
    """Take everything out of a layout and have it deleted."""
    while (item := layout.takeAt(0)) is not None:
        widget, inner = item.widget(), item.layout()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
        elif inner is not None:
            clear(inner)


class Dot(QWidget):
    """A state as a shape and a colour: filled = ok, ring = off, triangle = attention, cross = failed."""

    _SIZE = 12

    def __init__(self, tone: Tone = "off", name: str = "") -> None:
        super().__init__()
        self._tone: Tone = tone
        self.setFixedSize(self._SIZE, self._SIZE)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.show_state(tone, name)
        theme().changed.connect(self.update)

    def show_state(self, tone: Tone, name: str = "") -> None:
        """`name` says the state in a word, for those who cannot see it."""
        self._tone = tone
        self.setAccessibleName(readable(name))
        self.setToolTip(plain(name))
        self.update()

    def paintEvent(self, _: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        painter = QPainter(self)
        paint_dot(painter, self._tone, self.rect().adjusted(1, 1, -1, -1).toRectF())
        painter.end()


def paint_dot(painter: QPainter, tone: Tone, box: QRectF) -> None:
    """The shapes of Dot, for delegates."""
    palette = theme().palette
    colours = {
        "ok": palette.ok, "attention": palette.attention, "live": palette.live, "off": palette.text2,
        "accent": palette.accent, "failed": palette.live,
    }  # fmt: skip
    colour = QColor(colours[tone])
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if tone == "off":
        painter.setPen(QPen(colour, 1.6))
        painter.drawEllipse(box.adjusted(1, 1, -1, -1))
    elif tone == "attention":
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        top, bottom = box.top(), box.bottom()
        points = (box.center().x(), top), (box.right(), bottom), (box.left(), bottom)
        painter.drawPolygon(QPolygonF([QPointF(*point) for point in points]))
    elif tone == "failed":
        painter.setPen(QPen(colour, 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        inner = box.adjusted(1.5, 1.5, -1.5, -1.5)
        painter.drawLine(inner.topLeft(), inner.bottomRight())
        painter.drawLine(inner.topRight(), inner.bottomLeft())
    else:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawEllipse(box.adjusted(0.5, 0.5, -0.5, -0.5))
    painter.restore()


class Elided(Label):
    """One line that ends in dots where there is no room; the whole text is its hint."""

    def __init__(self, text: str = "", role: Role = "plain") -> None:
        super().__init__()
        self.setProperty("role", role)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._whole = ""
        self.say(text)

    def say(self, text: str) -> None:
        whole = " ".join(readable(text).split())
        if whole == self._whole:
            return
        self._whole = whole
        self.setAccessibleName(readable(self._whole))
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        shown = QFontMetrics(self.font()).elidedText(self._whole, Qt.TextElideMode.ElideRight, max(self.width(), 24))
        self.setText(shown)
        self.setToolTip(plain(self._whole if shown != self._whole else ""))

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(QFontMetrics(self.font()).horizontalAdvance(self._whole) + 2, super().sizeHint().height())


COPIED_MS = 1600


class CopyLine(QFrame):
    """`name` says what it is, for the button's hint and for screen readers. Wraps where it is long."""

    def __init__(self, name: str, text: str = "") -> None:
        super().__init__()
        self.setProperty("role", "box")
        self._name = name
        self._text = label("", "mono", wrap=True, selectable=True)
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._text.setMinimumWidth(40)
        self.copy = icon_button("copy", self.tr("Copy {}").format(name), self._copy)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 2, 2, 2)
        layout.addWidget(self._text, 1)
        layout.addWidget(self.copy, alignment=Qt.AlignmentFlag.AlignTop)
        self._back = later(self, COPIED_MS, self._as_before)
        self.say(text)

    @property
    def text(self) -> str:
        return self._text.text().replace("\u200b", "")

    def say(self, text: str) -> None:
        """A place to break a long address is put after each slash; it is not copied."""
        self._text.setText(text if "\n" in text else text.replace("/", "/\u200b"))
        self._text.setAccessibleName(readable(f"{self._name}: {text}"))

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text)
        self.copy.setIcon(icon("check", theme().palette.ok))
        self.copy.setToolTip(self.tr("Copied"))
        self._back.start()

    def _as_before(self) -> None:
        self.copy.setIcon(icon("copy", theme().palette.text2))
        self.copy.setToolTip(plain(self.tr("Copy {}").format(self._name)))


def later(parent: QObject, milliseconds: int, do: Callable[[], object]) -> QTimer:
    """A timer that calls `do` once, so long after each `start`."""
    made = QTimer(parent, singleShot=True, interval=milliseconds)
    made.timeout.connect(do)
    return made


def every(parent: QObject, milliseconds: int, do: Callable[[], object]) -> QTimer:
    """A timer that runs and calls `do` again and again."""
    made = QTimer(parent, interval=milliseconds)
    made.timeout.connect(do)
    made.start()
    return made


def paint_edge(widget: QWidget, colour: str, thickness: int, radius: int) -> None:
    """The left edge of a box with rounded corners, while it is painted."""
    painter = QPainter(widget)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setClipRect(0, 0, thickness, widget.height())
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colour))
    painter.drawRoundedRect(0, 0, 3 * radius, widget.height(), radius, radius)
    painter.end()
