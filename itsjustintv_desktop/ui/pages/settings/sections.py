"""The tables of the config as people would call them."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication


def _noop(text: str) -> str:
    return text


_TITLES = {
    ("server",): _noop("Listening"),
    ("server", "tls"): _noop("Certificate"),
    ("twitch",): _noop("Twitch"),
    ("global_webhook",): _noop("For everybody"),
    ("retry",): _noop("Trying again"),
    ("output",): _noop("output.json"),
    ("tunnel",): _noop("Tunnel"),
    ("telemetry",): _noop("Telemetry"),
    ("secrets",): _noop("Keeping secrets"),
    ("history",): _noop("History"),
    ("delivery",): _noop("Sending"),
    ("logging",): _noop("Log"),
    ("log",): _noop("Log"),
    ("images",): _noop("Pictures"),
    ("cache",): _noop("Cache"),
    ("filters",): _noop("Filters"),
}


def title_of(path: tuple[str, ...]) -> str:
    """For a table."""
    known = _TITLES.get(path)
    return QCoreApplication.translate("settings", known) if known else name_of(".".join(path))


def name_of(key: str) -> str:
    """For a key: "poll_interval" is "Poll interval"."""
    words = key.replace("_", " ").replace(".", ": ")
    for whole, short in (("url", "URL"), ("id", "id"), ("tls", "TLS"), ("otlp", "OTLP")):
        words = " ".join(short if word == whole else word for word in words.split(" "))
    return QCoreApplication.translate("settings", words[:1].upper() + words[1:])
