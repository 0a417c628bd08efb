"""What is on its way, and what became of everything that was sent."""

from itsjustintv_desktop.ui.pages.deliveries.view import DeliveriesView as View

__all__ = ["View"]
