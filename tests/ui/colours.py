"""Contrast of two colours (WCAG 2.2: relative luminance, contrast ratio)."""

from __future__ import annotations

from PySide6.QtGui import QColor


def contrast(first: str | QColor, second: str | QColor) -> float:
    """1 (the same) to 21 (black and white)."""
    light, dark = sorted((luminance(QColor(first)), luminance(QColor(second))), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: QColor) -> float:
    red, green, blue = (_linear(part) for part in (colour.redF(), colour.greenF(), colour.blueF()))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)
