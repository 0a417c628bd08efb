"""The list of cards: kept where it is while entries come and go above it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from itsjustintv_desktop.engine import FeedItem
from itsjustintv_desktop.ui.images import Pictures
from itsjustintv_desktop.ui.models.feed import MOST
from itsjustintv_desktop.ui.pages.feed.card import FeedCard, Holding
from itsjustintv_desktop.ui.theme.tokens import GAP
from itsjustintv_desktop.ui.widgets.basic import button, row
from itsjustintv_desktop.ui.widgets.scroll import keep_width

SLOWLY = 20
"""Ages are painted anew every so many seconds."""


class Cards(QScrollArea):
    """`reached_top(bool)`: whether the newest entry is in sight."""

    reached_top = Signal(bool)
    older_requested = Signal()
    newest_requested = Signal()

    def __init__(self, pictures: Pictures, prepare: Callable[[FeedCard], None]) -> None:
        """`prepare` is called once with each card that is made."""
        super().__init__()
        self._pictures, self._prepare = pictures, prepare
        self._shown: dict[int, FeedCard] = {}
        self._spare: list[FeedCard] = []
        self._making = QTimer(self, singleShot=True, interval=0)
        self._making.timeout.connect(self._make_ahead)
        self._held: Holding = {}
        self._at_top = True
        self._seconds = 0
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._inner = QWidget()
        self._layout = QVBoxLayout(self._inner)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(GAP)
        self._list = QVBoxLayout()
        self._list.setSpacing(GAP)
        self.back = button(self.tr("Back to the &newest"), self.newest_requested.emit, icon_name="feed")
        self.older = button(self.tr("Show &older"), self.older_requested.emit)
        self._layout.addLayout(row(None, self.back, None))
        self._layout.addLayout(self._list)
        self._layout.addLayout(row(None, self.older, None))
        self._layout.addStretch(1)
        self.setWidget(self._inner)
        keep_width(self, self._layout)
        self.pill = _Pill(self, self.newest_requested.emit)
        self.verticalScrollBar().valueChanged.connect(self._scrolled)
        pictures.arrived.connect(self._picture_arrived)
        self._tick = QTimer(self, interval=1000)
        self._tick.timeout.connect(self._second)
        self._tick.start()

    @property
    def is_at_top(self) -> bool:
        return self.verticalScrollBar().value() <= 4

    def card(self, event_id: int) -> FeedCard | None:
        return self._shown.get(event_id)

    def show_items(self, items: list[FeedItem], *, more: bool, at_newest: bool, to_top: bool = False) -> None:
        """Have exactly these, in this order; what a person looks at stays where it is on the screen."""
        anchor = None if to_top or self.is_at_top else self._anchor({item.event_id for item in items})
        wanted = {item.event_id: item for item in items}
        for event_id in [each for each in self._shown if each not in wanted]:
            card = self._shown.pop(event_id)
            self._list.removeWidget(card)
            card.hide()
            self._spare.append(card)
        for place, item in enumerate(items):
            held = self._shown.get(item.event_id)
            card = held or self._take()
            self._shown[item.event_id] = card
            if self._list.indexOf(card) != place:
                self._list.removeWidget(card)
                self._list.insertWidget(place, card)
            card.show_item(item, self._pictures.get(item.picture), self._held)
            card.show()
        self.older.setVisible(more)
        self.back.setVisible(not at_newest)
        self._keep(anchor, to_top=to_top)
        self._order_focus(items)
        self._making.start()

    def hold(self, held: Holding) -> None:
        """Destinations whose deliveries wait for something else than their time."""
        if held != self._held:
            self._held = held
            for card in self._shown.values():
                if card.item is not None:
                    card.show_item(card.item, self._pictures.get(card.item.picture), held)

    def to_top(self) -> None:
        self.verticalScrollBar().setValue(0)

    def _take(self) -> FeedCard:
        return self._spare.pop() if self._spare else self._make()

    def _make(self) -> FeedCard:
        card = FeedCard()
        card.setParent(self._inner)
        card.hide()  # else Qt shows it, wherever it lies, as soon as this list is shown again
        self._prepare(card)
        return card

    def _make_ahead(self) -> None:
        """One a turn: twenty that are made when a thousand channels go live would hold up the screen."""
        if len(self._shown) + len(self._spare) < MOST:
            card = self._make()
            for each in (card, *card.findChildren(QWidget)):
                each.ensurePolished()
            self._spare.append(card)
            self._making.start()

    def _anchor(self, staying: set[int]) -> tuple[FeedCard, int] | None:
        """The first card in sight that stays, and how far below the upper edge it is."""
        value = self.verticalScrollBar().value()
        for event_id, card in sorted(self._shown.items(), reverse=True):
            if event_id in staying and card.geometry().bottom() >= value:
                return card, card.y() - value
        return None

    def _keep(self, anchor: tuple[FeedCard, int] | None, *, to_top: bool) -> None:
        width = self.viewport().width()
        self._layout.invalidate()
        self._inner.resize(width, max(self._layout.totalHeightForWidth(width), self.viewport().height()))
        self._layout.activate()
        if anchor is not None:
            card, offset = anchor
            self.verticalScrollBar().setValue(card.y() - offset)
        elif to_top or self._at_top:
            self.to_top()

    def _order_focus(self, items: list[FeedItem]) -> None:
        """Tab goes down the list, also after cards were put in between."""
        before: QWidget = self.back
        for item in items:
            card = self._shown[item.event_id]
            for each in (card.send_anyway, card.edit_filter, card.channel, card.more):
                QWidget.setTabOrder(before, each)
                before = each
        QWidget.setTabOrder(before, self.older)

    def _scrolled(self) -> None:
        if self.is_at_top is not self._at_top:
            self._at_top = self.is_at_top
            self.reached_top.emit(self._at_top)

    def _picture_arrived(self, sha256: str) -> None:
        for card in self._shown.values():
            if card.item is not None and card.item.picture == sha256:
                card.show_item(card.item, self._pictures.get(sha256), self._held)

    def _second(self) -> None:
        if self.isVisible():
            self._seconds += 1
            for card in self._shown.values():
                card.tick(slow=self._seconds % SLOWLY == 0)


class _Pill(QWidget):
    """How many entries came meanwhile, above the list; a click leads to them."""

    def __init__(self, parent: QScrollArea, do: Callable[[], object]) -> None:
        super().__init__(parent)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.button = button("", do, role="primary")
        layout.addWidget(self.button)
        parent.installEventFilter(self)
        self.hide()

    def show_count(self, count: int) -> None:
        self.button.setText(self.tr("%n new", "", count))
        self.setVisible(count > 0)
        self._place()
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        if event.type() is QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        self.adjustSize()
        parent = self.parentWidget()
        if parent is not None:
            self.move((parent.width() - self.width()) // 2, 8)
