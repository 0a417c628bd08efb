"""What a valid config lacks to announce anything.

None of it is a mistake, and at a first start all of it is so: for whoever asks whether the config is right, and not
for the log. The doctor goes into each.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from itsjustintv_desktop.engine.config.addresses import is_loopback
from itsjustintv_desktop.engine.config.destinations import destinations_of, effective_destinations
from itsjustintv_desktop.engine.config.notation import dotted
from itsjustintv_desktop.engine.config.problems import safe_name
from itsjustintv_desktop.engine.config.schema import Config

ELSEWHERE = "twitch.client_secret: no client secret in the file; it may lie in the keyring (`doctor` asks Twitch)"
"""To be said of a config without one: most have it in the keyring, which is not opened only to look."""
_NAMED = 5


def _host(url: str) -> str | None:
    return urlsplit(url).hostname


def lacks(config: Config) -> tuple[str, ...]:
    """A sentence for each thing without which nobody hears of a stream, each with its key."""
    found: list[str] = []
    if not config.twitch.client_id:
        found.append("twitch.client_id: there is none; without the id of your Twitch application no stream is heard of")
    if is_loopback(_host(config.twitch.incoming_webhook_url)):
        found.append("twitch.incoming_webhook_url: it is this machine itself, which Twitch cannot reach")
    watched = [each for each in config.streamers.values() if each.enabled]
    if not config.streamers:
        found.append("streamers: there is none to watch; add [streamers.NAME]")
    elif not watched:
        found.append("streamers: all are switched off; set enabled = true for one")
    destinations = effective_destinations(config)
    file = " but the file output.json" if config.output.enabled else ""
    if not any(each.enabled for each in destinations.values()):
        some = "all are switched off" if destinations else "there is none"
        found.append(f"destinations: {some}, so nobody is told{file}; add [destinations.NAME] with its url")
    elif config.output.enabled:  # without it each streamer that nobody hears of is warned of at its line
        silent = [dotted((safe_name(each.key),)) for each in watched if not destinations_of(config, each)]
        more = f" and {len(silent) - _NAMED} more" if len(silent) > _NAMED else ""
        if silent:
            names = ", ".join(silent[:_NAMED]) + more
            found.append(f"streamers: nobody is told of {names}{file}; add destinations = [...] there")
    return tuple(found)
