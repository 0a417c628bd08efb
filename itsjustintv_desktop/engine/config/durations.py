"""Durations as Go writes them: "200ms", "1h30m", "1.5h", "-5s". Seconds (float) on our side.

The grammar is that of Go's `time.ParseDuration`: an optional sign, then one or more decimal numbers, each with a
unit out of ns, us (or µs), ms, s, m, h. A bare "0" needs no unit.
"""

from __future__ import annotations

import re
from fractions import Fraction

_NANOSECONDS = {
    "ns": 1,
    "us": 1_000,
    "\u00b5s": 1_000,  # the micro sign
    "\u03bcs": 1_000,  # the Greek letter mu
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)", re.ASCII)
_WHOLE = re.compile(rf"[+-]?(?:{_PART.pattern})+", re.ASCII)
_UNITLESS = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)", re.ASCII)
_LONGEST = 64
"""No sensible duration is longer; it keeps hostile input from costing time."""
_LONGEST_SHOWN = 18
"""Digits beyond that are no duration, but something that was pasted here."""
_LIMIT = (1 << 63) - 1
"""Go keeps nanoseconds in an int64: about 292 years."""


def parse(text: str) -> float:
    """Seconds. Raises ValueError with a sentence that says what would be right."""
    if text in {"0", "+0", "-0"}:
        return 0.0
    if len(text) > _LONGEST or not _WHOLE.fullmatch(text):
        if len(text) <= _LONGEST_SHOWN and _UNITLESS.fullmatch(text):
            raise ValueError(f'it needs a unit, such as "{text}s" for seconds or "{text}m" for minutes')
        raise ValueError('write a number with a unit (ms, s, m or h), such as "30s", "5m" or "1h30m"')
    total = sum(Fraction(number.rstrip(".")) * _NANOSECONDS[unit] for number, unit in _PART.findall(text))
    if total > _LIMIT:
        raise ValueError("it is longer than 292 years")
    seconds = float(total / 1_000_000_000)
    return -seconds if text[0] == "-" else seconds


def render(seconds: float) -> str:
    """The shortest usual spelling, whole to the nanosecond: 5400 -> "1h30m", 0.2 -> "200ms", 0 -> "0s"."""
    rest = round(abs(seconds) * 1_000_000_000)
    if rest == 0:
        return "0s"
    sign = "-" if seconds < 0 else ""
    if rest < _NANOSECONDS["s"]:
        for unit in ("ms", "us", "ns"):
            if rest % _NANOSECONDS[unit] == 0:
                return f"{sign}{rest // _NANOSECONDS[unit]}{unit}"
    parts = []
    for unit in ("h", "m"):
        count, rest = divmod(rest, _NANOSECONDS[unit])
        if count:
            parts.append(f"{count}{unit}")
    if rest:
        whole, fraction = divmod(rest, _NANOSECONDS["s"])
        decimals = f".{fraction:09d}".rstrip("0") if fraction else ""
        parts.append(f"{whole}{decimals}s")
    return sign + "".join(parts)
