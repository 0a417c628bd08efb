"""A config.toml that cannot be used: read, checked, saved, or put back to the last one that was good."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from itsjustintv_desktop.engine.api.settings.documents import Document, Documents, ValidationResult, changed
from itsjustintv_desktop.engine.config.load import BOM, decode, digest_of, examine, legible, parse, read_bytes
from itsjustintv_desktop.engine.config.save import ConfigFile
from itsjustintv_desktop.engine.core.errors import ConfigError


class LastGood(msgspec.Struct, frozen=True, kw_only=True):
    """`since`: when it was written (Unix seconds)."""

    text: str
    since: float


class ConfigRepair:
    """Works without an engine. Synchronous: call it in a thread."""

    def __init__(self, path: Path, environ: Mapping[str, str]) -> None:
        self.path = path
        self._environ = environ

    def document(self) -> Document:
        """Also of a file that is no UTF-8: as its characters were most likely meant. Raises ConfigError."""
        content = read_bytes(self.path)
        text = legible(content or b"").removeprefix(BOM).replace("\r\n", "\n")
        found = examine(text, self._environ)
        return Document(
            text=text, digest=digest_of(content), path=str(self.path), problems=found.problems, warnings=found.warnings
        )

    def version(self) -> str | None:
        """What tells one content of the file from another; None while there is nothing that can be read."""
        try:
            content = read_bytes(self.path)
        except ConfigError:
            return None
        return digest_of(content) if content is not None else None

    def check(self, text: str) -> ValidationResult:
        found = examine(text, self._environ)
        return ValidationResult(problems=found.problems, warnings=found.warnings)

    def save(self, text: str, digest: str) -> None:
        """Raises ConfigError (it cannot be used), ConfigChangedError, ConfigSaveError."""
        file = ConfigFile(self.path, self._environ, whole=True)
        if file.digest != digest:
            raise changed("")
        file.replace(text)
        file.save()

    def last_good(self) -> LastGood | None:
        """config.toml.bak, None where it is missing or cannot be used either."""
        backup = Path(os.path.realpath(self.path) + ".bak")
        try:
            content = read_bytes(backup)
            if not content:
                return None
            text = decode(content, str(backup))
            parse(text, file=str(backup), environ=self._environ)
            return LastGood(text=text, since=backup.stat().st_mtime)
        except (ConfigError, OSError):
            return None

    def go_back(self) -> LastGood:
        """Put the last good one in its place. What could not be used is kept as config.toml.broken.

        Raises ConfigError, ConfigChangedError, ConfigSaveError.
        """
        good = self.last_good()
        if good is None:
            raise ConfigError([f"{self.path}.bak: it is missing, or cannot be used either"])
        file = ConfigFile(self.path, self._environ, whole=True)
        file.replace(good.text)
        file.save(keep_broken=True)
        return good


class Repair:
    """The same while an engine is running, on its loop."""

    def __init__(self, repair: ConfigRepair, documents: Documents) -> None:
        self._repair = repair
        self._documents = documents

    async def last_good(self) -> LastGood | None:
        return await asyncio.to_thread(self._repair.last_good)

    async def go_back(self) -> LastGood:
        return await self._documents.exclusively(self._repair.go_back)
