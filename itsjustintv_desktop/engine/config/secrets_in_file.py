"""Which secrets stand in the file itself, where whoever reads the file reads them.

Found in the tables as the file has them, before the environment is laid over: a key that a variable also sets still
stands in the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from itsjustintv_desktop.engine import redaction
from itsjustintv_desktop.engine.config.addresses import has_credentials
from itsjustintv_desktop.engine.config.build import streamer_paths
from itsjustintv_desktop.engine.config.fields import Field, Kind, fields, sensitive_names, tables
from itsjustintv_desktop.engine.config.notation import Path
from itsjustintv_desktop.engine.config.read import name_in
from itsjustintv_desktop.engine.config.schema import KEYRING, Config, Destination, Network, Streamer
from itsjustintv_desktop.engine.delivery import formats

_CREDENTIAL_HEADER = re.compile(r"auth|token|secret|key|cookie|passw|signature", re.IGNORECASE)

_SECRET_ENDINGS = ("secret", "token", "password")
_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class InClear:
    """Paths of the file, in the order of the schema."""

    movable: tuple[Path, ...]
    fixed: tuple[Path, ...]
    """Headers that look like credentials, and a proxy's password: only the file (or the environment) can hold them."""


def find(raw: Mapping[str, Any]) -> InClear:
    """Look through the tables of a file. Never raises for bad input: what is wrong is said elsewhere."""
    movable: list[Path] = []
    fixed: list[Path] = []
    for schema, path, table in _tables(raw):
        for field in fields(schema).values():
            name = name_in(schema, table, field.name)
            value = table.get(name)
            if schema is Network and isinstance(value, str) and has_credentials(_with_scheme(value.strip())):
                fixed.append((*path, name))
            elif isinstance(value, str) and _is_secret(field, value.strip()):
                movable.append((*path, name))
            elif field.kind is Kind.MAP and isinstance(value, Mapping):
                fixed += [(*path, name, header) for header in value if _CREDENTIAL_HEADER.search(header)]
    return InClear(tuple(movable), tuple(fixed))


def _tables(raw: Mapping[str, Any]) -> Iterator[tuple[type[msgspec.Struct], Path, Mapping[str, Any]]]:
    """Every table with its schema and its path in the file."""
    for known in tables():
        if len(known) == 1:
            yield from _existing(tables()[known], raw, (name_in(Config, raw, known[0]),))
    top = name_in(Config, raw, "streamers")
    streamers = raw.get(top)
    if isinstance(streamers, Mapping):
        for inside in streamer_paths(streamers).values():
            yield from _existing(Streamer, raw, (top, *inside))
    top = name_in(Config, raw, "destinations")
    destinations = raw.get(top)
    if isinstance(destinations, Mapping):
        for name in destinations:
            yield from _existing(Destination, raw, (top, name))


def _existing(
    schema: type[msgspec.Struct], raw: Mapping[str, Any], path: Path
) -> Iterator[tuple[type[msgspec.Struct], Path, Mapping[str, Any]]]:
    content: Any = raw
    for part in path:
        content = content.get(part) if isinstance(content, Mapping) else None
    if isinstance(content, Mapping):
        yield schema, path, content


def _with_scheme(address: str) -> str:
    return address if "://" in address else f"http://{address}"


def _is_secret(field: Field, value: str) -> bool:
    if not value or value == KEYRING:
        return False
    # The addresses of services such as Discord are secrets themselves: who has one can post.
    if field.sensitivity == "destination":
        return formats.recognised(value) is not None or has_credentials(value)
    return field.sensitivity == "secret"


def learn(raw: Mapping[str, Any], depth: int = 0) -> None:
    """Teach `redaction` every secret, address and header in these tables, wherever it stands: a config may be wrong in
    any way, so names decide here, and not the schema's places."""
    for name, value in raw.items():
        key = name.lower()
        if isinstance(value, str):
            if key in sensitive_names("secret") or key.endswith(_SECRET_ENDINGS):
                redaction.learn(value.strip())
            elif key in sensitive_names("destination", "address"):
                redaction.learn_address(value.strip())
        elif isinstance(value, Mapping):
            if key in sensitive_names("headers"):
                for content in value.values():
                    if isinstance(content, str):
                        redaction.learn_header(content)
            elif depth < _DEEPEST:
                learn(value, depth + 1)
