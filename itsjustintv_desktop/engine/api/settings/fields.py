"""Every key of the config as a field of a form: kind, default, help. From the schema and its rules alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from itsjustintv_desktop.engine.config import environment, values
from itsjustintv_desktop.engine.config.durations import render
from itsjustintv_desktop.engine.config.fields import Field, Kind, fields, tables
from itsjustintv_desktop.engine.config.notation import Value, dotted
from itsjustintv_desktop.engine.config.problems import Mistake
from itsjustintv_desktop.engine.config.reference import AT_NEXT_START, HELP
from itsjustintv_desktop.engine.config.save import Change, Remove, Set
from itsjustintv_desktop.engine.config.schema import Config, Destination, Streamer
from itsjustintv_desktop.engine.config.validators import NOT_USED, RULES
from itsjustintv_desktop.engine.core.errors import ConfigError, UsageError

FieldKind = Literal["text", "number", "duration", "bool", "choice", "list", "secret", "address", "table"]
ANY = "*"
"""Stands in a path for a streamer's key or a destination's name."""

_KINDS: dict[Kind, FieldKind] = {
    Kind.BOOL: "bool",
    Kind.INT: "number",
    Kind.NUMBER: "number",
    Kind.DURATION: "duration",
    Kind.TEXT: "text",
    Kind.CHOICE: "choice",
    Kind.TEXTS: "list",
    Kind.MAP: "table",
}
_NAMED: dict[str, type[msgspec.Struct]] = {"streamers": Streamer, "destinations": Destination}


class FieldInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One key. `path` has `*` for the name of a streamer or destination.

    `default` is as a person would type it. `value` is what is in force now, typed the same way, None for secrets,
    addresses, tables of headers and fields of named tables. `environment` names the variable that overrides it now.
    """

    path: tuple[str, ...]
    kind: FieldKind
    help: str
    default: str = ""
    choices: tuple[str, ...] = ()
    optional: bool = False
    """Left out, it follows from something else."""
    unused: bool = False
    """A key of the Go service that does nothing here."""
    at_next_start: bool = False
    environment: str = ""
    value: str | None = None


def all_fields(config: Config, environ: Mapping[str, str]) -> tuple[FieldInfo, ...]:
    """Every key of every table, in the order of the schema."""
    return tuple(
        _info((*path, field.name), schema, field, config, environ)
        for path, schema in _schemas()
        for field in fields(schema).values()
        if field.kind is not Kind.TABLE
    )


def parse(path: tuple[str, ...], text: str) -> Value | None:
    """What a typed text comes to as a value for the file (`Set`); None: take the key out, its default holds.

    See `values.from_text`. Raises Mistake, and UsageError for a key that does not exist.
    """
    schema, field = _field(path)
    value: Value = values.from_text(field, text) if text.strip() else ""
    if value in ("", [], {}):
        return None
    converted = values.convert(field, value)
    rule = RULES.get(schema, {}).get(field.name)
    if rule is not None and converted is not None:
        rule(converted, lambda _: None)
    return value


def problem_of(path: tuple[str, ...], text: str) -> str | None:
    """Why a typed text cannot be the value of a key, as a sentence; None if it can."""
    try:
        parse(path, text)
    except Mistake as mistake:
        sentence = str(mistake)
        return f"{sentence[:1].upper()}{sentence[1:]}."
    return None


def typed(field: Field, value: Any) -> str:
    """A value the way a person types it."""
    if value is None:
        return ""
    if field.kind is Kind.BOOL:
        return "true" if value else "false"
    if field.kind is Kind.DURATION:
        return render(value)
    if field.kind is Kind.TEXTS:
        return ", ".join(value)
    if field.kind is Kind.MAP:
        return "\n".join(f"{name}: {content}" for name, content in value.items())
    return f"{value:g}" if field.kind is Kind.NUMBER else str(value)


def _schemas() -> Iterator[tuple[tuple[str, ...], type[msgspec.Struct]]]:
    for name in fields(Config):
        if name in _NAMED:
            yield (name, ANY), _NAMED[name]
        else:
            for path, schema in tables().items():
                if path[0] == name:
                    yield path, schema


def _info(
    path: tuple[str, ...], schema: type[msgspec.Struct], field: Field, config: Config, environ: Mapping[str, str]
) -> FieldInfo:
    kind: FieldKind = _KINDS[field.kind]
    if kind == "text" and field.hidden:
        kind = "secret" if field.sensitivity == "secret" else "address"
    is_named = ANY in path
    return FieldInfo(
        path=path,
        kind=kind,
        help=HELP[schema][field.name],
        default=typed(field, field.default),
        choices=field.choices,
        optional=path in {("destinations", ANY, "format"), ("twitch", "webhook_secret"), ("server", "listen_addr")},
        unused=field.name in NOT_USED.get(schema, {}),
        at_next_start=path in AT_NEXT_START,
        environment="" if is_named else _variable(path, environ),
        value=None if is_named or field.hidden else typed(field, _in_force(config, path)),
    )


def _variable(path: tuple[str, ...], environ: Mapping[str, str]) -> str:
    """The variable that sets this key now."""
    for variable, (target, _) in environment.names().items():
        if target == path:
            alias = next((one for one, other in environment.ALIASES.items() if other == variable), "")
            return next((one for one in (variable, alias) if one and environ.get(one, "").strip()), "")
    return ""


def _in_force(config: Config, path: tuple[str, ...]) -> Any:
    content: Any = config
    for part in path:
        content = getattr(content, part)
    return content


def _field(path: tuple[str, ...]) -> tuple[type[msgspec.Struct], Field]:
    schema = _NAMED[path[0]] if len(path) == 3 and path[0] in _NAMED else tables().get(path[:-1])
    field = fields(schema).get(path[-1]) if schema is not None else None
    if schema is None or field is None or field.kind is Kind.TABLE:
        raise UsageError(f"There is no setting {dotted(path)}.")
    return schema, field


def changes_of(typed: Mapping[tuple[str, ...], str]) -> list[Change]:
    """Changes for what was typed into several fields. Raises ConfigError naming each that cannot be."""
    changes: list[Change] = []
    problems: list[str] = []
    for path, text in typed.items():
        try:
            value = parse(path, text)
        except Mistake as mistake:
            problems.append(f"{dotted(path)}: {mistake}")
            continue
        changes.append(Remove(path) if value is None else Set(path, value))
    if problems:
        raise ConfigError(problems)
    return changes
