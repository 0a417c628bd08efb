"""Text that is not ours, such as a stream's title or a response, is shown as the characters it is made of.

Qt takes what looks like markup for markup in tooltips and message boxes, "&" in menus for a shortcut, and a desktop's
notifications may do the same. tests/ui/test_plain.py forbids handing such text to Qt in any other way.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, Qt

LONGEST = 10_000
HINT = 1_000
LINE = 300
"""Characters: in a label, in a tooltip or message, and in a menu."""
_NOT_SHOWN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
"""Control characters, halves of characters, and what turns the direction of the text around it."""
_BREAKS = re.compile("\r\n?|[\u2028\u2029]")
_TAG = re.compile("<|&(?=lt;)")


def readable(text: str, most: int = LONGEST) -> str:
    """For places that know plain text only: labels, cells of tables, accessible names, placeholders."""
    text = text[: 2 * most]
    if not text.isprintable():  # line breaks, too
        text = _NOT_SHOWN.sub("", _BREAKS.sub("\n", text))
    return text if len(text) <= most else f"{text[: most - 1]}…"


def plain(text: str) -> str:
    """For places where Qt guesses whether it is markup: tooltips and message boxes. An invisible space after each "<"
    makes sure that it is not."""
    text = readable(text, HINT)
    return _TAG.sub("\\g<0>\u200b", text) if Qt.mightBeRichText(text) else text


def for_menu(text: str, *, over_dbus: bool = False) -> str:
    """For menus and buttons: on one line, and "&" marks no shortcut.

    `over_dbus`: for the menu of a tray icon that the desktop draws (StatusNotifierItem). There "_" marks a shortcut;
    Qt makes one of the first "&", and hands all others on as they are.
    """
    line = readable(" ".join(text.split()), LINE)
    return line.replace("_", "__").replace("&", "&&", 1) if over_dbus else line.replace("&", "&&")


def channel_address(login: str) -> str:
    """The page of a channel at Twitch."""
    return f"https://twitch.tv/{quote(login, safe='')}"


def open_address(address: str) -> bool:
    """Open a page in the person's browser. Addresses of files, programs and shares are refused (False)."""
    url = QUrl(address, QUrl.ParsingMode.StrictMode)
    if not url.isValid() or url.scheme() not in {"https", "http"} or not url.host():
        return False
    return QDesktopServices.openUrl(url)


def open_folder(folder: str) -> bool:
    """Open a folder of this program in the file manager."""
    return Path(folder).is_dir() and QDesktopServices.openUrl(QUrl.fromLocalFile(folder))
