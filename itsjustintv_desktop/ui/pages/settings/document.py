"""The one text that form and raw tab edit together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

if TYPE_CHECKING:
    from itsjustintv_desktop.engine import Document


class ConfigDocument(QObject):
    """`changed`: the text is another, or what it is compared with."""

    changed = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.text = ""
        self.base = ""
        """As it is on disk."""
        self.digest = ""
        self.loaded = False

    @property
    def is_changed(self) -> bool:
        return self.loaded and self.text != self.base

    def edit(self, text: str) -> None:
        """A person changed it."""
        if text != self.text:
            self.text = text
            self.changed.emit()

    def take(self, document: Document) -> None:
        """What is on disk, in place of everything."""
        self.text = self.base = document.text
        self.digest, self.loaded = document.digest, True
        self.changed.emit()

    def keep_on_top_of(self, document: Document, text: str) -> None:
        """Go on with this text, to be saved in place of what is on disk now."""
        self.base, self.digest, self.text = document.text, document.digest, text
        self.changed.emit()

    def saved(self, text: str, digest: str) -> None:
        """This text was written."""
        self.base, self.digest = text, digest
        self.changed.emit()
