"""Deliveries: what is waiting, and the outcome of everything that was sent."""

from itsjustintv_desktop.ui.pages.deliveries.view import DeliveriesView as View

__all__ = ["View"]
