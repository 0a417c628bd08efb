"""What a value of the right type must still fulfil, key by key. Each rule returns the value to use.

A rule raises Mistake, or calls `warn` for what works though likely not as meant. `None` means: as if not set.
"""

from __future__ import annotations

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
    telemetry_endpoint,
    webhook_url,
)
from itsjustintv_desktop.engine.config.durations import render
from itsjustintv_desktop.engine.config.report import Mistake
from itsjustintv_desktop.engine.config.texts import (
    email,
    header_name,
    headers,
    kept_secret,
    login,
    no_spaces,
    region,
    secret,
    user_id,
    webhook_secret,
)

Warn = Callable[[str], None]
Rule = Callable[[Any, Warn], Any]

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
