"""Destinations: where announcements are sent."""

from itsjustintv_desktop.ui.pages.destinations.view import Destinations as View

__all__ = ["View"]
