"""RFC 3339 timestamps as Twitch writes them: up to nanoseconds, with a varying number of digits."""

from __future__ import annotations

import math
import re
from datetime import date, datetime, timedelta
from functools import lru_cache

_SHAPE = re.compile(r"(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d):(\d\d)(\.\d{1,32})?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII)
_EPOCH = date(1970, 1, 1).toordinal()
_START = datetime(1970, 1, 1)  # noqa: DTZ001 (UTC by definition; naive, so that isoformat adds no offset)


def parse_rfc3339(text: str) -> float:
    """Unix seconds of an RFC 3339 date-time (section 5.6).

    A leap second counts as the first second of the next minute. Raises ValueError for anything else, a time
    without a zone included: what it means would be a guess.
    """
    match = _SHAPE.fullmatch(text)
    if match is None:
        raise ValueError("not an RFC 3339 timestamp with a zone")
    minute, second, fraction, sign, zone_hour, zone_minute = match.groups()
    seconds = int(second)
    if seconds > 60:
        raise ValueError("no such time of day")
    whole = _minute(minute) + seconds
    if sign:
        if int(zone_hour) > 23 or int(zone_minute) > 59:
            raise ValueError("no such time zone")
        offset = int(zone_hour) * 3600 + int(zone_minute) * 60
        whole += offset if sign == "-" else -offset
    return whole + float(fraction) if fraction else float(whole)


@lru_cache(64)  # nearly all that come are of the same few minutes
def _minute(text: str) -> int:
    """Unix seconds of `YYYY-MM-DDTHH:MM` in UTC. Raises ValueError."""
    hours, minutes = int(text[11:13]), int(text[14:16])
    if hours > 23 or minutes > 59:
        raise ValueError("no such time of day")
    days = date(int(text[:4]), int(text[5:7]), int(text[8:10])).toordinal() - _EPOCH
    return days * 86400 + hours * 3600 + minutes * 60


def format_rfc3339(unix: float) -> str:
    """A time in Unix seconds as RFC 3339 in UTC, to the millisecond; whole seconds carry no fraction.

    Raises ValueError for what is no time of the years 1 to 9999.
    """
    if not math.isfinite(unix):
        raise ValueError("not a finite number of seconds")
    seconds, milliseconds = divmod(round(unix * 1000), 1000)
    try:
        text = (_START + timedelta(seconds=seconds)).isoformat()
    except OverflowError as error:
        raise ValueError("outside the years 1 to 9999") from error
    return f"{text}.{milliseconds:03d}Z" if milliseconds else f"{text}Z"
