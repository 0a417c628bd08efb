"""A report that can be shown to a stranger who helps: how the program is, without anything secret.

Every secret the program can get hold of is looked for in the finished text and taken out: no part has to be trusted.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import structlog

from itsjustintv_desktop import __version__
from itsjustintv_desktop.engine import logs, redaction
from itsjustintv_desktop.engine.api.diagnostics import Diagnostics
from itsjustintv_desktop.engine.api.settings.transfer import scrubbed
from itsjustintv_desktop.engine.config import secrets_in_file
from itsjustintv_desktop.engine.config.active import ConfigHolder
from itsjustintv_desktop.engine.config.fields import secrets_of
from itsjustintv_desktop.engine.config.load import BOM, decode, read_bytes
from itsjustintv_desktop.engine.config.schema import KEYRING
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import AppError, ConfigError
from itsjustintv_desktop.engine.core.phrases import span
from itsjustintv_desktop.engine.ingress.manager import IngressManager
from itsjustintv_desktop.engine.ingress.webhook_secret import WebhookSecret
from itsjustintv_desktop.engine.monitoring.doctor.doctor import Doctor
from itsjustintv_desktop.engine.storage.ledger import Ledger
from itsjustintv_desktop.engine.storage.secrets import (
    TUNNEL_AUTHTOKEN,
    TWITCH_APP_TOKEN,
    TWITCH_CLIENT_SECRET,
    TWITCH_WEBHOOK_SECRET,
    TWITCH_WEBHOOK_SECRET_PREVIOUS,
    SecretStore,
)

DOCTOR_SECONDS = 60.0
LINES = 200
_SHORTEST = 6
"""Characters from which on a value is looked for; a shorter one would blank out innocent words."""
_ITEMS = (
    TWITCH_CLIENT_SECRET,
    TWITCH_WEBHOOK_SECRET,
    TWITCH_WEBHOOK_SECRET_PREVIOUS,
    TUNNEL_AUTHTOKEN,
    TWITCH_APP_TOKEN,
)

_log = structlog.get_logger(__name__)


class KnownSecrets:
    """Every secret value that the program can get hold of: in the file, in the environment, in the store."""

    def __init__(
        self,
        store: SecretStore,
        signing: WebhookSecret,
        config_path: Path,
        environ: Mapping[str, str],
        config: ConfigHolder,
    ) -> None:
        self.store = store
        self.config_path = config_path
        self.environ = environ
        self._signing = signing
        self._config = config

    async def values(self) -> set[str]:
        """What cannot be read is left out."""
        found = set[str]()
        for item in _ITEMS:
            await self._add(found, self.store.get(item))
        found |= {one.decode("utf-8", "replace") for one in self._signing.current()}
        config = self._config.current.config
        found |= secrets_of(config)
        for name, one in self._config.current.destinations.items():
            found |= {one.url, one.secret, *one.headers.values(), *_parts(one.url)}
            try:
                kept = await self.store.destination(name)
            except AppError as error:
                _log.debug("the report cannot look for a secret it cannot read", reason=error.message)
                continue
            found |= {kept.url or "", kept.secret or "", *_parts(kept.url or "")}
        found |= await asyncio.to_thread(self._in_file)
        found |= {value for name, value in self.environ.items() if _is_secret_variable(name)}
        found.discard(config.twitch.client_id)  # no secret, and it helps who reads
        return {value for value in found if len(value) >= _SHORTEST and value != KEYRING}

    async def _add(self, found: set[str], asked: Any) -> None:
        try:
            found |= _texts(await asked or "")
        except AppError as error:
            _log.debug("the report cannot look for a secret it cannot read", reason=error.message)

    def _in_file(self) -> set[str]:
        """Those the file holds, also where the environment wins over them. Blocks."""
        path = self.config_path
        try:
            raw = tomllib.loads(decode(read_bytes(path) or b"", str(path)).removeprefix(BOM))
        except (ConfigError, tomllib.TOMLDecodeError):
            return set()
        in_clear, found = secrets_in_file.find(raw), set[str]()
        for key in (*in_clear.movable, *in_clear.fixed):
            content: Any = raw
            for part in key:
                content = content.get(part) if isinstance(content, dict) else None
            if isinstance(content, str):
                found |= {content, *_parts(content)}
        return found


class Support:
    """`lines` gives the last log lines, `redact` masks what is known to be a secret or looks like one."""

    def __init__(
        self,
        diagnostics: Diagnostics,
        doctor: Doctor,
        ingress: IngressManager,
        ledger: Ledger,
        secrets: KnownSecrets,
        config: ConfigHolder,
        clock: Clock,
    ) -> None:
        self._diagnostics = diagnostics
        self._judge = doctor
        self._ingress = ingress
        self._ledger = ledger
        self._known = secrets
        self._config = config
        self._clock = clock
        self.lines: Callable[[int], Sequence[str]] = _last_lines
        self.redact: Callable[[str], str] = redaction.redact

    async def report(self) -> str:
        """Text in parts with headings. What cannot be had says so; never raises for it."""
        parts = [
            ("Program", self._program()),
            ("Doctor", await self._doctor()),
            ("Health", await self._health()),
            ("Counts", await self._counts()),
            ("Configuration", await asyncio.to_thread(self._tables)),
            ("Log", "\n".join(self.lines(LINES)[-LINES:]) or "No lines are kept."),
        ]
        text = "\n\n".join(f"== {title} ==\n{content}" for title, content in parts) + "\n"
        return _without(self.redact(text), await self._known.values())

    def _program(self) -> str:
        environ, config = self._known.environ, self._config.current.config
        said = {
            "version": __version__,
            "system": f"{platform.system()} {platform.release()} ({platform.machine()})",
            "python": sys.version.split()[0],
            "way": self._ingress.way.kind,
            "secrets": f"{config.secrets.store}, {self._known.store.state.status}",
            "variables": ", ".join(sorted(name for name in environ if name.startswith("ITSJUSTINTV_"))) or "none",
            "at": datetime.fromtimestamp(self._clock.now(), UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
        }
        return "\n".join(f"{name}: {value}" for name, value in said.items())

    async def _doctor(self) -> str:
        try:
            async with asyncio.timeout(DOCTOR_SECONDS):
                found = await self._diagnostics.doctor()
        except (AppError, TimeoutError) as error:
            return f"It could not be asked: {getattr(error, 'message', 'it took too long')}"
        return "\n".join(f"{one.state:5} {one.name}: {one.message} {one.fix}".rstrip() for one in found.checks)

    async def _health(self) -> str:
        now, found = self._clock.now(), await self._judge.health()
        parts: dict[str, Any] = found["parts"]
        lines = [
            f"{name}: {part['status']} for {span(now - part['since'])} {part['reason']}".rstrip()
            for name, part in parts.items()
        ]
        return "\n".join([f"status: {found['status']}", *lines])

    async def _counts(self) -> str:
        live = self._config.current
        said = {
            "streamers": len(live.config.streamers),
            "destinations": len(live.destinations),
            "live now": len(self._ingress.catch_up.live_now),
        }
        lines = [f"{name}: {value}" for name, value in said.items()]
        try:
            counts = await self._ledger.counts()
        except AppError as error:
            return "\n".join([*lines, error.message])
        lines += [f"deliveries {state}: {number}" for state, number in sorted(counts.by_state.items())]
        return "\n".join([*lines, f"events in work: {counts.unfinished_events}"])

    def _tables(self) -> str:
        """Blocks."""
        path = self._known.config_path
        try:
            text = decode(read_bytes(path) or b"", str(path)).removeprefix(BOM)
            return scrubbed(tomllib.loads(text))
        except (ConfigError, tomllib.TOMLDecodeError):
            return "It cannot be read."


def _last_lines(most: int) -> list[str]:
    """Of the log that is kept for a screen; none where it is not."""
    return [
        " ".join(
            [
                datetime.fromtimestamp(line.at, UTC).strftime("%Y-%m-%d %H:%M:%S"),
                f"{line.level:7} {line.text}",
                *(f"{name}={value}" for name, value in line.fields),
            ]
        )
        for line in logs.recent_lines()[-most:]
    ]


def _texts(item: str) -> set[str]:
    """An item of the store, and what lies in it: some hold JSON."""
    try:
        waiting: list[Any] = [json.loads(item)]
    except ValueError:
        return {item}
    found = {item}
    while waiting:
        content = waiting.pop()
        if isinstance(content, str):
            found.add(content)
        elif isinstance(content, dict | list):
            waiting.extend(content.values() if isinstance(content, dict) else content)
    return found


def _parts(url: str) -> set[str]:
    """What of an address is secret by itself: its password, long parts of its path, its query."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return set()
    if not parts.scheme or not parts.netloc:
        return set()
    longer = {part for part in parts.path.split("/") if len(part) >= 16}
    asked = {value for _, value in parse_qsl(parts.query)}
    return {parts.password or "", parts.query, *longer, *asked} - {""}


def _is_secret_variable(name: str) -> bool:
    ending = name.upper().rpartition("_")[2]
    return name.startswith(("ITSJUSTINTV_", "OTEL_", "NGROK_", "TWITCH_")) and ending in {
        "SECRET", "AUTHTOKEN", "PASSPHRASE", "HEADERS", "TOKEN", "URL",
    } and not name.upper().endswith(("API_URL", "AUTH_URL", "EVENTSUB_URL"))  # fmt: skip


def _without(text: str, secrets: set[str]) -> str:
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "[removed]")
    return text.replace(os.path.expanduser("~") + os.sep, f"~{os.sep}")  # noqa: PTH111 - no path, only its spelling
