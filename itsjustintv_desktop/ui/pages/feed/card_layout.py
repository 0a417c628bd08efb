"""Where each part of a card lies: computed once for a width, painted often."""

from __future__ import annotations

from dataclasses import dataclass, field

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetrics

from itsjustintv_desktop.engine import FeedDelivery, FeedItem
from itsjustintv_desktop.ui.formatting import translate
from itsjustintv_desktop.ui.plain import readable
from itsjustintv_desktop.ui.theme.tokens import BODY_PX

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
    """Inter, with figures that stand below each other."""
    made = QFont("Inter")
    made.setPixelSize(pixels)
    made.setWeight(weight)
    made.setFeature(QFont.Tag("tnum"), 1)
    return made


def arrange(item: FeedItem, marks: list[tuple[FeedDelivery, str]], width: int, *, buttons: bool) -> Arranged:
    """`marks`: the outcomes and what is said of each."""
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
