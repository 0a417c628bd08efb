"""Overview: will my next stream be announced?"""

from itsjustintv_desktop.ui.pages.overview.view import Overview as View

__all__ = ["View"]
