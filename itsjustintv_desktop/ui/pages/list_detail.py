"""A page with a table at the left and the settings of the chosen row at the right, kept until they are saved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QSplitter, QWidget

from itsjustintv_desktop.engine import Saved
from itsjustintv_desktop.ui.drafts import Drafts
from itsjustintv_desktop.ui.pages.base import Page, save_feedback
from itsjustintv_desktop.ui.pages.differences import of_drafts, sentence_of
from itsjustintv_desktop.ui.store import Store
from itsjustintv_desktop.ui.theme.tokens import GAP
from itsjustintv_desktop.ui.widgets.basic import Card, stacked
from itsjustintv_desktop.ui.widgets.states import EmptyState, Theirs
from itsjustintv_desktop.ui.widgets.table import KeyedRows

D = TypeVar("D", bound=msgspec.Struct)


class ListDetailPage(Page, Generic[D]):
    """What is typed and not saved yet is kept for each row, by its key, while the program runs.

    A page says which row its form shows (`_form_key`), reads that one anew (`_show_again`) and says with `_state` what
    can be done now: nothing is saved while it is `_held`, for then the same was changed here and in the file. A row
    that is taken out of the file stays as long as it has something unsaved; keeping that saves it again.
    """

    side_by_side_from = 0
    """Pixels; a narrower page has the settings below the table, so that each of its columns is seen."""

    def __init__(self, store: Store, title: str) -> None:
        super().__init__(store, title)
        self._drafts: Drafts[D] = Drafts()
        self._theirs: D | None = None
        self._gone = False
        """The row in the form is not in the file any more."""
        self.theirs = Theirs()
        self.theirs.mine_requested.connect(self._insist)
        self.theirs.theirs_requested.connect(self._discard)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Save), self).activated.connect(self._save_key)

    def _lay_out_list(
        self,
        table: QWidget,
        rows: KeyedRows[Any],
        chosen: Sequence[QWidget],
        none_chosen: EmptyState,
        none: EmptyState,
        widths: tuple[int, int],
    ) -> None:
        """`_right` shows `none_chosen` or one of `chosen`; `_stack` all of that, or `none` where there are no rows."""
        self._rows, self._table = rows, table
        left = Card(margin=8)
        left.body.setContentsMargins(8, 4, 8, 8)
        left.body.addWidget(table)
        nothing = Card(quiet=True)
        nothing.setMinimumWidth(330)
        nothing.body.addWidget(none_chosen)
        self._right = stacked(nothing, *chosen)
        self._split = side_by_side(left, self._right, widths)
        self._stack = stacked(self._split, none)
        self.body.addWidget(self._stack, 1)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        super().resizeEvent(event)
        below = self.width() < self.side_by_side_from
        self._split.setOrientation(Qt.Orientation.Vertical if below else Qt.Orientation.Horizontal)

    if TYPE_CHECKING:  # a page has these

        @property
        def _form_key(self) -> str:
            """Of the row in the form; "" for a new one, or none."""

        def _show_again(self) -> None:
            """Show what is saved and typed of the row in the form."""

        def _discard(self) -> None:
            """Forget what was typed, and show what is saved."""

        def _save_requested(self) -> None:
            """Save the content of the form."""

        def _save_key(self) -> None:
            """The key for saving was pressed."""

    def _state(self) -> None:
        """What can be done now."""

    def _keep(self, base: D | None, typed: D) -> None:
        """Keep the content of the form as unsaved."""
        key = self._form_key
        if self._held:
            base = self._drafts.base(key)
        if base is not None:
            self._drafts.keep(key, base, typed, gone=self._gone)
        self._mark()

    @property
    def _held(self) -> bool:
        """A person has to choose first."""
        return self._gone or self._theirs is not None

    def _typed(self, key: str, saved: D | None) -> D | None:
        """What was typed for a row, on top of what is saved now (None: it is not there any more); None for nothing."""
        self._gone = saved is None
        self._theirs = None if saved is None or self._drafts.meet(key, saved) else saved
        return self._drafts.get(key)

    def _drop(self, key: str) -> None:
        self._drafts.drop(key)
        if key == self._form_key:
            self._theirs, self._gone = None, False
        self._mark()

    def _insist(self) -> None:
        if self._gone:
            self._save_requested()
        elif self._theirs is not None:
            self._drafts.insist(self._form_key, self._theirs)
            self._show_again()

    def _mark(self) -> None:
        self._rows.mark(self._drafts.names)
        mine = self._drafts.get(self._form_key)
        if self._gone:
            self.theirs.show_for(self._form_key, removed=True)
        elif self._theirs is None or mine is None:
            self.theirs.show_for("")
        else:
            fields = self._drafts.disputed(self._form_key, self._theirs)
            self.theirs.show_for(self._form_key, sentence_of(of_drafts(fields, self._theirs, mine)))
        self._state()

    def _leave_form(self) -> None:
        """Its row is gone: further typing must not go into another row."""
        at: QWidget | None = self.window().focusWidget()
        if at is not None and self._right.isAncestorOf(at):
            self._table.setFocus()

    def _after(self, saved: Saved, done: str, show: Callable[[], object]) -> None:
        """Report the result; `show` selects what was changed after an undo."""
        self.banner.hide()
        save_feedback(self, saved, done, show)
        self.store.refresh()


def side_by_side(left: QWidget, right: QWidget, widths: tuple[int, int]) -> QSplitter:
    """Two parts with a gap that can be dragged; neither goes away."""
    split = QSplitter(Qt.Orientation.Horizontal)
    split.setHandleWidth(GAP)
    split.setChildrenCollapsible(False)
    for number, part in enumerate((left, right)):
        split.addWidget(part)
        split.setStretchFactor(number, widths[number])
    split.setSizes(list(widths))
    return split
