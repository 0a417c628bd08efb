"""What a format of delivery is. One file and one registration each: see "A new destination format" in the docs."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from typing import Any, Literal
from urllib.parse import SplitResult

import msgspec

from itsjustintv_desktop.engine.delivery.formats import text

Picture = Literal["data", "link", "none"]
"""How much of the pictures goes along: their bytes where the format can hold them, else links; links alone; nothing."""

TOO_LARGE = 413
_LINK = 2048


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """How the receiver would show it, about. `color` is 0xRRGGBB where the format has one."""

    title: str
    lines: tuple[str, ...]
    link: str = ""
    icon: str = ""
    picture: str = ""
    color: int | None = None


class Format(ABC):
    """How one kind of receiver is written to. It holds no state: the same payload always gives the same bytes."""

    name: str
    """`format = "..."` of a destination."""
    title: str
    """For people."""
    receiver: str = ""
    """What an address of it is, in a sentence; "": its title."""
    where_to_get: str = ""
    """How a person comes by an address, in one sentence."""
    content_type: str = "application/json"
    ignores: frozenset[str] = frozenset()
    """Keys of a destination that mean nothing to it: the form hides them and `config check` warns. With "secret" among
    them, nothing is signed."""

    carries_picture: bool = False
    """Its messages hold the bytes of the profile picture. Others link to it."""
    knows_repeats: bool = False
    """Its receivers can recognise a repeat by its `webhook-id`."""
    traced: bool = False
    """Its receivers are given a `traceparent`."""
    refusals: frozenset[int] = frozenset({400, TOO_LARGE, 422})
    """Statuses that may be about what only decorates the message: it is sent again without that (`plain`)."""

    hosts: frozenset[str] = frozenset()
    """Hosts of the service, all of which share its limits."""
    pause: float = 0.0
    """Seconds between two messages to one address."""
    most_per_second: int | None = None
    """POSTs a second to all its hosts together."""
    limits_in_body: bool = True
    """The body of a refusal may say how long to wait (`retry_after`, `global`)."""
    not_taken: frozenset[int] = frozenset()
    """Statuses of its gateway that mean that the request was not handed on, where others leave that open."""

    @property
    def signed(self) -> bool:
        """Whether a destination's secret signs what is sent."""
        return "secret" not in self.ignores

    @abstractmethod
    def render(
        self, payload: dict[str, Any], image_bytes: bytes | None, *, picture: Picture = "data", plain: bool = False
    ) -> bytes:
        """The body for one announcement.

        `payload` is the stored one (see docs/payload.md), `image_bytes` the profile image it names, None if the file
        is gone. `picture`: how much of the pictures goes along. `plain`: the same news without what a receiver may
        refuse it for; the same bytes as without `plain` where there is nothing to leave out.
        """

    def recognises(self, host: str, parts: SplitResult) -> bool:
        """Whether an address is one of its webhooks. `host`: in lower case, without "www." and a dot at its end."""
        return False

    def address_mistake(self, host: str, parts: SplitResult) -> str:
        """What keeps an address of the service from taking announcements, and what to do; "" if nothing is seen."""
        return ""

    def call_address(self, url: str) -> str:
        """The address to call for one at its `hosts`."""
        return url

    def in_milliseconds(self, url: str) -> bool:
        """Whether a wait that is asked for at this address may be in milliseconds."""
        return False

    def is_final(self, body: bytes) -> bool:
        """Whether the body of a refusal says that no further attempt would help."""
        return False

    def summary(self, payload: dict[str, Any], picture: Picture) -> Summary:
        """How the receiver would show it."""
        shown = picture != "none"
        who = f"{text.streamer(payload)} is live on Twitch"
        return Summary(
            title=text.title(payload),
            lines=(f"Test: {who}", *(f"{name}: {value}" for name, value in text.facts(payload))),
            link=text.web_address(payload.get("url"), _LINK) or "",
            icon=(shown and text.profile_image(payload, _LINK)) or "",
            picture=(shown and text.thumbnail(payload, _LINK)) or "",
        )

    def readable(self, body: bytes) -> str:
        """A body indented for people."""
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
