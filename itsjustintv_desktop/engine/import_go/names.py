"""Whose announcement an entry is, and which destination of the config has the address it was to go to."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from itsjustintv_desktop.engine.config.destinations import GLOBAL, destinations_of, effective_destinations
from itsjustintv_desktop.engine.config.read import unfit_name
from itsjustintv_desktop.engine.config.schema import KEYRING, Config
from itsjustintv_desktop.engine.import_go import values


class Who(msgspec.Struct, frozen=True):
    """The streamer's key in the config (or what stands for it), and its channel."""

    key: str
    login: str
    user_id: str


class Names:
    """Looks things up in our config; `go` is the Go service's own, whose names we take where addresses differ."""

    def __init__(self, config: Config, go: Config | None, vault: Mapping[str, str]) -> None:
        """`vault`: addresses of destinations that stand in the vault, by name."""
        self._config = config
        self._go = go
        self._by_id = {each.user_id: key for key, each in config.streamers.items() if each.user_id}
        self._by_login = {
            (each.login or ("" if each.user_id else key)).lower(): key for key, each in config.streamers.items()
        }
        self._by_url: dict[str, list[str]] = {}
        for name, each in effective_destinations(config).items():
            url = vault.get(name, "") if each.url == KEYRING else each.url
            if url:
                self._by_url.setdefault(url, []).append(name)
        self._known = frozenset(effective_destinations(config))
        self._go_by_url: dict[str, list[str]] = {}
        if go is not None:
            for name, each in effective_destinations(go).items():
                self._go_by_url.setdefault(each.url, []).append(name)

    def who(self, payload: Mapping[str, Any], key: Any = None) -> Who | None:
        """None if nothing says whose it is."""
        user_id, login = values.line(payload.get("streamer_id"), 50), values.line(payload.get("streamer_login"), 100)
        written = values.line(key, 100)
        found = self._by_id.get(user_id) or self._by_login.get(login.lower() if login else "-")
        if written in self._config.streamers:
            found = written
        streamer = self._config.streamers.get(found) if found else None
        if streamer is not None:
            user_id, login = user_id or streamer.user_id, login or streamer.login or streamer.key
        name = found or next((each for each in (written, login, user_id) if each and unfit_name(each) is None), None)
        return None if name is None else Who(name, login or name, user_id)

    def destination(self, url: str, streamer: str) -> str | None:
        """The name of the destination with that address: the streamer's own before others. None: there is none."""
        found = self._by_url.get(url)
        if found is None:  # corrected in ours: what is queued follows the name, as it does everywhere
            found = [name for name in self._go_by_url.get(url, ()) if name in self._known]
        return next((name for name in self.usual(streamer) if name in found), found[0] if found else None)

    def usual(self, streamer: str) -> tuple[str, ...]:
        """Where announcements of that streamer go by the config."""
        known = self._config.streamers.get(streamer)
        if known is None:
            return (GLOBAL,) if GLOBAL in self._known else ()
        return destinations_of(self._config, known)


def stand_in(url: str) -> str:
    """A name for an address that no destination has: always the same, and it tells nothing of the address."""
    return f"go-{hashlib.sha256(url.encode('utf-8', 'replace')).hexdigest()[:8]}"


def host_of(url: str) -> str:
    """The server's name, which is no secret; a few words where there is none."""
    try:
        host = values.line(urlsplit(url).hostname or "", 100)
    except ValueError:
        host = ""
    return host if host and all(part.isalnum() or part in ".-:" for part in host) else "a place without a readable name"
