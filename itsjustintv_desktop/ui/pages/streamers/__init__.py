"""Streamers: who is watched, and how each is announced."""

from itsjustintv_desktop.ui.pages.streamers.view import Streamers as View

__all__ = ["View"]
