"""A config to take elsewhere, without any secret in it; and taking one in, with a list of what to enter again.

What goes out is written anew from what the program understands of the file: no comment (an old secret may stand in
one), no key it does not know (a misspelt one may hold a secret), no address and no header's value.
"""

from __future__ import annotations

import asyncio
import os
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from itsjustintv_desktop.engine.api.settings.documents import Documents, Saved
from itsjustintv_desktop.engine.config.addresses import has_credentials
from itsjustintv_desktop.engine.config.build import streamer_paths
from itsjustintv_desktop.engine.config.diff import compare
from itsjustintv_desktop.engine.config.fields import Field, Kind, fields, sensitivity
from itsjustintv_desktop.engine.config.load import BOM, Remark, decode, examine, read_bytes, read_toml
from itsjustintv_desktop.engine.config.notation import dotted, encode
from itsjustintv_desktop.engine.config.read import name_in
from itsjustintv_desktop.engine.config.schema import KEYRING, Config
from itsjustintv_desktop.engine.config.validators import trimmed
from itsjustintv_desktop.engine.core import files
from itsjustintv_desktop.engine.core.errors import (
    ConfigChangedError,
    ConfigError,
    ConfigSaveError,
    UsageError,
    os_sentence,
)
from itsjustintv_desktop.engine.storage.secrets import TUNNEL_AUTHTOKEN, TWITCH_CLIENT_SECRET, SecretStore

PLACEHOLDER = "ENTER-AGAIN"
"""Stands for the value of a header: those can lie in the file only."""
_HEAD = "# Exported from itsjustintv desktop, without secrets. They are asked for when it is imported.\n"


class Needed(msgspec.Struct, frozen=True, kw_only=True):
    """A secret to enter again. `name` is the dotted key, such as `destinations.friends.url`."""

    name: str
    title: str
    have: bool
    """One of this name is kept already; entering it again is not needed."""


class ImportPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a text would come to. With problems it cannot be taken in. `digest` is that of the config it replaces."""

    text: str
    digest: str
    problems: tuple[Remark, ...] = ()
    warnings: tuple[Remark, ...] = ()
    needed: tuple[Needed, ...] = ()
    streamers: int = 0
    destinations: int = 0
    changes: str = ""


class Transfer:
    def __init__(self, documents: Documents, secrets: SecretStore, changed: Callable[[], None]) -> None:
        """`changed` is called when secrets may be others."""
        self._documents = documents
        self._secrets = secrets
        self._changed = changed

    async def export(self) -> str:
        """The config as text without secrets. Raises ConfigError if the file is no TOML."""
        path = self._documents.path
        return await asyncio.to_thread(_exported, path)

    async def export_to(self, path: Path) -> None:
        """The same into a file only its owner may read. Raises ConfigError, ConfigSaveError."""
        text = await self.export()
        try:
            await asyncio.to_thread(_write, path, text)
        except OSError as error:
            raise ConfigSaveError(f"{path.name} could not be written: {os_sentence(error)}.") from error

    async def plan(self, text: str) -> ImportPlan:
        """What importing this text would mean. Changes nothing. Raises ConfigError if our own file is unreadable."""
        document = await self._documents.document()
        text = text.removeprefix(BOM).replace("\r\n", "\n")
        found = await asyncio.to_thread(examine, text, self._documents.environ)
        if found.config is None:
            return ImportPlan(text=text, digest=document.digest, problems=found.problems, warnings=found.warnings)
        return ImportPlan(
            text=text,
            digest=document.digest,
            warnings=found.warnings,
            needed=tuple([one async for one in self._needed(text, found.config)]),
            streamers=len(found.config.streamers),
            destinations=len(found.config.destinations),
            changes=compare(self._documents.config.current.config, found.config).sentence,
        )

    async def apply(self, plan: ImportPlan, secrets: Mapping[str, str]) -> Saved:
        """Take it in, with secrets by the names of `needed` (others may be entered later). Can be undone.

        Raises UsageError for a name that is not needed or a header that was left out, SecretsError,
        ConfigChangedError if the config is another than when it was planned, ConfigError, ConfigSaveError.
        """
        text, kept = plan.text, {one.name for one in plan.needed}
        secrets = {name: trimmed(value) for name, value in secrets.items()}
        if unknown := set(secrets) - kept:
            raise UsageError(f"{sorted(unknown)[0]} is not asked for.")
        document = await self._documents.document()
        if document.digest != plan.digest:
            raise ConfigChangedError("The config was changed meanwhile. Take a look, and import again.")
        text = await asyncio.to_thread(_with_headers, text, secrets)
        # With what was entered where it belongs, so that it is judged as it would be in the file.
        entered = await asyncio.to_thread(_with_secrets, text, secrets)
        found = await asyncio.to_thread(examine, entered, self._documents.environ)
        if found.problems:
            raise ConfigError([f"{one.key}: {one.sentence}" if one.key else one.sentence for one in found.problems])
        store = self._secrets
        for name, value in secrets.items():
            parts = _split(name)
            if len(parts) == 2 and parts[0] in {"twitch", "tunnel"}:
                await store.set(name, value)
            elif sensitivity(parts) == "destination":
                await store.set_destination(_destination(parts), url=value)
            elif sensitivity(parts) == "secret":
                await store.set_destination(_destination(parts), secret=value)
        saved = await self._documents.save_text(text, plan.digest)
        self._changed()
        return saved

    async def _needed(self, text: str, config: Config) -> Any:
        store = self._secrets
        opened = store.state.status in {"ready", "unopened"}
        wanted = [(TWITCH_CLIENT_SECRET, "Twitch client secret")] if config.twitch.client_id else []
        if config.tunnel.provider == "ngrok":
            wanted.append((TUNNEL_AUTHTOKEN, "ngrok authtoken"))
        written = {TWITCH_CLIENT_SECRET: config.twitch.client_secret, TUNNEL_AUTHTOKEN: config.tunnel.authtoken}
        for name, title in wanted:
            if written[name] in {"", KEYRING}:
                yield Needed(name=name, title=title, have=bool(opened and await store.get(name)))
        for path, value in await asyncio.to_thread(lambda: _leaves(tomllib.loads(text))):
            if value == KEYRING and path[0] not in {"twitch", "tunnel"}:
                name = _destination(path)
                is_address = sensitivity(path) == "destination"
                one = await store.destination(name) if opened else None
                have = bool(one and (one.url if is_address else one.secret))
                title = f"{name}: address" if is_address else f"{name}: secret"
                yield Needed(name=dotted(path), title=title, have=have)
            elif value == PLACEHOLDER and "headers" in path:
                yield Needed(name=dotted(path), title=f"{'.'.join(path[:-2])}: header {path[-1]}", have=False)


def scrubbed(raw: Mapping[str, Any]) -> str:
    """The tables of a file as text, without anything that is or may be a secret. Never raises for what is in it."""
    lines: list[str] = [_HEAD]
    for field in fields(Config).values():
        content = raw.get(name_in(Config, raw, field.name))
        if not isinstance(content, Mapping) or field.table is None:
            continue
        if field.kind is Kind.TABLE:
            lines += _table((field.name,), field.table, content)
            continue
        found = streamer_paths(content) if field.name == "streamers" else {name: (name,) for name in content}
        for name, inside in found.items():
            inner: Any = content
            for part in inside:
                inner = inner.get(part)
            if isinstance(inner, Mapping) and "://" not in name:
                lines += _table((field.name, name), field.table, inner)
    return "\n".join(lines)


def _table(path: tuple[str, ...], schema: type[msgspec.Struct], content: Mapping[str, Any]) -> list[str]:
    lines: list[str] = []
    inner: list[str] = []
    for field in fields(schema).values():
        value = content.get(name_in(schema, content, field.name))
        if value is None:
            continue
        if field.kind is Kind.TABLE and field.table is not None:
            if isinstance(value, Mapping):
                inner += _table((*path, field.name), field.table, value)
            continue
        shown = _shown(field, value)
        if shown is not None:
            lines.append(f"{field.name} = {encode(shown)}")
    head = [f"[{dotted(path)}]", *lines, ""] if lines or not inner else []
    return [*head, *inner]


def _shown(field: Field, value: Any) -> Any:
    """A value as it may go out; None: not at all."""
    if field.kind is Kind.MAP:
        return dict.fromkeys(value, PLACEHOLDER) if isinstance(value, Mapping) else None
    if field.sensitivity in {"secret", "destination"}:
        return KEYRING if value else None
    if isinstance(value, str):
        # Any other address may still hold a password, or be one that was pasted into the wrong key.
        parts = value.split("/", 3) if "://" in value else []
        told = field.sensitivity == "address" and ("@" in value or (len(parts) > 3 and parts[3] != ""))
        return None if told or has_credentials(value) or "?" in value or "/webhooks/" in value else value
    if isinstance(value, list):
        return [one for one in value if isinstance(one, str) and "://" not in one]
    return value if isinstance(value, bool | int | float) else None


def _exported(path: Path) -> str:
    text = decode(read_bytes(path) or b"", str(path)).removeprefix(BOM)
    return scrubbed(read_toml(text, str(path)))


def _write(path: Path, text: str) -> None:
    descriptor = files.open_descriptor(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, follow=True)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text.encode("utf-8"))


def _leaves(content: Mapping[str, Any], path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    found: list[tuple[tuple[str, ...], Any]] = []
    for name, value in content.items():
        if isinstance(value, Mapping):
            found += _leaves(value, (*path, name))
        else:
            found.append(((*path, name), value))
    return found


def _destination(path: tuple[str, ...]) -> str:
    """The name in the vault of a key that says "@keyring"."""
    return "global" if path[0] == "global_webhook" else path[-2]


def _split(name: str) -> tuple[str, ...]:
    from itsjustintv_desktop.engine.config.notation import split

    return split(name)


def _with_secrets(text: str, secrets: Mapping[str, str]) -> str:
    """Only to be looked at, never to be kept."""
    from itsjustintv_desktop.engine.config.document import TomlDocument

    toml = TomlDocument(text)
    try:
        for name, value in secrets.items():
            if value:
                toml.set(_split(name), value)
    except ValueError as error:
        raise ConfigError([str(error)]) from None
    return toml.text


def _with_headers(text: str, secrets: Mapping[str, str]) -> str:
    """Headers stand in the file itself; one that was not entered must not be sent as a placeholder."""
    from itsjustintv_desktop.engine.config.document import TomlDocument

    toml = TomlDocument(text)
    try:
        for path, value in _leaves(toml.data):
            if value == PLACEHOLDER and "headers" in path:
                entered = secrets.get(dotted(path), "")
                if entered:
                    toml.set(path, entered)
                else:
                    toml.remove(path)
    except ValueError as error:
        raise ConfigError([str(error)]) from None
    return toml.text
