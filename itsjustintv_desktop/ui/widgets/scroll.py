"""Layouts: widgets that flow on in the next line, and areas that scroll up and down."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QFrame, QLayout, QLayoutItem, QScrollArea, QSizePolicy, QVBoxLayout, QWidget
from shiboken6 import isValid

from itsjustintv_desktop.ui.theme.tokens import BAR_MARGIN


class Scroll(QScrollArea):
    """Never scrolls sideways: what is inside has to fit, or wrap."""

    def __init__(self, content: QLayout) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        inner = QWidget()
        inner.setLayout(content)
        self.setWidget(inner)
        keep_width(self, content)


def scroll_in(place: QWidget, inner: QWidget) -> None:
    """Make `inner` all there is in `place`, scrolling where it is too high."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidget(inner)
    layout = QVBoxLayout(place)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(area)


class Upright(QScrollArea):
    """Scrolls up and down only, and is never narrower than what is inside, which would be cut."""

    def __init__(self, inner: QWidget) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._inside = _Inside(inner, self.updateGeometry)
        self.setWidget(self._inside)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        least = self._inside.minimumSizeHint().width() + self.verticalScrollBar().sizeHint().width()
        return QSize(least, super().minimumSizeHint().height())


class _Inside(QWidget):
    """Calls `changed` when what is inside may need another size.

    Not an event filter of the area: that is called for all that happens to its scroll bars as well.
    """

    def __init__(self, inner: QWidget, changed: Callable[[], None]) -> None:
        super().__init__()
        self._changed = changed
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(inner)

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.LayoutRequest:
            self._changed()
        return super().event(event)


def keep_width(area: QScrollArea, content: QLayout) -> None:
    """Shrink the content's right margin by the scroll bar, so that its width never changes."""
    bar = area.verticalScrollBar()

    def make_room(low: int, high: int) -> None:
        if not (isValid(bar) and isValid(content)):
            return  # the page is being taken apart
        taken = bar.sizeHint().width() if high > low else 0
        content.setContentsMargins(0, 0, max(BAR_MARGIN - taken, 0), 0)

    bar.rangeChanged.connect(make_room)
    make_room(0, 0)


def kept_out(widget: QWidget) -> QWidget:
    """A widget as wide as scrolling content beside it, without a bar."""
    holder = QWidget()
    layout = QVBoxLayout(holder)
    layout.setContentsMargins(0, 0, BAR_MARGIN, 0)
    layout.addWidget(widget)
    return holder


class Flow(QLayout):
    """An item whose policy expands takes what is left of its line."""

    def __init__(self, spacing: int = 6, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self.setSpacing(spacing)
        self.setContentsMargins(0, 0, 0, 0)

    def addItem(self, item: QLayoutItem) -> None:  # noqa: N802 - Qt's name
        self._items.append(item)

    def insert(self, at: int, widget: QWidget) -> None:
        """Put a widget before the item at that place."""
        self.addWidget(widget)
        self._items.insert(at, self._items.pop())
        self.invalidate()

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:  # noqa: N802 - Qt's name
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:  # noqa: N802 - Qt's name
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:  # noqa: N802 - Qt's name
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:  # noqa: N802 - Qt's name
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: N802 - Qt's name
        return self._lay(QRect(0, 0, width, 0), move=False)

    def setGeometry(self, rect: QRect) -> None:  # noqa: N802 - Qt's name
        super().setGeometry(rect)
        self._lay(rect, move=True)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return self.minimumSize()

    def minimumSize(self) -> QSize:  # noqa: N802 - Qt's name
        size = QSize()
        for item in self._items:
            size = size.expandedTo(item.minimumSize())
        margins = self.contentsMargins()
        return size + QSize(margins.left() + margins.right(), margins.top() + margins.bottom())

    def _lay(self, rect: QRect, *, move: bool) -> int:
        """Place all items; the height that takes."""
        margins = self.contentsMargins()
        area = rect.adjusted(margins.left(), margins.top(), -margins.right(), -margins.bottom())
        x, y, line = area.x(), area.y(), 0
        placed: list[tuple[QLayoutItem, QRect]] = []
        for item in self._items:
            size = item.sizeHint()
            widget = item.widget()
            if widget is not None and widget.isHidden():
                continue
            width = min(size.width(), area.width())
            if x > area.x() and x + width > area.right() + 1:
                x, y, line = area.x(), y + line + self.spacing(), 0
            if widget is not None and widget.sizePolicy().horizontalPolicy() is QSizePolicy.Policy.Expanding:
                width = max(width, area.right() + 1 - x)
            placed.append((item, QRect(QPoint(x, y), QSize(width, size.height()))))
            x += width + self.spacing()
            line = max(line, size.height())
        if move:
            for item, box in placed:
                item.setGeometry(box)
        return y + line - rect.y() + margins.bottom()
