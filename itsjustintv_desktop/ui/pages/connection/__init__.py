"""Connection: how Twitch reaches us, and how that is changed."""

from itsjustintv_desktop.ui.pages.connection.view import Connection as View

__all__ = ["View"]
