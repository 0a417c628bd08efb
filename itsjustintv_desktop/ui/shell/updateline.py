"""A quiet line: there is a newer version. It leads to the page of the download; nothing is installed by itself."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from itsjustintv_desktop.engine import UpdateView, errors
from itsjustintv_desktop.ui.plain import open_address, readable
from itsjustintv_desktop.ui.store import Store
from itsjustintv_desktop.ui.tasks import PageTasks
from itsjustintv_desktop.ui.widgets.basic import Elided, button, icon_button, row


def open_page(update: UpdateView) -> None:
    """The page of the download in the person's browser; the address was signed together with the version."""
    open_address(update.download_url)


class UpdateLine(QWidget):
    """Hidden while there is none. It asks the engine by itself."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store
        self._update: UpdateView | None = None
        self._tasks = PageTasks(self, self._failed)
        self.sentence = Elided("", "muted")
        self.page = button(self.tr("Download page"), self._open, role="small")
        self.skip = icon_button("cross", self.tr("Skip this version"), self._skip)
        line = row(self.page, None, self.skip)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 0, 0, 14)
        layout.setSpacing(6)
        layout.addWidget(self.sentence)
        layout.addLayout(line)
        store.changed.connect(self._changed)
        store.bridge.state_changed.connect(lambda _: self._changed())
        self.hide()

    def _changed(self) -> None:
        snapshot = self._store.snapshot
        update = snapshot.update if snapshot is not None and self._store.bridge.state == "running" else None
        if update == self._update:
            return
        self._update = update
        if update is not None:
            self.sentence.say(self.tr("Version {} is there").format(update.version))
            self.page.setAccessibleName(readable(self.tr("Download page of version {}").format(update.version)))
        self.setVisible(update is not None)

    def _open(self) -> None:
        if self._update is not None:
            open_page(self._update)

    def _skip(self) -> None:
        if self._update is not None:
            version = self._update.version
            self._tasks.start("skip", self._store.bridge.call(lambda engine: engine.api.skip_update(version)))

    def _failed(self, _: errors.AppError) -> None:
        """It stays, to be tried again; the log has why."""
