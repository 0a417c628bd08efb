"""One card of the live feed: what it says, where each part lies, and how it is painted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap, QResizeEvent
from PySide6.QtWidgets import QMenu, QSizePolicy, QWidget

from itsjustintv_desktop.engine import FeedDelivery, FeedItem
from itsjustintv_desktop.engine.core.models import DeliveryState
from itsjustintv_desktop.ui.formatting import ago, translate
from itsjustintv_desktop.ui.images import paint_avatar
from itsjustintv_desktop.ui.plain import plain, readable
from itsjustintv_desktop.ui.status import DeliveryHold, sentence_of, tone_of, word_of
from itsjustintv_desktop.ui.theme import theme
from itsjustintv_desktop.ui.theme.tokens import BODY_PX, CARD_RADIUS
from itsjustintv_desktop.ui.widgets.basic import button, icon_button, paint_dot

MARGIN, AVATAR, INDENT = 20, 44, 80
"""Around the card's content, the picture, and where the words begin."""
TOP = 16
LINE = 20
CHIP, CHIP_GAP = 20, 6
ROW_GAP = 6
DOT = 11
RIGHT = 108
"""Kept free at the right for the time."""
BUTTONS = 44
"""A row of buttons below the words."""
_LINES = 3


@dataclass(slots=True)
class Chip:
    """A word on a small field."""

    text: str
    box: QRectF


@dataclass(slots=True)
class Mark:
    """One destination's outcome: its dot and words, within `box`."""

    delivery: FeedDelivery
    text: str
    box: QRect


@dataclass(slots=True)
class Arranged:
    """Everything in the card's own coordinates. `buttons`: where a row of buttons begins, 0 = there is none."""

    height: int = 0
    title: QRect = field(default_factory=QRect)
    explanation: QRect = field(default_factory=QRect)
    chips: list[Chip] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    buttons: int = 0


def font(weight: QFont.Weight = QFont.Weight.Normal, pixels: int = BODY_PX) -> QFont:
    """Inter, with tabular figures."""
    made = QFont("Inter")
    made.setPixelSize(pixels)
    made.setWeight(weight)
    made.setFeature(QFont.Tag("tnum"), 1)
    return made


def arrange(item: FeedItem, marks: list[tuple[FeedDelivery, str]], width: int, *, buttons: bool) -> Arranged:
    """`marks`: the outcomes and their texts."""
    made = Arranged()
    right = width - MARGIN
    at = TOP + LINE
    body = QFontMetrics(font())
    if item.title:
        made.title = QRect(INDENT, at, right - INDENT, LINE)
        at += LINE
    if item.explanation and item.kind != "announced":
        room = QRect(INDENT, at, right - INDENT - RIGHT // 2, LINE * _LINES)
        needed = body.boundingRect(room, Qt.TextFlag.TextWordWrap, readable(translate(item.explanation))).height()
        room.setHeight(min(room.height(), max(LINE, needed + 4)))
        made.explanation = room
        at += room.height()
    if item.kind == "announced":
        at = _chips(made, item, at, right)
        at = _marks(made, marks, at, right, body)
    if buttons:
        made.buttons = at + ROW_GAP
        at = made.buttons + BUTTONS - 8
    made.height = max(at + TOP, TOP + AVATAR + TOP)
    return made


def _chips(made: Arranged, item: FeedItem, at: int, right: int) -> int:
    """One row; what does not fit is counted in the last."""
    small = QFontMetrics(font(pixels=11))
    words = [word for word in (item.category, *item.tags) if word]
    if not words:
        return at
    at += ROW_GAP
    x = INDENT
    for number, word in enumerate(words):
        text = small.elidedText(" ".join(readable(word).split()), Qt.TextElideMode.ElideRight, 220)
        width = small.horizontalAdvance(text) + 16
        left = len(words) - number
        reserve = 0 if left == 1 else small.horizontalAdvance(f"+{left}") + 16 + CHIP_GAP
        if x + width + reserve > right:
            made.chips.append(Chip(f"+{left}", QRectF(x, at, small.horizontalAdvance(f"+{left}") + 16, CHIP)))
            break
        made.chips.append(Chip(text, QRectF(x, at, width, CHIP)))
        x += width + CHIP_GAP
    return at + CHIP


def _marks(made: Arranged, marks: list[tuple[FeedDelivery, str]], at: int, right: int, body: QFontMetrics) -> int:
    if not marks:
        return at
    at += ROW_GAP + 2
    x = INDENT
    for delivery, text in marks:
        width = min(DOT + 6 + body.horizontalAdvance(text) + 4, right - INDENT)
        if x + width > right and x > INDENT:
            x, at = INDENT, at + LINE + 2
        made.marks.append(Mark(delivery, text, QRect(x, at, width, LINE)))
        x += width + 16
    return at + LINE


_ONE_LINE = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine
Holding = Mapping[str, DeliveryHold]
"""What holds the deliveries of a destination, by its name."""


class FeedCard(QWidget):
    """`requested`: the name of an action on this entry. `delivery_requested`: the id of a delivery to show."""

    requested = Signal(str)
    delivery_requested = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setMouseTracking(True)
        self.item: FeedItem | None = None
        self._held: Holding = {}
        self._picture: QPixmap | None = None
        self._arranged: dict[int, Arranged] = {}
        self._busy = False
        self.send_anyway = button(self.tr("Send anyway"), lambda: self.requested.emit("send_anyway"))
        self.edit_filter = button(self.tr("Edit filter"), lambda: self.requested.emit("edit_filter"))
        self.channel = icon_button("open", "", lambda: self.requested.emit("channel"))
        self.more = icon_button("dots", "", self._open_menu)
        self._buttons = (self.send_anyway, self.edit_filter, self.channel, self.more)
        for each in self._buttons:
            each.setParent(self)
        self.fill_menu: Callable[[QMenu], None] = lambda _: None
        theme().changed.connect(self.update)

    def show_item(self, item: FeedItem, picture: QPixmap | None, held: Holding) -> None:
        """Show another entry, or the same as it is now."""
        if (item, held) == (self.item, self._held) and picture is self._picture:
            return
        if self.item is None or self.item.event_id != item.event_id:
            self._busy = False
        self.item, self._picture, self._held = item, picture, held
        self._arranged.clear()
        name = item.name or item.login
        self.channel.setVisible(bool(item.url))
        for made, text in (
            (self.channel, self.tr("Open the channel of {}")), (self.more, self.tr("More for {}")),
            (self.send_anyway, self.tr("Announce {} anyway")), (self.edit_filter, self.tr("Edit the filter of {}")),
        ):  # fmt: skip
            made.setAccessibleName(readable(text.format(name)))
        self.channel.setToolTip(plain(self.channel.accessibleName()))
        self.send_anyway.setVisible(item.can_send_anyway)
        self.edit_filter.setVisible(item.reason == "filtered" and bool(item.streamer))
        self.busy(self._busy)
        self._describe()
        self.updateGeometry()
        self._place()
        self.update()

    def busy(self, is_busy: bool) -> None:
        """What was asked for is being done."""
        self._busy = is_busy
        self.send_anyway.setEnabled(not is_busy)

    def tick(self, *, slow: bool) -> None:
        """A second passed; `slow` = and "3 min ago" may be another."""
        if self.item is not None and (slow or any(_counts_down(each) for each in self.item.deliveries)):
            self.update()

    def kind_words(self) -> str:
        """What happened, behind the name."""
        item = self.item
        if item is None:
            return ""
        if item.test:
            return self.tr("test") if item.kind == "announced" else self.tr("test, not announced")
        words = {
            "announced": self.tr("went live"),
            "missed": self.tr("missed"),
            "notice": self.tr("note"),
        }
        return words.get(item.kind, self.tr("not announced"))

    # Size

    def hasHeightForWidth(self) -> bool:  # noqa: N802 - Qt's name
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: N802 - Qt's name
        return self._at(width).height

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        width = max(self.width(), 400)
        return QSize(width, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(320, TOP * 2 + AVATAR)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        super().resizeEvent(event)
        self._place()

    def _at(self, width: int) -> Arranged:
        if width not in self._arranged:
            if self.item is None:
                return Arranged()
            if len(self._arranged) > 3:
                self._arranged.clear()
            has_buttons = self.item.can_send_anyway or not self.edit_filter.isHidden()
            self._arranged[width] = arrange(self.item, self._marks(), width, buttons=has_buttons)
        return self._arranged[width]

    def _marks(self) -> list[tuple[FeedDelivery, str]]:
        assert self.item is not None
        return [(each, self._sentence(each)) for each in _latest(self.item.deliveries)]

    def _sentence(self, each: FeedDelivery) -> str:
        held = self._held.get(each.destination)
        return sentence_of(each.destination, each.state, each.last_status, each.last_error, each.next_at, held=held)

    def _place(self) -> None:
        where = self._at(self.width())
        right = self.width() - MARGIN + 6
        for each in (self.more, self.channel):
            each.setGeometry(right - 30, TOP + LINE + 2, 30, 30)
            right -= 32
        left = INDENT
        for made in (self.send_anyway, self.edit_filter):
            if not made.isHidden():
                made.setGeometry(QRect(QPoint(left, where.buttons), made.sizeHint()))
                left += made.width() + 8

    # Looks

    def paintEvent(self, _: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        item = self.item
        if item is None:
            return
        palette, where = theme().palette, self._at(self.width())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        quiet = item.kind != "announced"
        pen = QPen(QColor(palette.line), 1, Qt.PenStyle.DashLine if quiet else Qt.PenStyle.SolidLine)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush if quiet else QColor(palette.card))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), CARD_RADIUS, CARD_RADIUS)
        painter.setOpacity(0.6 if quiet else 1.0)
        paint_avatar(painter, QRectF(MARGIN, TOP, AVATAR, AVATAR), item.name or item.login or "?", self._picture)
        painter.setOpacity(1.0)
        self._paint_head(painter, item)
        painter.setFont(font())
        if not where.title.isNull():
            painter.setPen(QColor(palette.text2 if quiet else palette.text1))
            room = where.title.adjusted(0, 0, -RIGHT + 36, 0)
            painter.drawText(where.title, _ONE_LINE, _elided(painter, item.title, room.width()))
        if not where.explanation.isNull():
            painter.setPen(QColor(palette.text2))
            painter.drawText(where.explanation, Qt.TextFlag.TextWordWrap, readable(translate(item.explanation)))
        self._paint_chips(painter, where)
        self._paint_marks(painter, where)
        painter.end()

    def _paint_head(self, painter: QPainter, item: FeedItem) -> None:
        palette = theme().palette
        room = self.width() - MARGIN - RIGHT - INDENT
        strong = font(QFont.Weight.DemiBold, 14)
        painter.setFont(strong)
        painter.setPen(QColor(palette.text1))
        name = _elided(painter, item.name or item.login or self.tr("Twitch"), room - 90)
        painter.drawText(QRect(INDENT, TOP - 2, room, LINE), _ONE_LINE, name)
        used = painter.fontMetrics().horizontalAdvance(name) + 8
        painter.setFont(font())
        painter.setPen(QColor(palette.text2))
        painter.drawText(QRect(INDENT + used, TOP - 2, room - used, LINE), _ONE_LINE, self.kind_words())
        when = QRect(self.width() - MARGIN - RIGHT, TOP - 2, RIGHT, LINE)
        painter.drawText(when, _ONE_LINE | Qt.AlignmentFlag.AlignRight, ago(item.at))

    def _paint_chips(self, painter: QPainter, where: Arranged) -> None:
        palette = theme().palette
        painter.setFont(font(pixels=11))
        for chip in where.chips:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(palette.chip))
            painter.drawRoundedRect(chip.box, 6, 6)
            painter.setPen(QColor(palette.text2))
            painter.drawText(chip.box, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextSingleLine, chip.text)

    def _paint_marks(self, painter: QPainter, where: Arranged) -> None:
        painter.setFont(font())
        for mark in where.marks:
            box = mark.box
            held = self._held.get(mark.delivery.destination)
            stopped = held is not None and held.always and mark.delivery.state is DeliveryState.PENDING
            tone = "off" if stopped else tone_of(mark.delivery.state)
            top = box.center().y() - DOT / 2 + 1
            paint_dot(painter, tone, QRectF(box.left(), top, DOT, DOT))
            painter.setPen(QColor(theme().palette.text2))
            words = box.adjusted(DOT + 6, 0, 4, 0)
            painter.drawText(words, _ONE_LINE, _elided(painter, self._sentence(mark.delivery), words.width()))

    # What a person does

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        mark = self._under(event.position().toPoint())
        self.setCursor(Qt.CursorShape.PointingHandCursor if mark else Qt.CursorShape.ArrowCursor)
        self.setToolTip(plain(f"{mark.delivery.destination}: {word_of(mark.delivery.state)}" if mark else ""))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        mark = self._under(event.position().toPoint())
        if mark is not None and event.button() is Qt.MouseButton.LeftButton:
            self.delivery_requested.emit(mark.delivery.id)

    def _under(self, point: QPoint) -> Mark | None:
        return next((mark for mark in self._at(self.width()).marks if mark.box.contains(point)), None)

    def _open_menu(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.fill_menu(menu)
        menu.popup(self.more.mapToGlobal(self.more.rect().bottomLeft()))

    def _describe(self) -> None:
        item = self.item
        assert item is not None
        parts = [f"{item.name or item.login} {self.kind_words()}", ago(item.at), item.title, item.category]
        if item.kind != "announced":
            parts.append(translate(item.explanation))
        parts += [f"{each.destination}: {word_of(each.state)}" for each in _latest(item.deliveries)]
        self.setAccessibleName(readable(". ".join(part.rstrip(".") for part in parts if part)))


def _latest(deliveries: tuple[FeedDelivery, ...]) -> list[FeedDelivery]:
    """The last delivery of each destination; it replaces those before it."""
    return list({each.destination: each for each in deliveries}.values())


def _counts_down(each: FeedDelivery) -> bool:
    return each.state is DeliveryState.PENDING


def _elided(painter: QPainter, text: str, room: int) -> str:
    line = " ".join(readable(text).split())
    return painter.fontMetrics().elidedText(line, Qt.TextElideMode.ElideRight, max(room, 20))
