"""A page's content where it may be higher than the window: scrolled as one, its bar in the page's margin."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtWidgets import QFrame, QLayout, QScrollArea, QVBoxLayout, QWidget
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
    """The content's right margin gives way to the bar: its width is the same whether there is one or not."""
    bar = area.verticalScrollBar()

    def make_room(low: int, high: int) -> None:
        if not (isValid(bar) and isValid(content)):
            return  # the page is being taken apart
        taken = bar.sizeHint().width() if high > low else 0
        content.setContentsMargins(0, 0, max(BAR_MARGIN - taken, 0), 0)

    bar.rangeChanged.connect(make_room)
    make_room(0, 0)


def kept_out(widget: QWidget) -> QWidget:
    """For what stands in the place of something that scrolls: as wide as that, without its bar."""
    holder = QWidget()
    layout = QVBoxLayout(holder)
    layout.setContentsMargins(0, 0, BAR_MARGIN, 0)
    layout.addWidget(widget)
    return holder
