"""Rules for texts that are no addresses: names at Twitch, headers, secrets."""

from __future__ import annotations

import re
from collections.abc import Callable

from itsjustintv_desktop.engine.config.report import Mistake
from itsjustintv_desktop.engine.config.schema import KEYRING
from itsjustintv_desktop.engine.config.secrettext import trimmed
from itsjustintv_desktop.engine.config.values import harmless, header_shown

Warn = Callable[[str], None]

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""RFC 9110, section 5.6.2."""
_LOGIN = re.compile(r"[a-z0-9_]{1,25}")
_CHANNEL_LINK = re.compile(r"(?:https?://)?(?:(?:www|m)\.)?twitch\.tv/([A-Za-z0-9_]+)/?(?:[?#].*)?", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_EXAMPLE = re.compile(r"your[_-]", re.IGNORECASE)
_SECRET_LENGTH = range(10, 101)
"""What Twitch accepts for the secret of a subscription."""
RESERVED_HEADERS = frozenset(
    {
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "webhook-id",
        "webhook-signature",
        "webhook-timestamp",
    }
)
"""Headers this program or HTTP itself sets on every announcement."""


def is_login(text: str) -> bool:
    """Whether Twitch could have a channel of that (lower-case) login."""
    return _LOGIN.fullmatch(text) is not None


def login(value: str, warn: Warn) -> str:
    """A login, lower-cased; a link to the channel or an @ before the name are understood."""
    value = value.strip()
    link = _CHANNEL_LINK.fullmatch(value)
    name = (link.group(1) if link else value.removeprefix("@")).lower()
    if not is_login(name):
        raise Mistake(
            f"{harmless(value)} is no Twitch login; "
            "a login has up to 25 letters, digits and _ (the last part of twitch.tv/...)"
        )
    if link or value.startswith("@"):
        warn(f'understood as the login "{name}"; write login = "{name}"')
    return name


def user_id(value: str, warn: Warn) -> str:
    value = value.strip()
    if not re.fullmatch(r"[0-9]{1,20}", value):
        raise Mistake("a Twitch user id has digits only; a channel's name goes into login")
    return value


def no_spaces(value: str, warn: Warn) -> str:
    value = trimmed(value)
    if re.search(r"\s", value) or _CONTROL.search(value):
        raise Mistake("it holds a space or a line break; copy it again")
    if _EXAMPLE.match(value):
        warn("it still holds the text of the example; put your own in (dev.twitch.tv/console/apps)")
    return value


def kept_secret(value: str, warn: Warn) -> str | None:
    """A secret of Twitch or ngrok. The word for "in the keyring" is the same as leaving it out."""
    value = no_spaces(value, warn)
    return None if value == KEYRING else value


def secret(value: str, warn: Warn) -> str:
    """The secret that announcements to one destination are signed with."""
    bare = trimmed(value)
    if not bare:
        raise Mistake("it holds nothing but blanks; write the secret, or leave it out")
    if bare != value:
        warn("the blanks or line breaks around it are left out; take them out of the config")
    return bare


def webhook_secret(value: str, warn: Warn) -> str | None:
    """The secret Twitch signs with: 10 to 100 ASCII characters (EventSub, Create EventSub Subscription)."""
    value = trimmed(value)
    if value == KEYRING:
        return None
    if not value.isascii() or _CONTROL.search(value):
        raise Mistake("Twitch takes plain ASCII characters only; leave it out to have one made for you")
    if len(value) not in _SECRET_LENGTH:
        raise Mistake(f"it has {len(value)} characters, Twitch takes 10 to 100; leave it out to have one made for you")
    if _EXAMPLE.match(value):
        warn("it still holds the text of the example, which anyone can guess; put your own in or leave it out")
    return value


def header_name(value: str, warn: Warn) -> str:
    value = value.strip()
    if not _TOKEN.fullmatch(value):
        raise Mistake("it is no valid header name; use letters, digits and -, such as X-Hub-Signature-256")
    if value.lower() in RESERVED_HEADERS:
        raise Mistake(f"the header {value} is set by this program; use another, such as X-Hub-Signature-256")
    return value


def headers(value: dict[str, str], warn: Warn) -> dict[str, str]:
    """Names must be tokens, none of ours and none twice; values must not break out of their line."""
    seen: set[str] = set()
    value = {name: content.strip() for name, content in value.items()}
    for name, content in value.items():
        if not _TOKEN.fullmatch(name):
            raise Mistake(
                f"{header_shown(name)} has no valid name; use letters, digits and - "
                '(as in { "Authorization" = "Bearer ..." })'
            )
        if name.lower() in RESERVED_HEADERS:
            raise Mistake(f"the header {name} is set by this program; take it out")
        if name.lower() in seen:
            raise Mistake(f"{header_shown(name)} is there twice (upper and lower case are the same); keep one")
        if _CONTROL.search(content):
            raise Mistake(
                f"the value of {header_shown(name)} holds a line break or another control character; take it out"
            )
        seen.add(name.lower())
    return value


def email(value: str, warn: Warn) -> str:
    value = value.strip()
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value):
        raise Mistake("it is no e-mail address; write one such as you@example.com")
    return value


def region(value: str, warn: Warn) -> str:
    value = value.strip().lower()
    if not re.fullmatch(r"[a-z]{2}[a-z0-9-]{0,20}", value):
        raise Mistake('it is no ngrok region; write a code such as "eu", or leave it out for the nearest')
    return value
