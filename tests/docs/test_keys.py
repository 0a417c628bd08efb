"""Whatever page names a key of config.toml, or shows a piece of one: the key exists."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from itsjustintv_desktop.engine.config.fields import Kind, fields, tables
from itsjustintv_desktop.engine.config.schema import Config, Destination, Streamer

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
TABLES: dict[str, type[msgspec.Struct]] = {".".join(path): schema for path, schema in tables().items()}
NAMED: dict[str, type[msgspec.Struct]] = {"streamers": Streamer, "destinations": Destination}


def schema_of(table: str) -> type[msgspec.Struct] | None:
    return TABLES.get(table) or NAMED.get(table.split(".")[0])


def unknown(content: Mapping[str, Any], schema: type[msgspec.Struct], at: str = "") -> Iterator[str]:
    """Paths of a file that the schema does not have."""
    for name, value in content.items():
        field = fields(schema).get(name)
        if field is None:
            yield f"{at}{name}"
        elif field.kind is Kind.TABLE and field.table is not None:
            yield from unknown(value, field.table, f"{at}{name}.")
        elif field.kind is Kind.NAMED and field.table is not None:
            for key, inside in value.items():
                yield from unknown(inside, field.table, f"{at}{name}.{key}.")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_keys_that_the_text_names_exist(page: Path) -> None:
    text = " ".join(page.read_text(encoding="utf-8").split())
    for code in re.findall(r"`([^`]+)`", text):
        for table, key in re.findall(r"\[([a-z_.A-Z]+)\]`? `?([a-z_]+)\b", code):
            schema = schema_of(table)
            assert schema is not None, f"[{table}]"
            assert key in fields(schema), f"[{table}] {key}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pieces_of_a_config_use_keys_that_exist(page: Path) -> None:
    for block in re.findall(r"(?ms)^ *```toml\n(.*?)^ *```", page.read_text(encoding="utf-8")):
        assert list(unknown(tomllib.loads(block), Config)) == []


def test_a_key_that_does_not_exist_is_told() -> None:
    wrong = {"twitch": {"client": "x"}, "streamers": {"a": {"logn": "x"}}, "tls": {}}
    assert list(unknown(wrong, Config)) == ["twitch.client", "streamers.a.logn", "tls"]
