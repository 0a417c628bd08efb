"""What the schema says of each key: its kind, its default, and whether its value is a secret."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args, get_origin

import msgspec

from itsjustintv_desktop.engine.config.schema import Config, Destination


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
_HIDDEN = frozenset(
    {
        "client_secret",
        "webhook_secret",
        "target_webhook_secret",
        "secret",
        "authtoken",
        "url",
        "target_webhook_url",
        "incoming_webhook_url",
        "directory_url",
        "endpoint",
        "headers",
    }
)
"""Never shown: secrets, and addresses, whose path or query often is one."""
_HASHINGS: tuple[str, ...] = get_args(
    next(info.type for info in msgspec.structs.fields(Destination) if info.name == "hashing")
)
_SCALARS = {bool: Kind.BOOL, int: Kind.INT, str: Kind.TEXT}


@dataclass(frozen=True, slots=True)
class Field:
    """One key of one table."""

    name: str
    kind: Kind
    default: Any
    choices: tuple[str, ...] = ()
    table: type[msgspec.Struct] | None = None
    """The schema of a TABLE, or of each of the tables of a NAMED."""

    @property
    def hidden(self) -> bool:
        """Whether its value may never appear in a message."""
        return self.name in _HIDDEN

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
        found[info.name] = _field(info.name, info.type, default)
    return found


def _field(name: str, annotation: Any, default: Any) -> Field:
    origin = get_origin(annotation)
    if name == "target_webhook_hashing":
        return Field(name, Kind.CHOICE, default, choices=_HASHINGS)
    if origin is Literal:
        return Field(name, Kind.CHOICE, default, choices=get_args(annotation))
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
