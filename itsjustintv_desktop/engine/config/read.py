"""One table of the file against its schema: types, rules, unknown keys. Everything wrong goes into the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from itsjustintv_desktop.engine.config import values
from itsjustintv_desktop.engine.config.fields import ALIASES, Field, Kind, fields, tables
from itsjustintv_desktop.engine.config.notation import Path, dotted, quoted
from itsjustintv_desktop.engine.config.problems import Mistake, Report
from itsjustintv_desktop.engine.config.schema import Destination, Streamer
from itsjustintv_desktop.engine.config.validators import NOT_USED, RULES

_OLD_NAMES: dict[type[msgspec.Struct], dict[str, str]] = {
    Streamer: {"hmac_secret": "target_webhook_secret", "url": "target_webhook_url"},
    Destination: {
        "target_webhook_url": "url",
        "webhook_url": "url",
        "target_webhook_secret": "secret",
        "target_webhook_header": "header",
        "target_webhook_hashing": "hashing",
    },
}
"""Names that near-match search would not lead to the right key."""


@dataclass(slots=True)
class Table:
    """What one table sets: values by the schema's names, and the names the file uses for them."""

    path: Path
    values: dict[str, Any] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def at(self, name: str) -> Path:
        """The path in the file of a key of the schema."""
        return (*self.path, self.names.get(name, name))


def name_in(schema: type[msgspec.Struct], table: Mapping[str, Any], name: str) -> str:
    """How the table spells a key of the schema: as it is, by an alias, or in other letter case (as Go accepts)."""
    if name in table:
        return name
    known = {name, *(alias for alias, target in ALIASES.get(schema, {}).items() if target == name)}
    return next((key for key in table if key.lower() in known), name)


def read_table(schema: type[msgspec.Struct], raw: Mapping[str, Any], path: Path, report: Report) -> Table:
    """Every key of the schema that the table sets, tables within it included. Never raises for bad input."""
    table = Table(path)
    used: set[str] = set()
    for known in fields(schema).values():
        name = name_in(schema, raw, known.name)
        if name not in raw:
            continue
        used.add(name)
        table.names[known.name] = name
        if name != known.name and name not in ALIASES.get(schema, {}):
            report.warn((*path, name), f"understood as {known.name}; write it that way")
        value = _read_value(schema, known, raw[name], (*path, name), report)
        if value is not None:
            table.values[known.name] = value
    for name in raw:
        if name not in used:
            report.warn((*path, name), unknown(schema, name))
    return table


def _read_value(schema: type[msgspec.Struct], known: Field, raw: Any, path: Path, report: Report) -> Any:
    try:
        value = values.convert(known, raw)
        if value is None:
            return None
        if known.kind is Kind.TABLE and known.table is not None:
            return known.table(**read_table(known.table, value, path, report).values)
        rule = RULES.get(schema, {}).get(known.name)
        if rule is not None:
            value = rule(value, lambda sentence: report.warn(path, sentence))
    except Mistake as mistake:
        report.error(path, str(mistake))
        return None
    notice = NOT_USED.get(schema, {}).get(known.name)
    if notice is not None:
        report.notice(path, notice)
    return value


def unknown(schema: type[msgspec.Struct], name: str) -> str:
    """What to say of a key that the schema does not have."""
    candidates = tuple(fields(schema))
    guess = _OLD_NAMES.get(schema, {}).get(name.lower()) or values.closest(name, candidates)
    if guess:
        return f"unknown key, ignored; did you mean {guess}?"
    elsewhere = [
        dotted(path)
        for path, table in tables().items()
        if name in fields(table) and fields(table)[name].kind is not Kind.TABLE
    ]
    if len(elsewhere) == 1:
        return f"unknown key, ignored; {name} belongs into [{elsewhere[0]}]"
    return f"unknown key, ignored; known here: {', '.join(candidates)}"


def unfit_name(name: str) -> str | None:
    """Why a streamer's key or a destination's name cannot be one; None if it can."""
    if not name.strip():
        return "the name is empty; give it one"
    if len(name) > 100 or not name.isprintable():
        return "the name is too long or holds control characters; use a short plain one"
    if "://" in name:
        return f"an address cannot be a name; use a short plain one, such as {quoted('friends')}"
    return None
