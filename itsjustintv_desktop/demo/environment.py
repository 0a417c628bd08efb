"""Who is in the demo: channels, destinations, and the config that a person would have written for them."""

from __future__ import annotations

from itsjustintv_desktop.simulator.server import Simulator
from itsjustintv_desktop.simulator.signatures import Scheme

CHANNELS: dict[str, tuple[str, str, int]] = {
    "aurora_plays": ("Speedrunning a game about boats", "Celeste", 48_210),
    "pixelforge": ("Drawing your ideas, come and vote", "Art", 9_134),
    "nachtschicht": ("Nachts im Museum, live vertont", "Music", 2_078),
    "bytewright": ("Building a tiny database from scratch", "Software and Game Development", 15_660),
    "soupandstories": ("Onion soup and a ghost story", "Food & Drink", 812),
    "quietcorner": ("Reading letters from viewers", "Just Chatting", 366),
}
"""Login: title, category, followers."""

DESTINATIONS = {"community": "json", "chat": "discord", "archive": "json"}
"""Name: format. `archive` checks Standard Webhooks signatures, the others X-Hub ones."""

SECRETS = {
    "community": "demo-secret-of-community",
    "chat": "demo-secret-of-chat",
    "archive": "whsec_ZGVtby1zZWNyZXQtb2YtYXJjaGl2ZS1ldmVyeWJvZHk=",
}

EXPECTED: dict[str, tuple[str, ...]] = {
    "aurora_plays": ("community", "chat", "archive"),
    "pixelforge": ("community", "chat"),
    "nachtschicht": ("community", "archive"),
    "bytewright": ("archive",),
    "soupandstories": (),
    "quietcorner": (),
}
"""Where each stream must arrive. soupandstories has no destination (output.json alone), quietcorner is filtered."""


def furnish(simulator: Simulator) -> None:
    """Make the channels, and tell the receivers which signatures to demand."""
    for login, (title, category, followers) in CHANNELS.items():
        tags = ("Deutsch", "Musik") if login == "nachtschicht" else ("English", "Cozy")
        language = "de" if login == "nachtschicht" else "en"
        simulator.add_channel(login, title=title, category=category, followers=followers, tags=tags, language=language)
    for name in DESTINATIONS:
        scheme: Scheme = "standard-webhooks" if name == "archive" else "x-hub"
        simulator.receiver.expect(name, secret=SECRETS[name], scheme=scheme)


def config(simulator: Simulator) -> str:
    """The demo's config.toml."""
    parts = [
        "[server]\nport = 0\n",
        '[secrets]\nstore = "memory"\n',
        '[retry]\ninitial_delay = "1s"\nmax_delay = "2s"\n',
    ]
    for name, kind in DESTINATIONS.items():
        signature = "standard-webhooks" if name == "archive" else "x-hub"
        parts.append(
            f'[destinations.{name}]\nurl = "{simulator.receiver_url(name)}"\nformat = "{kind}"\n'
            f'secret = "{SECRETS[name]}"\nsignature = "{signature}"\n'
        )
    for login, destinations in EXPECTED.items():
        names = ", ".join(f'"{name}"' for name in (("community",) if login == "quietcorner" else destinations))
        filtered = '\ntag_filter = ["Speedrun"]' if login == "quietcorner" else ""
        parts.append(f'[streamers.{login}]\nlogin = "{login}"\ndestinations = [{names}]{filtered}\n')
    return "\n".join(parts)
