"""Times and numbers as people say them."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QDate, QLocale

from itsjustintv_desktop.ui.plain import readable

if TYPE_CHECKING:
    from itsjustintv_desktop.engine.core.errors import AppError


def tr(text: str, *, n: int = -1) -> str:
    """For words outside of a widget; widgets have a `tr` of their own."""
    return QCoreApplication.translate("words", text, None, n)


def noop(text: str) -> str:
    """Marks a text that is translated when it is shown."""
    return text


def translate(text: str) -> str:
    """What the engine said, in the person's language where it is known (ui/translate_engine.py)."""
    return QCoreApplication.translate("engine", readable(text)) if text else ""


def sentence_case(text: str) -> str:
    """With a capital in front, and the rest as it is."""
    return text[:1].upper() + text[1:]


def trouble(error: AppError) -> str:
    """An error in a sentence or two."""
    return f"{translate(error.title)}. {translate(error.message)}"


def number(value: int) -> str:
    """With separators of the person's language."""
    return QLocale().toString(value)


def span(seconds: float) -> str:
    """A length: "8 s", "24 min", "2 h 10 min", "3 d"."""
    whole = max(0, round(seconds))
    if whole < 60:
        return tr("{} s").format(whole)
    minutes = whole // 60
    if minutes < 60:
        return tr("{} min").format(minutes)
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return tr("{} h {} min").format(hours, minutes) if minutes else tr("{} h").format(hours)
    return tr("{} d").format(hours // 24)


def ago(moment: float, now: float | None = None) -> str:
    """Since a moment (Unix seconds): "just now", "3 min ago", and the date where it is longer than a day ago."""
    passed = (time.time() if now is None else now) - moment
    if passed < 5:
        return tr("just now")
    if passed < 86400:
        return tr("{} ago").format(span(passed))
    return clock(moment)


def clock(moment: float, now: float | None = None) -> str:
    """The time of day, with the date where that is another."""
    then = datetime.fromtimestamp(moment)  # noqa: DTZ006 - a person's own time
    today = datetime.fromtimestamp(time.time() if now is None else now)  # noqa: DTZ006
    locale = QLocale()
    at = then.strftime("%H:%M")
    if then.date() == today.date():
        return at
    return f"{locale.toString(QDate(then.year, then.month, then.day), QLocale.FormatType.ShortFormat)} {at}"


def countdown(seconds: float) -> str:
    """Until something: "00:41", "1:06:10"."""
    whole = max(0, round(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes:02}:{left:02}"
