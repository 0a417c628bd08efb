"""The pages of the window, each loaded and created when it is first shown."""

from __future__ import annotations

import importlib
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from itsjustintv_desktop.ui.pages.base import Page
from itsjustintv_desktop.ui.store import Store


def _noop(text: str) -> str:
    """Marks a text for the translators; it is translated when it is shown."""
    return text


@dataclass(frozen=True, slots=True)
class Entry:
    """`module` has a class `View`, a Page."""

    name: str
    title: str
    icon_name: str

    @property
    def shown_title(self) -> str:
        return QCoreApplication.translate("pages", self.title)

    def make(self, store: Store) -> Page:
        module = importlib.import_module(f"itsjustintv_desktop.ui.pages.{self.name}")
        page: Page = module.View(store, self.shown_title)
        return page


ENTRIES = (
    Entry("overview", _noop("Overview"), "home"),
    Entry("feed", _noop("Live feed"), "feed"),
    Entry("streamers", _noop("Streamers"), "people"),
    Entry("destinations", _noop("Destinations"), "arrow"),
    Entry("deliveries", _noop("Deliveries"), "box"),
    Entry("connection", _noop("Connection"), "waves"),
    Entry("settings", _noop("Settings"), "gear"),
    Entry("log", _noop("Log"), "page"),
)
