"""Colours and sizes. Text and background fit each other at 4.5:1 or better, but for `text3` (tests compute it)."""

from __future__ import annotations

from dataclasses import dataclass

GRID = 8
SIDEBAR = 208
PAGE_MARGIN = (32, 24)
"""Left and right, top and bottom."""
BAR_MARGIN = 14
"""How far into a page's right margin the bar of what scrolls may reach."""
GAP = 16
"""Between cards."""
CARD_RADIUS = 12
CONTROL_RADIUS = 8
CONTROL_HEIGHT = 32
ROW_HEIGHT = 48
BODY_PX = 13
TITLE_PX = 22
MOTION_MS = 120


@dataclass(frozen=True, slots=True)
class Palette:
    """One scheme. Each is a hex colour."""

    name: str
    window: str
    sidebar: str
    card: str
    line: str
    chip: str
    input: str
    text1: str
    text2: str
    text3: str
    """Placeholders and disabled controls only."""
    accent: str
    on_accent: str
    accent_background: str
    live: str
    ok: str
    attention: str


DARK = Palette(
    name="dark",
    window="#14161b", sidebar="#101217", card="#1c1f26", line="#2a2e38", chip="#272b35", input="#13151a",
    text1="#eceef3", text2="#9aa1b1", text3="#6b7282",
    accent="#7c8cff", on_accent="#14161b", accent_background="#262b45",
    live="#ff5a68", ok="#3ecf8e", attention="#f2b544",
)  # fmt: skip

LIGHT = Palette(
    name="light",
    window="#f6f7f9", sidebar="#eceef2", card="#ffffff", line="#e0e3ea", chip="#eef0f4", input="#ffffff",
    text1="#191c23", text2="#5a6272", text3="#8a91a0",
    accent="#4455d8", on_accent="#ffffff", accent_background="#e4e8ff",
    live="#c92438", ok="#0d7a50", attention="#8c5800",
)  # fmt: skip

AVATARS = ("#c2557a", "#3b7f9e", "#7a63c7", "#5f8f6b", "#b5763c", "#8a909e")
"""Behind the first letter of a channel without a picture."""
