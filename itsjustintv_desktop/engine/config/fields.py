"""What the schema says of each key: its kind, its default, and how sensitive its value is."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec

from itsjustintv_desktop.engine.config.schema import Config, Destination, Sensitivity, Streamer


class Kind(enum.Enum):
    BOOL = "true or false"
    INT = "a whole number"
    NUMBER = "a number"
    DURATION = "a duration"
    TEXT = "text"
    CHOICE = "one of a few words"
    TEXTS = "a list of texts"
    MAP = "a table of texts"
    TABLE = "a table"
    NAMED = "tables with names of the owner's choice"


_PLAIN_NUMBERS = frozenset({"backoff_factor", "jitter"})
_NOT_KEYS = frozenset({"key", "name", "format_guessed"})
"""Fields of the schema that come from elsewhere than a key of their own."""
_HASHINGS: tuple[str, ...] = get_args(
    next(info.type for info in msgspec.structs.fields(Destination) if info.name == "hashing")
)
ALIASES: dict[type[msgspec.Struct], dict[str, str]] = {Streamer: {"webhook_url": "target_webhook_url"}}
"""Other names under which a key is accepted in silence."""
PLATFORM = "twitch"
"""`[streamers.twitch."<key>"]` is the same as `[streamers.<key>]`."""
_SCALARS = {bool: Kind.BOOL, int: Kind.INT, str: Kind.TEXT}


@dataclass(frozen=True, slots=True)
class Field:
    """One key of one table."""

    name: str
    kind: Kind
    default: Any
    words: tuple[str, ...] | Callable[[], tuple[str, ...]] = ()
    table: type[msgspec.Struct] | None = None
    """The schema of a TABLE, or of each of the tables of a NAMED."""
    sensitivity: Sensitivity = ""

    @property
    def choices(self) -> tuple[str, ...]:
        """The words of a CHOICE."""
        return self.words() if callable(self.words) else self.words

    @property
    def hidden(self) -> bool:
        """Whether its value may never appear in a message."""
        return self.sensitivity != ""

    @property
    def is_scalar(self) -> bool:
        """Whether one environment variable can hold it (lists can: with commas)."""
        return self.kind not in {Kind.MAP, Kind.TABLE, Kind.NAMED}


@cache
def fields(table: type[msgspec.Struct]) -> dict[str, Field]:
    """Every key of a table of the schema, by name, in the order of the schema."""
    found = {}
    for info in msgspec.structs.fields(table):
        if info.name in _NOT_KEYS:
            continue
        default = info.default if info.default is not msgspec.NODEFAULT else None
        if info.default_factory is not msgspec.NODEFAULT:
            default = info.default_factory()
        annotation, marks = _unmarked(info.type)
        found[info.name] = made = replace(
            _field(info.name, annotation, default), sensitivity=marks.get("sensitivity", "")
        )
        if "choices" in marks:
            found[info.name] = replace(made, kind=Kind.CHOICE, words=marks["choices"])
    return found


def _unmarked(annotation: Any) -> tuple[Any, dict[str, Any]]:
    """The type without its marks, and the marks."""
    if get_origin(annotation) is not Annotated:
        return annotation, {}
    bare, *marks = get_args(annotation)
    return bare, {name: value for one in marks for name, value in (one.extra or {}).items()}


def _field(name: str, annotation: Any, default: Any) -> Field:
    origin = get_origin(annotation)
    if name == "target_webhook_hashing":
        return Field(name, Kind.CHOICE, default, words=_HASHINGS)
    if origin is Literal:
        return Field(name, Kind.CHOICE, default, words=get_args(annotation))
    if origin is tuple:
        return Field(name, Kind.TEXTS, default)
    if origin is dict:
        inner = get_args(annotation)[1]
        return Field(name, Kind.MAP, default) if inner is str else Field(name, Kind.NAMED, default, table=inner)
    if annotation is float:
        return Field(name, Kind.NUMBER if name in _PLAIN_NUMBERS else Kind.DURATION, default)
    if annotation in _SCALARS:
        return Field(name, _SCALARS[annotation], default)
    return Field(name, Kind.TABLE, default, table=annotation)


@cache
def tables() -> dict[tuple[str, ...], type[msgspec.Struct]]:
    """The schema of every table with a fixed name: ("server", "tls") -> Tls."""
    found: dict[tuple[str, ...], type[msgspec.Struct]] = {}

    def walk(path: tuple[str, ...], table: type[msgspec.Struct]) -> None:
        for field in fields(table).values():
            if field.kind is Kind.TABLE and field.table is not None:
                found[*path, field.name] = field.table
                walk((*path, field.name), field.table)

    walk((), Config)
    return found


def sensitivity(path: tuple[str, ...]) -> Sensitivity:
    """Of the key at this path of a file, however the file spells it; "" also where the schema has no such key."""
    schema: type[msgspec.Struct] = Config
    rest = list(path)
    while rest:
        name = rest.pop(0).lower()
        field = fields(schema).get(ALIASES.get(schema, {}).get(name, name))
        if field is None:
            return ""
        if field.table is None:
            return field.sensitivity if not rest or field.kind is Kind.MAP else ""
        schema = field.table
        if field.kind is Kind.NAMED:
            del rest[: 2 if schema is Streamer and rest[:1] == [PLATFORM] and len(rest) > 2 else 1]
    return ""


@cache
def sensitive_names(*wanted: Sensitivity) -> frozenset[str]:
    """The names of all keys of these sensitivities, other names of theirs included: for a file that may be wrong in
    any way."""
    schemas = {*tables().values(), *(field.table for field in fields(Config).values() if field.table is not None)}
    found = {name for schema in schemas for name, field in fields(schema).items() if field.sensitivity in wanted}
    return frozenset(found | {alias for names in ALIASES.values() for alias, name in names.items() if name in found})


def secrets_of(config: Config) -> set[str]:
    """Every secret and every header's value that the tables of fixed names hold."""
    found: set[str] = set()
    for path, schema in tables().items():
        table: Any = config
        for part in path:
            table = getattr(table, part)
        for field in fields(schema).values():
            value = getattr(table, field.name)
            if field.sensitivity == "secret":
                found.add(value)
            elif field.sensitivity == "headers":
                found |= set(value.values())
    return found
