"""Streamers of the config that stand for one channel, judged by what Twitch says who is who.

Two with the same login or the same user id are a mistake that the config alone shows (crosscheck.py). One by login and
one by user id, or by the login before and after a renaming, are told from two channels by Twitch alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from itsjustintv_desktop.engine.config.notation import dotted
from itsjustintv_desktop.engine.config.problems import safe_name
from itsjustintv_desktop.engine.config.schema import Config, Streamer
from itsjustintv_desktop.engine.core.models import Channel

WHAT_TO_DO = "Keep one of them, and list all destinations there."


def same_channels(config: Config, resolved: Mapping[str, Channel]) -> dict[str, tuple[str, ...]]:
    """By key of an enabled streamer: the keys of the other enabled ones with its channel, in order."""
    ids = {channel.login.lower(): channel.user_id for channel in resolved.values()}
    groups: dict[str, list[str]] = {}
    for key, streamer in config.streamers.items():
        if not streamer.enabled:
            continue
        channel = _channel_of(streamer, resolved)
        login = (channel.login if channel else streamer.login).lower()
        user_id = streamer.user_id or (channel.user_id if channel else ids.get(login, ""))
        groups.setdefault(user_id or f"@{login}", []).append(key)
    return {
        key: tuple(other for other in group if other != key)
        for group in groups.values()
        if len(group) > 1
        for key in group
    }


def _channel_of(streamer: Streamer, resolved: Mapping[str, Channel]) -> Channel | None:
    """What is known, unless the config says another id by now."""
    channel = resolved.get(streamer.key)
    return channel if channel is not None and streamer.user_id in {"", channel.user_id} else None


def sentence(others: Iterable[str]) -> str:
    """For a person, about a streamer whose channel these have as well."""
    names = " and ".join(map(safe_name, others))
    return (
        f"It is the same channel as {names}: each stream is announced to the destinations of all of them, by the rules "
        "of each, and once to each destination."
    )


def remarks(config: Config, resolved: Mapping[str, Channel]) -> tuple[str, ...]:
    """For `config check`: one for each streamer whose channel one before it has already."""
    found: list[str] = []
    seen: set[str] = set()
    for key, others in same_channels(config, resolved).items():
        before = [other for other in others if other in seen]
        seen.add(key)
        if before:
            text = sentence(before)
            found.append(f"{dotted(('streamers', safe_name(key)))}: {text[0].lower()}{text[1:]} {WHAT_TO_DO}")
    return tuple(found)


def may_be_the_same(config: Config) -> bool:
    """Whether Twitch has to be asked if two streamers are one channel: some are written by id alone, some by login."""
    enabled = [each for each in config.streamers.values() if each.enabled]
    by_id = any(each.user_id and not each.login for each in enabled)
    return by_id and any(not each.user_id for each in enabled)
