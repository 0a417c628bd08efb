"""docs/configuration.md: nothing of the schema is left out, nothing on it is stale, every example works."""

from __future__ import annotations

import re

import msgspec
import pytest

from itsjustintv_desktop.engine.config import environment
from itsjustintv_desktop.engine.config.fields import Kind, fields, tables
from itsjustintv_desktop.engine.config.load import parse
from itsjustintv_desktop.engine.config.reference import HELP
from itsjustintv_desktop.engine.config.schema import Config, Destination, Server, Streamer
from tools import configuration
from tools.configuration_words import ABOUT, DEFAULTS, EXAMPLES

PAGE = configuration.PAGE.read_text(encoding="utf-8")


def section(name: str) -> str:
    found = re.search(rf"(?ms)^## `\[{re.escape(name)}\]`$(.*?)(?=^## |\Z)", PAGE)
    assert found, f"the page has no section [{name}]: run `make docs`"
    return found.group(1)


ALL: list[tuple[str, type[msgspec.Struct]]] = [
    *((".".join(path), schema) for path, schema in tables().items()),
    ("streamers.KEY", Streamer),
    ("destinations.NAME", Destination),
]


@pytest.mark.parametrize(("name", "schema"), ALL, ids=[name for name, _ in ALL])
def test_every_key_has_a_row_with_the_help_of_the_settings_page(name: str, schema: type[msgspec.Struct]) -> None:
    rows = {row.split("`")[1]: row for row in section(name).splitlines() if row.startswith("| `")}
    keys = {field.name for field in fields(schema).values() if field.kind is not Kind.TABLE}
    assert set(rows) == keys
    for key in keys:
        assert HELP[schema][key] in rows[key]
        if fields(schema)[key].is_scalar:
            assert f"`ITSJUSTINTV_{name.upper().replace('.', '_')}_{key.upper()}`" in rows[key]


def test_every_table_of_the_config_has_a_section() -> None:
    assert {name.split(".")[0] for name, _ in ALL} == set(fields(Config))


def test_it_is_as_the_schema_has_it_now() -> None:
    assert configuration.renewed(PAGE) == PAGE, "run `make docs`"


def test_a_stale_page_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(HELP, Server, {**HELP[Server], "port": "Another sentence."})
    assert configuration.main(["--check"]) == 1
    assert "make docs" in capsys.readouterr().err
    assert configuration.PAGE.read_text(encoding="utf-8") == PAGE


def test_a_page_without_the_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="marks"):
        configuration.renewed("# Configuration\n")


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_loads_without_a_word(name: str) -> None:
    loaded = parse(EXAMPLES[name], file="example", environ={})
    assert (loaded.warnings, loaded.notices) == ((), ())
    assert f"[{name.split('.')[0]}" in EXAMPLES[name]


def test_words_are_about_tables_and_keys_that_exist() -> None:
    names = dict(ALL)
    assert set(ABOUT) <= set(names)
    assert set(EXAMPLES) <= set(names)
    for path in DEFAULTS:
        table, _, key = path.rpartition(".")
        assert key in fields(names[table]), path


def test_variables_that_are_no_keys_are_explained() -> None:
    for variable in (*environment.OTHERS, *environment.ALIASES, *environment.ALIASES.values(), *environment._BARE):
        assert f"`{variable}`" in PAGE


def test_bounds_and_choices_are_told() -> None:
    assert "a whole number from 0 to 65535" in section("server")
    assert 'a duration from "1s" to "24h", or "0s" to turn it off' in section("twitch")
    assert '`"x-hub"` or `"standard-webhooks"`' in section("destinations.NAME")
