"""Actions on deliveries and destinations, one or many: requested from the engine, reported, and undone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from itsjustintv_desktop.engine import ManyResult
from itsjustintv_desktop.engine.core.models import DeliveryView
from itsjustintv_desktop.ui.formatting import clock, translate
from itsjustintv_desktop.ui.pages.base import Page
from itsjustintv_desktop.ui.pages.deliveries.model import DeliveriesModel
from itsjustintv_desktop.ui.widgets.basic import button, fill, label, row


class BulkCard(QWidget):
    """`requested`: retry, resend, drop or cancel."""

    requested = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        self._title = label("", "heading")
        self.older = label(self.tr("Older ones were not read yet and are not selected."), "muted", wrap=True)
        self._progress = label("", "muted", wrap=True)
        self.retry = button(self.tr("Re&try now"), lambda: self.requested.emit("retry"), role="primary")
        self.resend = button(self.tr("Re&send"), lambda: self.requested.emit("resend"))
        self.drop = button(self.tr("&Drop"), lambda: self.requested.emit("drop"), role="danger")
        self.cancel = button(self.tr("Cance&l"), lambda: self.requested.emit("cancel"))
        fill(layout, self._title, self.older, row(self.retry, self.resend, None, self.drop), self._progress)
        fill(layout, row(self.cancel, None), None)
        self.show_progress(None)

    def show_count(self, count: int, *, to_the_end: bool) -> None:
        """`to_the_end`: the last row in the list is selected, and there are older ones below it."""
        self._title.setText(self.tr("%n deliveries selected", "", count))
        self.older.setVisible(to_the_end)

    def show_progress(self, done: int | None, total: int = 0) -> None:
        """`done` of `total`; None = nothing is being done."""
        busy = done is not None
        for each in (self.retry, self.resend, self.drop):
            each.setEnabled(not busy)
        self.cancel.setVisible(busy)
        self._progress.setText(self.tr("{} of {}").format(done, total) if busy else "")


AT_ONCE = 200
"""Deliveries per request; between two requests the action can be cancelled."""

Progress = Callable[..., object]


class Changing(QObject):
    """Errors are shown by the page."""

    def __init__(self, page: Page, model: DeliveriesModel) -> None:
        super().__init__(page)
        self._page, self._model = page, model
        self._cancelled = False

    def one(self, what: str, view: DeliveryView, *, after: Callable[[], object]) -> None:
        """Retry, resend or drop one."""
        if not self._page.do("change", self._one(what, view, after)):
            after()

    def set_due(self, view: DeliveryView, at: float) -> None:
        self._page.do("due", self._set_due(view, at))

    def many(self, what: str, parts: Sequence[range], progress: Progress) -> None:
        """Retry, resend or drop the rows; `progress(done, total)`, and `progress(None)` at the end."""
        self._cancelled = False
        self._page.do("many", self._many(what, parts, progress))

    def cancel(self) -> None:
        """Change no more of them."""
        self._cancelled = True

    def retry_all(self) -> None:
        """Everything that waits is tried now."""
        self._page.do("retry all", self._retry_all())

    def pause(self, name: str, *, wanted: bool) -> None:
        """Pause a destination, or resume it."""
        self._page.do("pause", self._pause(name, wanted))

    async def _one(self, what: str, view: DeliveryView, after: Callable[[], object]) -> None:
        try:
            await self._page.bridge.call(lambda engine: getattr(engine.api.deliveries, what)(view.id))
        finally:
            after()
        if what == "drop":
            text = self.tr("Dropped: {} is not told of {}").format(view.destination, view.streamer)
            self._page.tell(text, self.tr("Undo"), lambda: self._page.do("undo", self._undo([view.id])))
        else:
            text = self.tr("{} is tried now") if what == "retry" else self.tr("Sent to {} once more")
            self._page.tell(text.format(view.destination))

    async def _undo(self, ids: list[int]) -> None:
        """Put dropped deliveries back into the queue: they are due at once."""
        for start in range(0, len(ids), AT_ONCE):
            some = ids[start : start + AT_ONCE]
            await self._page.bridge.call(lambda engine: engine.api.deliveries.retry_many(some))  # noqa: B023
        self._page.tell(self.tr("%n deliveries are back, and tried now", "", len(ids)))

    async def _set_due(self, view: DeliveryView, at: float) -> None:
        await self._page.bridge.call(lambda engine: engine.api.deliveries.set_due(view.id, at))
        self._page.tell(self.tr("Next try at {}").format(clock(at)))

    async def _many(self, what: str, parts: Sequence[range], progress: Progress) -> None:
        total = sum(len(part) for part in parts)
        progress(0, total)
        done, refused, changed = 0, 0, list[int]()
        why = ""
        try:
            ids = self._model.ids(parts)
            for start in range(0, len(ids), AT_ONCE):
                if self._cancelled:
                    break
                some = ids[start : start + AT_ONCE]
                result: ManyResult = await self._page.bridge.call(
                    lambda engine: getattr(engine.api.deliveries, f"{what}_many")(some)  # noqa: B023 - awaited here
                )
                done += result.done
                refused += len(result.refused)
                why = why or next((translate(each.reason) for each in result.refused), "")
                kept = {each.id for each in result.refused}
                changed += [each for each in some if each not in kept]
                progress(min(start + AT_ONCE, total), total)
        finally:
            progress(None)
        self._tell_many(what, done, changed, refused, why)

    def _tell_many(self, what: str, done: int, changed: list[int], refused: int, why: str) -> None:
        text = {
            "retry": self.tr("%n are tried now", "", done), "resend": self.tr("%n are sent once more", "", done),
            "drop": self.tr("%n dropped", "", done),
        }[what]  # fmt: skip
        if refused:
            text += ". " + self.tr("%n were left as they were: {}", "", refused).format(why)
        if what == "drop" and changed:
            self._page.tell(text, self.tr("Undo"), lambda: self._page.do("undo", self._undo(changed)))
        else:
            self._page.tell(text)

    async def _retry_all(self) -> None:
        count = await self._page.bridge.call(lambda engine: engine.api.deliveries.retry_all())
        self._page.tell(self.tr("%n deliveries are tried now", "", count))

    async def _pause(self, name: str, wanted: bool) -> None:
        if wanted:
            await self._page.bridge.call(lambda engine: engine.api.destinations.pause(name))
            text = self.tr("{} is paused, its deliveries wait").format(name)
            self._page.tell(text, self.tr("Undo"), lambda: self.pause(name, wanted=False))
        else:
            await self._page.bridge.call(lambda engine: engine.api.destinations.resume(name))
            self._page.tell(self.tr("{} takes deliveries again").format(name))
        self._page.store.refresh()
