"""How everything looks: colours, sizes, fonts and icons, in one place."""

from itsjustintv_desktop.ui.theme.icons import icon, pixmap
from itsjustintv_desktop.ui.theme.theme import Theme, theme
from itsjustintv_desktop.ui.theme.tokens import DARK, LIGHT, Palette

__all__ = ["DARK", "LIGHT", "Palette", "Theme", "icon", "pixmap", "theme"]
