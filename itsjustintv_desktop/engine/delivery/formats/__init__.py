"""The formats of delivery. Everything that depends on a format asks it here; nothing else names one."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from itsjustintv_desktop.engine.delivery.formats.base import Format
from itsjustintv_desktop.engine.delivery.formats.discord import Discord
from itsjustintv_desktop.engine.delivery.formats.json import Json
from itsjustintv_desktop.engine.delivery.formats.slack import Slack

DEFAULT: Format = Json()
"""For every address that no other format recognises."""

_FORMATS: dict[str, Format] = {}


def register(new: Format) -> None:
    """Make a format known; the order is that of lists."""
    _FORMATS[new.name] = new


register(DEFAULT)
register(Discord())
register(Slack())


def registered() -> tuple[Format, ...]:
    return tuple(_FORMATS.values())


def names() -> tuple[str, ...]:
    """What `format = "..."` may say."""
    return tuple(_FORMATS)


def named(name: str) -> Format:
    """Raises KeyError; the names of a valid config are known."""
    return _FORMATS[name]


def recognised(url: str) -> Format | None:
    """The format of the receiver at an address; None if that cannot be seen."""
    host, parts = _read(url)
    return next((each for each in _FORMATS.values() if host and each.recognises(host, parts)), None)


def service(url: str) -> Format | None:
    """The one at whose hosts an address is, whichever format is spoken there."""
    host = host_of(url)
    return next((each for each in _FORMATS.values() if host in each.hosts), None)


def host_of(url: str) -> str:
    """Its host as the formats compare it; "" if there is none."""
    return _read(url)[0]


def address_mistake(parts: SplitResult) -> str:
    """What keeps a service from taking announcements at one of its addresses; "" if nothing is seen."""
    found = (each.address_mistake(_host(parts), parts) for each in _FORMATS.values())
    return next(filter(None, found), "")


def _read(url: str) -> tuple[str, SplitResult]:
    try:
        parts = urlsplit(url)
        return _host(parts), parts
    except ValueError:
        return "", urlsplit("")


def _host(parts: SplitResult) -> str:
    return (parts.hostname or "").removeprefix("www.").rstrip(".")
