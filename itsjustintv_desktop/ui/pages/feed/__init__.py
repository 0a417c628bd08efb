"""Everything that was announced, and what was not, with the reason."""

from itsjustintv_desktop.ui.pages.feed.view import FeedView as View

__all__ = ["View"]
