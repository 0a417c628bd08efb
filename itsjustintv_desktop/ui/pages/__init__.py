"""The pages of the window, each loaded and created when it is first shown."""

from __future__ import annotations

import importlib
from dataclasses import dataclass

from itsjustintv_desktop.ui.formatting import noop, tr
from itsjustintv_desktop.ui.pages.base import Page
from itsjustintv_desktop.ui.store import Store


@dataclass(frozen=True, slots=True)
class Entry:
    """`module` has a class `View`, a Page."""

    name: str
    title: str
    icon_name: str

    @property
    def shown_title(self) -> str:
        return tr(self.title)

    def make(self, store: Store) -> Page:
        module = importlib.import_module(f"itsjustintv_desktop.ui.pages.{self.name}")
        page: Page = module.View(store, self.shown_title)
        return page


ENTRIES = (
    Entry("overview", noop("Overview"), "home"),
    Entry("feed", noop("Live feed"), "feed"),
    Entry("streamers", noop("Streamers"), "people"),
    Entry("destinations", noop("Destinations"), "arrow"),
    Entry("deliveries", noop("Deliveries"), "box"),
    Entry("connection", noop("Connection"), "waves"),
    Entry("settings", noop("Settings"), "gear"),
    Entry("log", noop("Log"), "page"),
)
