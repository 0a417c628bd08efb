"""Text can be read on everything it stands on: WCAG 2.2, 1.4.3, computed for both palettes."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from itsjustintv_desktop.ui.theme import DARK, LIGHT, Palette
from itsjustintv_desktop.ui.theme.stylesheet import stylesheet
from itsjustintv_desktop.ui.theme.tokens import AVATARS
from tests.ui.colours import contrast

SURFACES = ("window", "sidebar", "card", "chip", "input")
PAIRS = (
    *((text, surface) for text in ("text1", "text2") for surface in SURFACES),
    ("text1", "accent_background"), ("text2", "accent_background"),
    *((text, surface) for text in ("accent", "live", "ok", "attention") for surface in ("window", "card", "input")),
    ("live", "chip"), ("accent", "sidebar"), ("on_accent", "accent"),
)  # fmt: skip


@pytest.mark.parametrize("palette", [DARK, LIGHT], ids=["dark", "light"])
@pytest.mark.parametrize(("text", "surface"), PAIRS, ids=[f"{text} on {surface}" for text, surface in PAIRS])
def test_text_on_its_background(palette: Palette, text: str, surface: str) -> None:
    assert contrast(getattr(palette, text), getattr(palette, surface)) >= 4.5


@pytest.mark.parametrize("palette", [DARK, LIGHT], ids=["dark", "light"])
def test_what_is_off_can_still_be_seen(palette: Palette) -> None:
    """Disabled controls and placeholders are exempt from 4.5:1, and still told apart at about 3:1."""
    assert contrast(palette.text3, palette.input) >= 2.9


@pytest.mark.parametrize("colour", AVATARS)
def test_the_letter_of_an_avatar(colour: str) -> None:
    """Large and bold, and the name stands beside it: 3:1 (1.4.3, large text)."""
    assert contrast("#ffffff", colour) >= 3.0


@pytest.mark.parametrize("palette", [DARK, LIGHT], ids=["dark", "light"])
def test_the_style_sheet_has_no_colour_of_its_own(palette: Palette) -> None:
    known = {getattr(palette, field.name) for field in fields(palette)}
    assert set(re.findall(r"#[0-9a-f]{6}\b", stylesheet(palette))) <= known
