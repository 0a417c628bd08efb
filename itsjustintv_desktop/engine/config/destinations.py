"""Destinations by name: those written out, and those that the Go service's keys imply."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from itsjustintv_desktop.engine.config.schema import Config, Destination, GlobalWebhook, Streamer
from itsjustintv_desktop.engine.core.errors import NotFoundError
from itsjustintv_desktop.engine.delivery import formats
from itsjustintv_desktop.engine.delivery.formats.base import Format

GLOBAL = "global"
"""The name of the destination that an enabled `[global_webhook]` makes."""


def format_of(destination: Destination, url: str) -> Format:
    """The format for a destination whose address may come out of the vault: `url` is the real one."""
    return guessed_format(url) if destination.format_guessed else formats.named(destination.format)


def guessed_format(url: str) -> Format:
    """What the receiver at an address understands, as far as that can be seen."""
    return formats.recognised(url) or formats.DEFAULT


def effective_destinations(config: Config) -> dict[str, Destination]:
    """Every destination by name: the explicit ones, `<streamer key>` for a streamer's own address, "global"."""
    found = dict(config.destinations)
    for key, streamer in config.streamers.items():
        if streamer.target_webhook_url:
            found[key] = _implied(key, streamer.target_webhook_url, streamer)
    if config.global_webhook.enabled:
        found[GLOBAL] = _implied(GLOBAL, config.global_webhook.url, config.global_webhook)
    return found


def must_exist(name: str, destinations: Container[str]) -> None:
    """Raises NotFoundError for a destination that is not among those of the config."""
    if name not in destinations:
        raise NotFoundError(f"There is no destination {name!r} in the config.")


def destinations_of(config: Config, streamer: Streamer) -> tuple[str, ...]:
    """Names a streamer's announcements go to, in order, each once; disabled ones included.

    Its `destinations` and its own address; with neither, "global" if that is enabled; else none.
    """
    names = dict.fromkeys(streamer.destinations)
    if streamer.target_webhook_url:
        names[streamer.key] = None
    if not names and config.global_webhook.enabled:
        names[GLOBAL] = None
    return tuple(names)


def _implied(name: str, url: str, source: Streamer | GlobalWebhook) -> Destination:
    hashing: Any = source.target_webhook_hashing
    return Destination(
        name=name,
        url=url,
        format=guessed_format(url).name,
        format_guessed=True,
        secret=source.target_webhook_secret,
        header=source.target_webhook_header,
        hashing=hashing,
    )
