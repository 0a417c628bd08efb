"""Where Twitch and the list of versions are: the real addresses, or those of stand-ins on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from itsjustintv_desktop.engine.config.addresses import is_loopback
from itsjustintv_desktop.engine.core.errors import ConfigError

_VARIABLES = {
    "api_url": ("ITSJUSTINTV_TWITCH_API_URL", "https"),
    "auth_url": ("ITSJUSTINTV_TWITCH_AUTH_URL", "https"),
    "eventsub_url": ("ITSJUSTINTV_TWITCH_EVENTSUB_URL", "wss"),
    "updates_url": ("ITSJUSTINTV_UPDATES_URL", "https"),
}


PROJECT = "https://github.com/itsjustintv/desktop"
"""As `url` in briefcase.toml."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Base addresses without a slash at the end."""

    api_url: str = "https://api.twitch.tv/helix"
    auth_url: str = "https://id.twitch.tv/oauth2"
    eventsub_url: str = "wss://eventsub.wss.twitch.tv/ws"
    updates_url: str = f"{PROJECT}/releases/latest/download/latest.json"

    @property
    def simulated(self) -> bool:
        """Whether Twitch is none: nothing outside shall be asked then."""
        return (self.api_url, self.auth_url, self.eventsub_url) != _REAL

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Endpoints:
        """The variables of the contract over the defaults. Raises ConfigError; plain http and ws on loopback only."""
        found: dict[str, str] = {}
        problems: list[str] = []
        for field, (variable, scheme) in _VARIABLES.items():
            value = environ.get(variable, "").strip().rstrip("/")
            if not value:
                continue
            problem = _problem(value, scheme)
            if problem:
                problems.append(f"{variable}: {problem}")
            found[field] = value
        if problems:
            raise ConfigError(problems)
        return cls(**found)


_REAL = (Endpoints().api_url, Endpoints().auth_url, Endpoints().eventsub_url)


def _problem(value: str, secure: str) -> str | None:
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "it is no valid address"
    plain = secure[:-1]
    if parts.scheme not in {secure, plain} or not host:
        return f"it must be an address that begins with {secure}:// (or {plain}:// on this machine)"
    if parts.query or parts.fragment or parts.username is not None:
        return "it must be a plain address, without user name, ? or #"
    if parts.scheme == plain and not is_loopback(host):
        return f"{plain}:// is for a simulator on this machine only; use {secure}://"
    return None
