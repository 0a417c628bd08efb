"""The first run: from nothing to the first announcement that arrives."""

from itsjustintv_desktop.ui.assistant.dialog import Assistant

__all__ = ["Assistant"]
