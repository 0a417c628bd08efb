"""A folder as the Go service leaves it, written by hand, and our program's own place beside it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from itsjustintv_desktop.engine.core.models import DeliveryView
from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.engine.import_go.report import Moved, Part
from itsjustintv_desktop.engine.import_go.run import run_import
from itsjustintv_desktop.engine.storage.ledger import EventRecord, Ledger
from tests.support.clock import START, FakeClock

ALICE_URL = "https://hooks.example/alice?token=alices-token"
GLOBAL_URL = "https://discord.com/api/webhooks/12345/globals-path"
QUEUE_SECRET = "secret-in-the-queue"
SECRETS = ("alices-token", "globals-path", QUEUE_SECRET)
"""None of these may be anywhere of ours but in config.toml."""
PASSPHRASE = "correct horse battery staple"
ENVIRON = {"ITSJUSTINTV_PASSPHRASE": PASSPHRASE}

CONFIG = f"""# The Go service's config, as its owner wrote it.
[server]
port = 8080

[twitch]
client_id = "the-client-id"
client_secret = "the-client-secret"
webhook_secret = "the-webhook-secret"
token_file = "data/tokens.json"
incoming_webhook_url = "https://me.example/twitch"

[streamers.alice]
user_id = "100"
login = "alice"
target_webhook_url = "{ALICE_URL}" # hers
target_webhook_secret = "alices-signing-secret"

[streamers.bob]
login = "bob"

[global_webhook]
enabled = true
url = "{GLOBAL_URL}"

[secrets]
store = "passphrase"
"""

# The smallest PNG there is: one pixel.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def when(seconds: float = 0.0) -> str:
    """As Go writes a time: RFC 3339 with nanoseconds and a zone, `seconds` from START."""
    moment = datetime.fromtimestamp(START + seconds, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + ".123456789+00:00"


def payload(login: str = "alice", at: float = -60.0, **more: Any) -> dict[str, Any]:
    """As the Go service sends it: what is empty is left out."""
    return {
        "streamer_login": login,
        "streamer_name": login.capitalize(),
        "streamer_id": {"alice": "100", "bob": "200"}.get(login, "900"),
        "url": f"https://twitch.tv/{login}",
        "tags": ["English"],
        "language": "en",
        "timestamp": when(at),
        **more,
    }


def waiting(login: str = "alice", url: str = ALICE_URL, **more: Any) -> dict[str, Any]:
    """An entry of the queue."""
    return {
        "webhook_url": url,
        "payload": payload(login),
        "webhook_secret": QUEUE_SECRET,
        "webhook_header": "X-Hub-Signature-256",
        "webhook_hashing": "SHA-256",
        "streamer_key": login,
        "attempt": 2,
        "next_retry": when(30),
        **more,
    }


def told(user_id: str, stream_id: str, started: float, **more: Any) -> dict[str, Any]:
    """An entry of cache.json; `started` is seconds from START."""
    key = hashlib.sha256(f"{user_id}:{stream_id}:{int(START + started)}".encode()).hexdigest()
    data = base64.b64encode(b"1").decode()
    return {"key": key, "data": data, "expires_at": when(3600), "created_at": when(-3600), **more}


def over(login: str = "alice", at: float = -7200.0, *, success: bool = True, **more: Any) -> dict[str, Any]:
    """An entry of output.json."""
    return {"timestamp": when(at), "payload": payload(login, at), "success": success, **more}


class GoFolder:
    def __init__(self, folder: Path) -> None:
        self.root = folder / "go"
        self.data = self.root / "data"
        self.paths = Paths(folder / "ours" / "config" / "config.toml", folder / "ours" / "data")
        self.clock = FakeClock()
        self.said: list[str] = []
        self.data.mkdir(parents=True)
        self.config(CONFIG)

    def config(self, text: str) -> None:
        (self.root / "config.toml").write_text(text, encoding="utf-8")

    def ours(self, text: str) -> None:
        self.paths.config.parent.mkdir(parents=True, exist_ok=True)
        self.paths.config.write_text(text, encoding="utf-8")

    def write(self, name: str, content: Any) -> Path:
        """Bytes as they are, anything else as JSON in Go's own layout."""
        path = self.data / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content, indent=2).encode())
        return path

    def queue(self, *entries: Any) -> None:
        self.write("retry_state.json", {"queue": list(entries)})

    async def move(self, folder: Path | None = None, environ: Mapping[str, str] = ENVIRON, **options: Any) -> Moved:
        return await run_import(
            folder or self.root, self.paths, environ, self.clock, progress=self.said.append, **options
        )

    async def part(self, name: str, **options: Any) -> Part:
        """One file's part of the report of an import."""
        return {part.name: part for part in (await self.move(**options)).parts}[name]

    async def ledger(self) -> Ledger:
        """Opened; the caller closes it."""
        ledger = Ledger(self.paths.ledger, self.clock)
        await ledger.open()
        return ledger

    async def deliveries(self) -> list[DeliveryView]:
        """Oldest first."""
        ledger = await self.ledger()
        try:
            return (await ledger.deliveries())[::-1]
        finally:
            await ledger.close()

    async def events(self) -> list[EventRecord]:
        """Oldest first."""
        ledger = await self.ledger()
        try:
            return (await ledger.events())[::-1]
        finally:
            await ledger.close()

    @contextmanager
    def untouched(self) -> Iterator[None]:
        """Whatever is done within leaves the Go service's folder as it is, times and modes included."""
        before = self._state()
        try:
            yield
        finally:
            assert self._state() == before

    def _state(self) -> dict[str, tuple[Any, ...]]:
        found: dict[str, tuple[Any, ...]] = {}
        for path in [self.root, *sorted(self.root.rglob("*"))]:
            info = path.lstat()
            content = path.read_bytes() if path.is_file() and not path.is_symlink() and info.st_mode & 0o400 else b""
            found[str(path)] = (info.st_mode, info.st_mtime_ns, info.st_size, content)
        return found

    def leaks(self) -> list[str]:
        """Where one of SECRETS lies among our files, config.toml aside."""
        files = [path for path in self.paths.data.parent.rglob("*") if path.is_file()]
        return [
            f"{path.name}: {secret}"
            for path in files
            if path.name not in {"config.toml", "config.toml.bak"}
            for secret in SECRETS
            if secret.encode() in path.read_bytes()
        ]
