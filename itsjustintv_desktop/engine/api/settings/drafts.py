"""A config text that is being edited and not saved yet, seen as a form: what it says for each key, and with others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from itsjustintv_desktop.engine.api.settings.fields import changes_of
from itsjustintv_desktop.engine.config.fields import Kind, fields, tables
from itsjustintv_desktop.engine.config.load import BOM, read_toml
from itsjustintv_desktop.engine.config.read import name_in
from itsjustintv_desktop.engine.config.save import ConfigFile, apply
from itsjustintv_desktop.engine.config.schema import Config

_FILE = "config.toml"


def written(text: str) -> dict[tuple[str, ...], str]:
    """What the text itself says, as a person would type it, for every key outside of streamers and destinations.

    Keys it does not have are left out, and so are secrets and addresses. Raises ConfigError if it is no TOML.
    """
    data = read_toml(text, _FILE)
    found: dict[tuple[str, ...], str] = {}
    for path, schema in tables().items():
        for field in fields(schema).values():
            if field.kind is Kind.TABLE or field.hidden:
                continue
            value = _at(data, (*path, field.name))
            if value is not None:
                found[(*path, field.name)] = _typed(value)
    return found


def with_values(text: str, typed: Mapping[tuple[str, ...], str], path: Path, environ: Mapping[str, str]) -> str:
    """The text with these values, comments kept; an empty one takes the key out. Blocks.

    Raises ConfigError for a value that cannot be, or a text that is no TOML, UsageError where its layout does not allow
    it.
    """
    file = ConfigFile(path, environ, whole=True)
    file.replace(text)
    apply(file, changes_of(typed))
    return file.text.removeprefix(BOM).replace("\r\n", "\n")


def _at(data: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    """What stands at a path of the schema, however the file spells it; None for nothing."""
    content: Any = data
    schema: Any = Config
    for depth, part in enumerate(path, 1):
        if schema is None or not isinstance(content, dict):
            return None
        content = content.get(name_in(schema, content, part))
        schema = tables().get(path[:depth])
    return content


def _typed(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    return str(value)
