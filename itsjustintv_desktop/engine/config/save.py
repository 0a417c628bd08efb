"""Changing the config file: in place, checked before it is written, atomic, never over someone else's change.

Synchronous: call it in a thread.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import structlog

from itsjustintv_desktop.engine.config.build import streamer_paths
from itsjustintv_desktop.engine.config.document import TomlDocument
from itsjustintv_desktop.engine.config.fields import PLATFORM, tables
from itsjustintv_desktop.engine.config.load import (
    BOM,
    Loaded,
    decode,
    digest_of,
    legible,
    parse,
    read_bytes,
    read_toml,
)
from itsjustintv_desktop.engine.config.notation import Path as Keys
from itsjustintv_desktop.engine.config.notation import Value, dotted, split
from itsjustintv_desktop.engine.config.read import name_in, unfit_name
from itsjustintv_desktop.engine.config.schema import Config, Destination, Streamer
from itsjustintv_desktop.engine.core import files
from itsjustintv_desktop.engine.core.errors import (
    ConfigChangedError,
    ConfigError,
    ConfigSaveError,
    UsageError,
    os_sentence,
)

T = TypeVar("T")

_log = structlog.get_logger(__name__)

_LEFTOVER_AGE = 3600.0
"""Seconds after which a temporary file must be of a process that was killed."""


@dataclass(frozen=True, slots=True)
class Set:
    """Give a key a value, or a table some keys. Durations as Go strings (`durations.render`)."""

    path: Keys | str
    value: Value


@dataclass(frozen=True, slots=True)
class Remove:
    path: Keys | str


@dataclass(frozen=True, slots=True)
class Rename:
    """Of a streamer or a destination."""

    path: Keys | str
    name: str


@dataclass(frozen=True, slots=True)
class Redirect:
    """Let streamers that name the destination `old` name `new` instead; None takes it out of their lists."""

    old: str
    new: str | None


@dataclass(frozen=True, slots=True)
class AddTables:
    """New tables below a table, such as many streamers at once."""

    parent: str
    tables: Mapping[str, Mapping[str, Value]]


@dataclass(frozen=True, slots=True)
class SetMany:
    """Many keys at once: far faster than one by one."""

    values: Mapping[Keys, Value]


@dataclass(frozen=True, slots=True)
class RemoveMany:
    """Many tables or keys at once."""

    paths: tuple[Keys, ...]


Change = Set | Remove | Rename | Redirect | AddTables | SetMany | RemoveMany


def edit(path: Path, changes: Iterable[Change], environ: Mapping[str, str]) -> Loaded:
    """Open, change and save in one go. Raises what `ConfigFile` raises."""
    file = ConfigFile(path, environ)
    apply(file, changes)
    return file.save()


def apply(file: ConfigFile, changes: Iterable[Change]) -> None:
    """Make changes to an open file, without saving it. Raises UsageError."""
    for change in changes:
        match change:
            case Set():
                file.set(change.path, change.value)
            case Remove():
                file.remove(change.path)
            case Rename():
                file.rename(change.path, change.name)
            case Redirect():
                file.redirect(change.old, change.new)
            case AddTables():
                file.add_tables(change.parent, change.tables)
            case SetMany():
                file.set_many(change.values)
            case RemoveMany():
                file.remove_many(change.paths)


class ConfigFile:
    """The file as it was when opened, and the changes since.

    Paths are tuples (("retry", "max_age")) or dotted keys as TOML writes them ('streamers."a b".login'), by the
    names of the schema: where the file says `webhook_url` or `[streamers.twitch.x]`, that is found.
    """

    def __init__(self, path: Path, environ: Mapping[str, str], *, whole: bool = False) -> None:
        """Raises ConfigError if the file cannot be read or is not TOML. A missing file is an empty one.

        `whole`: `replace` follows, so that one that is no TOML (any more), or no UTF-8, can be mended.
        """
        # A link (from a folder of dotfiles, say) is followed, so that saving leaves it a link.
        self._path = Path(os.path.realpath(path))
        self._name = str(path)
        self._environ = environ
        content = read_bytes(self._path)
        self._digest = digest_of(content)
        text = legible(content or b"") if whole else decode(content or b"", self._name)
        self._mark = BOM if text.startswith(BOM) else ""
        self._toml = TomlDocument(text.removeprefix(BOM))
        if not whole:
            read_toml(self._toml.text, self._name)

    @property
    def text(self) -> str:
        """What `save` would write."""
        return self._mark + self._toml.text

    @property
    def digest(self) -> str:
        """Of the file as it was opened, or as it was saved last; see `load.Loaded`."""
        return self._digest

    def replace(self, text: str) -> None:
        """Take another text as a whole; line ends and byte order mark stay those of the file.

        Raises ConfigError if it is no TOML.
        """
        plain = text.removeprefix(BOM).replace("\r\n", "\n")
        read_toml(plain, self._name)
        if "\r\n" in self._toml.text:
            plain = plain.replace("\n", "\r\n")
        self._toml = TomlDocument(plain)

    def get(self, path: Keys | str) -> Any:
        """What the file itself has at a path, as TOML has it; None if nothing."""
        return self._toml.get(self._actual(path))

    def set(self, path: Keys | str, value: Value) -> None:
        """See `Set`. Raises UsageError if the file's layout does not allow it."""
        keys = self._actual(path)
        if isinstance(value, Mapping):
            value = {self._actual((*_keys(path), name))[-1]: item for name, item in value.items()}
        self._attempt(lambda: self._toml.set(keys, value))

    def append(self, text: str) -> None:
        """Put whole tables at the end. Raises UsageError if the file's layout does not allow it."""
        joined = self._toml.with_tables(text)
        try:
            read_toml(joined.text, self._name)
        except ConfigError as error:
            raise UsageError(f"Nothing can be added at the end of the file: {error.message}") from None
        self._toml = joined

    def remove(self, path: Keys | str) -> bool:
        """False if it was not there. Streamers keep naming a destination that is removed: `save` will say so."""
        keys = self._actual(path)
        return self._attempt(lambda: self._toml.remove(keys))

    def rename(self, path: Keys | str, name: str) -> None:
        """Rename a streamer or destination; streamers that name the destination follow.

        What lies in the vault under the old name is the caller's to move. Raises UsageError.
        """
        keys = _keys(path)
        if len(keys) != 2 or keys[0] not in {"streamers", "destinations"}:
            raise UsageError("Only streamers and destinations can be renamed.")
        unfit = unfit_name(name)
        if unfit:
            raise UsageError(f"The new name cannot be used: {unfit}.")
        actual = self._actual(keys)
        if self._toml.get(actual) is None:
            raise UsageError(f"There is no {dotted(keys)} in {self._name}.")
        if self._toml.get(self._actual((keys[0], name))) is not None:
            raise UsageError(f"There is a {dotted((keys[0], name))} already; choose another name.")
        if keys[0] == "streamers" and not any(self.get((*keys, field)) for field in ("user_id", "login")):
            self.set((*keys, "login"), keys[1].lower())  # until now its name said which channel is meant
        self._attempt(lambda: self._toml.rename(actual, name))
        if keys[0] == "destinations" or self.get(("streamers", name, "target_webhook_url")):
            self._follow(keys[1], name)

    def redirect(self, old: str, new: str | None) -> None:
        """See `Redirect`."""
        if new is not None:
            self._follow(old, new)
            return
        top = self._actual(("streamers",))
        streamers = streamer_paths(self._toml.get(top) or {})
        values: dict[Keys, Value] = {}
        for inside in streamers.values():
            path = (*top, *inside, "destinations")
            names = self._toml.get(path)
            if isinstance(names, list) and old in names:
                values[path] = [name for name in names if name != old]
        self._attempt(lambda: self._toml.set_many(values))

    def add_tables(self, parent: str, tables: Mapping[str, Mapping[str, Value]]) -> None:
        """See `AddTables`. Raises UsageError if one of the names is taken."""
        top = self._actual((parent,))
        taken = set(self._toml.get(top) or {}) & set(tables)
        if taken:
            raise UsageError(f"There is a {dotted((parent, sorted(taken)[0]))} already; choose another name.")
        self._attempt(lambda: self._toml.add_tables(top, tables))

    def set_many(self, values: Mapping[Keys, Value]) -> None:
        """See `SetMany`."""
        actual = self._actual_many(values)
        self._attempt(lambda: self._toml.set_many({actual[path]: value for path, value in values.items()}))

    def remove_many(self, paths: Iterable[Keys]) -> None:
        """See `RemoveMany`."""
        actual = self._actual_many(paths)
        self._attempt(lambda: self._toml.remove_many(list(actual.values())))

    def _actual_many(self, paths: Iterable[Keys]) -> dict[Keys, Keys]:
        data = self._toml.data
        return {path: self._actual(path, data) for path in paths}

    def save(self, *, forget_backup: bool = False, keep_broken: bool = False) -> Loaded:
        """Check, then write. The file as it was, if it was good, becomes `config.toml.bak`.

        `forget_backup`: the backup gets the new text too, for when the old one holds a secret that was moved away.
        `keep_broken`: the file as it was, if it was not good, becomes `config.toml.broken`.
        Raises ConfigError if the result would not be usable, ConfigChangedError if the file is not the one
        opened any more, ConfigSaveError if it cannot be written. In all three cases the file is as it was.
        """
        loaded = parse(self.text, file=self._name, environ=self._environ)
        content = self.text.encode("utf-8")
        if digest_of(content) == self._digest and not forget_backup:
            return loaded
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            before = read_bytes(self._path)
            if digest_of(before) != self._digest:
                raise ConfigChangedError(
                    f"{self._name} was changed by someone else in the meantime. Nothing was saved; "
                    "take a look at the new version and make your change again."
                )
            files.clear_leftovers(self._path, older_than=_LEFTOVER_AGE)
            backup = content if forget_backup else self._good(before)
            if backup is not None:
                files.write_atomic(self._path.with_name(self._path.name + ".bak"), backup)
            elif keep_broken and before is not None:
                files.write_atomic(self._path.with_name(self._path.name + ".broken"), before)
            if forget_backup:
                self._path.with_name(self._path.name + ".broken").unlink(missing_ok=True)
            files.write_atomic(self._path, content)
        except OSError as error:
            raise ConfigSaveError(f"{self._name} could not be saved: {os_sentence(error)}.") from error
        self._digest = digest_of(content)
        _log.info("config saved", file=self._name)
        return loaded

    def _good(self, content: bytes | None) -> bytes | None:
        """The content if it can be used as a config: only such a one is worth a backup."""
        if not content:
            return None
        try:
            parse(decode(content, self._name), file=self._name, environ=self._environ)
        except ConfigError:
            return None
        return content

    def _attempt(self, change: Callable[[], T]) -> T:
        try:
            return change()
        except ValueError as error:
            raise UsageError(f"{self._name}: {error}") from None

    def _follow(self, old: str, new: str) -> None:
        top = self._actual(("streamers",))
        streamers = streamer_paths(self._toml.get(top) or {})
        paths = [(*top, *inside, "destinations") for inside in streamers.values()]
        self._attempt(lambda: self._toml.replace_in_lists(paths, old, new))

    def _actual(self, path: Keys | str, data: Mapping[str, Any] | None = None) -> Keys:
        """The path in this very file of a path by the schema's names. `data`: the file's, if it is at hand."""
        keys = _keys(path)
        data = self._toml.data if data is None else data
        top = name_in(Config, data, keys[0])
        content = data.get(top)
        if not isinstance(content, dict) or len(keys) == 1:
            return (top, *keys[1:])
        if keys[0] == "streamers":
            inside: Keys = streamer_paths(content).get(keys[1], (keys[1],))
            rest: Keys = keys[2:]
            schema: type[Streamer] | type[Destination] = Streamer
            if keys[1] == PLATFORM and len(keys) > 2 and (PLATFORM, keys[2]) in streamer_paths(content).values():
                inside, rest = (PLATFORM, keys[2]), keys[3:]  # already a path of the file
        elif keys[0] == "destinations":
            inside, rest, schema = (keys[1],), keys[2:], Destination
        else:
            return (top, *_spelled(keys, content))
        for part in inside:
            content = content.get(part, {})
        name = (name_in(schema, content, rest[0]), *rest[1:]) if rest and isinstance(content, dict) else rest
        return (top, *inside, *name)


def _spelled(keys: Keys, content: Any) -> Keys:
    """The rest of a path below a table with a fixed name, in the letter case of the file."""
    found: list[str] = []
    for depth, part in enumerate(keys[1:], 1):
        schema = tables().get(keys[:depth])
        name = name_in(schema, content, part) if schema and isinstance(content, dict) else part
        found.append(name)
        content = content.get(name) if isinstance(content, dict) else None
    return tuple(found)


def _keys(path: Keys | str) -> Keys:
    return split(path) if isinstance(path, str) else path
