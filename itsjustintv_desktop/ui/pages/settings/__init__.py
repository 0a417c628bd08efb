"""Settings: config.toml as a form and as text, the secrets, and this program on this computer."""

from itsjustintv_desktop.ui.pages.settings.view import Settings as View

__all__ = ["View"]
