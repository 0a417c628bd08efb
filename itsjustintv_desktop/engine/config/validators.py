"""Rules for single values, key by key: what a value of the right type must still fulfil, and what a secret is.

A rule returns the value to use. It raises Mistake, or calls `warn` for what works though likely not as meant; `None`
means: as if not set. Standard Webhooks (spec 1.0, "Signature scheme"): `whsec_` and then base64 of a key of 24 to 64
bytes.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from itsjustintv_desktop.engine.config import schema
from itsjustintv_desktop.engine.config.addresses import (
    authority,
    callback_url,
    domain,
    domains,
    external_domain,
    listen_address,
    proxy_address,
    telemetry_endpoint,
    webhook_url,
)
from itsjustintv_desktop.engine.config.durations import render
from itsjustintv_desktop.engine.config.problems import Mistake
from itsjustintv_desktop.engine.config.schema import KEYRING
from itsjustintv_desktop.engine.config.values import harmless, header_shown

Warn = Callable[[str], None]
Rule = Callable[[Any, Warn], Any]

PREFIX = "whsec_"
_LENGTHS = range(24, 65)
_AROUND = re.compile(r"^[\s\u00ad\u200b-\u200f\u2060\ufeff]+|[\s\u00ad\u200b-\u200f\u2060\ufeff]+$")
"""Blanks, line breaks and invisible characters that come along when a secret is copied."""
_ALMOST = re.compile(r"""["'`\u2018-\u201f\u00ab\u00bb\s]*whsec_""", re.IGNORECASE)
_NOT_BASE64 = "what follows whsec_ must be base64; copy the secret again"


def trimmed(text: str) -> str:
    """A secret without what surrounds it. It is no part of any: files, shells and web pages add it."""
    return _AROUND.sub("", text)


def standard_key(secret: str) -> bytes:
    """The key of a Standard Webhooks secret: `whsec_<base64>` is decoded, anything else is taken as it is.

    Some receivers hand out their secrets without the padding. Raises Mistake, which does not show it, also for one that
    is meant to begin with whsec_ and does not: nobody would sign with its letters.
    """
    bare = trimmed(secret)
    if not bare.startswith(PREFIX):
        if _ALMOST.match(bare):
            raise Mistake("whsec_ must stand in small letters at its very beginning, without quotes")
        return secret.encode()
    encoded = bare.removeprefix(PREFIX).rstrip("=")
    if not encoded:
        raise Mistake("nothing follows whsec_; copy the secret again")
    if re.fullmatch(r"[\w-]+", encoded, re.ASCII) and re.search(r"[-_]", encoded):
        # Some libraries leave out what they do not know, and would sign with another key.
        raise Mistake("what follows whsec_ must be base64 with + and /; write + for each - and / for each _")
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise Mistake(_NOT_BASE64) from None


def check_standard(secret: str, warn: Warn) -> None:
    """Judge a secret of Standard Webhooks. Raises Mistake."""
    key = standard_key(secret)
    if not secret.startswith(PREFIX):
        warn("it does not begin with whsec_, so it is the key itself; libraries of Standard Webhooks decode it first")
    elif len(key) not in _LENGTHS:
        warn(f"its key has {len(key)} bytes; Standard Webhooks asks for 24 to 64, and some receivers take no others")


def new_standard_secret() -> str:
    """One that nobody can guess, as the specification recommends."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode("ascii")


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


_SECOND, _MINUTE, _HOUR, _DAY = 1.0, 60.0, 3600.0, 86400.0


@dataclass(frozen=True, slots=True)
class Between:
    """A number within bounds; refuses nan and inf, which TOML knows."""

    low: float
    high: float

    def __call__(self, value: float, warn: Warn) -> float:
        if not self.low <= value <= self.high:
            raise Mistake(f"it is {value:g}; it must be from {self.low:g} to {self.high:g}")
        return value

    @property
    def limits(self) -> str:
        return f"from {self.low:g} to {self.high:g}"


@dataclass(frozen=True, slots=True)
class Lasting:
    """A duration within bounds, or 0 where that turns the thing off."""

    low: float
    high: float
    off: bool = False

    def __call__(self, value: float, warn: Warn) -> float:
        if self.off and value == 0:
            return value
        if not self.low <= value <= self.high:
            zero = ', or "0s" to turn it off' if self.off else ""
            low, high = render(self.low), render(self.high)
            raise Mistake(f'it is "{render(value)}"; it must be from "{low}" to "{high}"{zero}')
        return value

    @property
    def limits(self) -> str:
        zero = ', or "0s" to turn it off' if self.off else ""
        return f'from "{render(self.low)}" to "{render(self.high)}"{zero}'


def between(low: float, high: float) -> Rule:
    return Between(low, high)


def lasting(low: float, high: float, *, off: bool = False) -> Rule:
    return Lasting(low, high, off)


def limits(table: type[msgspec.Struct], name: str) -> str:
    """Between what a key's value must lie, as the end of a sentence; "" where it has no such bounds."""
    rule = RULES.get(table, {}).get(name)
    return rule.limits if isinstance(rule, Between | Lasting) else ""


RULES: dict[type[msgspec.Struct], dict[str, Rule]] = {
    schema.Server: {
        "listen_addr": listen_address,
        "port": between(0, 65535),
        "external_domain": external_domain,
    },
    schema.Tls: {
        "domains": domains,
        "email": email,
        "directory_url": authority,
        "http_port": between(0, 65535),
    },
    schema.Twitch: {
        "client_id": no_spaces,
        "client_secret": kept_secret,
        "webhook_secret": webhook_secret,
        "incoming_webhook_url": callback_url,
        "poll_interval": lasting(_SECOND, _DAY, off=True),
        "catch_up_max_age": lasting(_SECOND, 2 * _DAY, off=True),
        "restart_window": lasting(_SECOND, _DAY, off=True),
    },
    schema.Streamer: {
        "user_id": user_id,
        "login": login,
        "target_webhook_url": webhook_url,
        "target_webhook_secret": secret,
        "target_webhook_header": header_name,
    },
    schema.Destination: {
        "url": webhook_url,
        "secret": secret,
        "header": header_name,
        "headers": headers,
        "timeout": lasting(0.1, 2 * _MINUTE),
    },
    schema.GlobalWebhook: {
        "url": webhook_url,
        "target_webhook_secret": secret,
        "target_webhook_header": header_name,
    },
    schema.Retry: {
        "initial_delay": lasting(0.01, _DAY),
        "max_delay": lasting(0.01, 7 * _DAY),
        "backoff_factor": between(1, 100),
        "jitter": between(0, 1),
        "max_attempts": between(0, 100_000),
        "max_age": lasting(_SECOND, 365 * _DAY),
    },
    schema.Output: {"max_lines": between(1, 100_000)},
    schema.Network: {"proxy": proxy_address},
    schema.Telemetry: {"endpoint": telemetry_endpoint, "headers": headers},
    schema.Tunnel: {"domain": domain, "region": region, "authtoken": kept_secret},
    schema.Cache: {
        "dedup_ttl": lasting(0, 365 * _DAY),
        "image_ttl": lasting(_MINUTE, 3650 * _DAY),
        "history": lasting(_HOUR, 3650 * _DAY),
    },
}

NOT_USED: dict[type[msgspec.Struct], dict[str, str]] = {
    schema.Twitch: {"token_file": "it is no longer used: the app token is kept in the keyring; the line can go"},
    schema.Retry: {"state_file": "it is no longer used: the queue is kept in the ledger; the line can go"},
}
"""Keys of the Go service that do nothing here, with the notice they get."""
