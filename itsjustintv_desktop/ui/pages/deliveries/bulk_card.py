"""What can be done with several deliveries at once."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from itsjustintv_desktop.ui.widgets.basic import button, label, row


class BulkCard(QWidget):
    """`wished`: retry, resend, drop or cancel."""

    wished = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        self._title = label("", "heading")
        self.older = label(self.tr("Older ones were not read yet and are not selected."), "muted", wrap=True)
        self._progress = label("", "muted", wrap=True)
        self.retry = button(self.tr("Re&try now"), lambda: self.wished.emit("retry"), role="primary")
        self.resend = button(self.tr("Re&send"), lambda: self.wished.emit("resend"))
        self.drop = button(self.tr("&Drop"), lambda: self.wished.emit("drop"), role="danger")
        self.cancel = button(self.tr("Cance&l"), lambda: self.wished.emit("cancel"))
        layout.addWidget(self._title)
        layout.addWidget(self.older)
        layout.addLayout(row(self.retry, self.resend, None, self.drop))
        layout.addWidget(self._progress)
        layout.addLayout(row(self.cancel, None))
        layout.addStretch(1)
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
