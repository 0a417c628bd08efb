"""What the program did, as it says it itself."""

from itsjustintv_desktop.ui.pages.log.view import LogView as View

__all__ = ["View"]
