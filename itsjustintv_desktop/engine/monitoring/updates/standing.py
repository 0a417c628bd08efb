"""How it stands with newer versions: a word for programs, a sentence for people, and what a screen shows."""

from __future__ import annotations

from typing import Literal

import msgspec

Code = Literal[
    "off", "no-key", "unreleased", "simulated", "not-asked", "current", "newer", "unreachable", "refused", "expired",
    "older",
]  # fmt: skip
WORDS: dict[Code, str] = {
    "off": "It is switched off: [updates] check.",
    "no-key": "This build has no key for updates, so it does not look for newer versions.",
    "unreleased": "This is no released version, so it does not look for newer ones.",
    "simulated": "Twitch is simulated, so nobody is asked for newer versions.",
    "not-asked": "It was not asked yet for newer versions.",
    "current": "This is the newest version.",
    "newer": "There is a newer version, which was skipped.",
    "refused": "What came as the list of versions is not signed by this project, and is not believed.",
    "expired": "The list of versions that came is no longer valid: news may be held back, or this clock be wrong.",
    "older": "The list of versions that came is older than one seen before: news may be held back.",
}
NEVER_ASKS: frozenset[Code] = frozenset({"off", "no-key", "unreleased", "simulated"})
SUSPICIOUS: frozenset[Code] = frozenset({"refused", "expired", "older"})


class UpdateView(msgspec.Struct, frozen=True, kw_only=True):
    """A newer version. `released`: Unix seconds. Both addresses are https pages."""

    version: str
    released: float
    download_url: str
    notes_url: str
