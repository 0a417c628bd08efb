"""What follows a new destination: the result of its test, and the streamers that use it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QWidget

from itsjustintv_desktop.engine import Saved, StreamerLists, StreamerView
from itsjustintv_desktop.ui.formatting import span, translate
from itsjustintv_desktop.ui.pages.base import Page
from itsjustintv_desktop.ui.plain import readable
from itsjustintv_desktop.ui.widgets.basic import button, column, label, row
from itsjustintv_desktop.ui.widgets.dialog import Dialog, open_once
from itsjustintv_desktop.ui.widgets.field import repolish

if TYPE_CHECKING:
    from itsjustintv_desktop.engine import TestResult


class Result(QWidget):
    """Hidden until a test is sent."""

    def __init__(self) -> None:
        super().__init__()
        self._said = label("", wrap=True, selectable=True)
        self._said.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        column(self._said, inside=self)
        self.hide()

    def text(self) -> str:
        return self._said.text()

    def wait(self) -> None:
        self._say(self.tr("Sending a test…"), "muted")

    def show_result(self, result: TestResult) -> None:
        took = span(result.duration) if result.duration >= 1 else self.tr("{} ms").format(round(result.duration * 1000))
        facts = " · ".join(part for part in (str(result.status or ""), took) if part)
        shown = "" if "(it wrote: " in result.sentence else " ".join(result.answer.split())[:400]
        answer = f"\n{shown}" if shown else ""
        mark = "✓" if result.ok else "✗"
        self._say(f"{mark} {translate(result.sentence)} ({facts}){answer}", "ok" if result.ok else "attention")

    def _say(self, text: str, role: str) -> None:
        self._said.setProperty("role", role)
        repolish(self._said)
        self._said.setText(text)
        self.show()


_KEY = Qt.ItemDataRole.UserRole


def ask_who(
    page: Page, name: str, users: Sequence[str], after: Callable[[Saved, str], Coroutine[Any, Any, None]]
) -> None:
    """Ask for those that do not use it yet, and save what was chosen; `after` says so."""
    snapshot = page.store.snapshot
    left = [each for each in snapshot.streamers if each.key not in users] if snapshot is not None else []
    if not left:
        return

    async def save(keys: list[str]) -> None:
        lists = StreamerLists(destinations=(name,))
        saved = await page.bridge.call(lambda engine: engine.api.settings.streamers.change_many(keys, lists))
        await after(saved, page.tr("%n streamers are announced at {}.", "", len(keys)).format(name))

    dialog = AssignDialog(page, name, left)
    dialog.chosen.connect(lambda keys: page.do("assign", save(keys)))
    open_once(dialog)


class AssignDialog(Dialog):
    """All of them are chosen at first. `chosen`: their keys."""

    chosen = Signal(list)

    def __init__(self, parent: QWidget, name: str, streamers: Sequence[StreamerView]) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Choose streamers"))
        self.resize(460, 480)
        self.question = label(self.tr("Which streamers should be announced at {}?").format(name), "heading", wrap=True)
        self.list = QListWidget()
        self.list.setAccessibleName(self.tr("Streamers"))
        self.list.setSpacing(4)
        for view in streamers:
            item = QListWidgetItem(readable(view.display_name or view.key))
            item.setData(_KEY, view.key)
            item.setCheckState(Qt.CheckState.Checked)
            self.list.addItem(item)
        self.all = button(self.tr("&All"), lambda: self._check(Qt.CheckState.Checked), role="small")
        self.none = button(self.tr("N&one"), lambda: self._check(Qt.CheckState.Unchecked), role="small")
        self.take = button("", self.accept, role="primary")
        self.later = button(self.tr("&Later"), self.reject)
        column(
            self.question,
            label(self.tr("What no streamer uses is sent nothing."), "muted", wrap=True),
            (self.list, 1),
            row(self.all, self.none, None),
            row(None, self.later, self.take),
            spacing=12,
            inside=self,
            margins=(20, 20, 20, 20),
        )
        self.take.setDefault(True)
        self.list.itemChanged.connect(lambda _: self._count())
        self.accepted.connect(lambda: self.chosen.emit(self.keys))
        self._count()
        self.list.setFocus()

    @property
    def unsaved(self) -> tuple[str, ...]:
        return (self.windowTitle(),) if len(self.keys) < self.list.count() else ()

    @property
    def keys(self) -> list[str]:
        """Of those that are chosen."""
        items = [self.list.item(number) for number in range(self.list.count())]
        return [item.data(_KEY) for item in items if item.checkState() is Qt.CheckState.Checked]

    def _check(self, state: Qt.CheckState) -> None:
        blocked = self.list.blockSignals(True)
        for number in range(self.list.count()):
            self.list.item(number).setCheckState(state)
        self.list.blockSignals(blocked)
        self.list.viewport().update()
        self._count()

    def _count(self) -> None:
        count = len(self.keys)
        self.take.setText(self.tr("Use it for %n streamers", "", count))
        self.take.setEnabled(count > 0)
