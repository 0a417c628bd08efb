"""`python -m tools.configuration [--check]`: every key of config.toml into docs/configuration.md, from the schema.

Words come from where the Settings page has them (`config/reference.py`), bounds from the rules. What stands outside the
two marks on the page is written by hand. With `--check` nothing is written; exit code 1 if the page is not up to date.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from itsjustintv_desktop.engine.api.settings.fields import typed
from itsjustintv_desktop.engine.config import environment
from itsjustintv_desktop.engine.config.fields import ALIASES, Field, Kind, fields, tables
from itsjustintv_desktop.engine.config.reference import AT_NEXT_START, HELP
from itsjustintv_desktop.engine.config.schema import Config, Destination, Streamer
from itsjustintv_desktop.engine.config.validators import NOT_USED, limits
from tools.configuration_words import ABOUT, DEFAULTS, EXAMPLES

PAGE = Path(__file__).parents[1] / "docs" / "configuration.md"
BEGIN = "<!-- every key: written by `make docs` from the schema, do not edit -->"
END = "<!-- /every key -->"

Path_ = tuple[str, ...]
Table = type[msgspec.Struct]
_NAMED: dict[str, tuple[Table, str]] = {"streamers": (Streamer, "KEY"), "destinations": (Destination, "NAME")}
_BARE = (Kind.BOOL, Kind.INT, Kind.NUMBER)


def every_table() -> list[tuple[Path_, Table]]:
    """All tables in the order of the schema; KEY and NAME stand for what the owner calls his own."""
    found: list[tuple[Path_, Table]] = []
    for name in fields(Config):
        if name in _NAMED:
            schema, placeholder = _NAMED[name]
            found.append(((name, placeholder), schema))
        else:
            found += [(path, schema) for path, schema in tables().items() if path[0] == name]
    return found


def generate() -> str:
    """All tables, as Markdown between the marks."""
    parts = [BEGIN, *(_section(path, schema) for path, schema in every_table()), END]
    return "\n\n".join(parts)


def _section(path: Path_, schema: Table) -> str:
    name = ".".join(path)
    lines = [f"## `[{name}]`", ""]
    if name in ABOUT:
        lines += [ABOUT[name], ""]
    lines += ["| key | what it does | value | default | environment |", "|---|---|---|---|---|"]
    lines += [_row(path, schema, field) for field in fields(schema).values() if field.kind is not Kind.TABLE]
    if name in EXAMPLES:
        lines += ["", "```toml", EXAMPLES[name].strip(), "```"]
    return "\n".join(lines)


def _row(path: Path_, schema: Table, field: Field) -> str:
    also = [f"`{alias}`" for alias, meant in ALIASES.get(schema, {}).items() if meant == field.name]
    key = " or ".join([f"`{field.name}`", *also])
    words = HELP[schema][field.name]
    if (*path, field.name) in AT_NEXT_START:
        words += " Takes effect at the next start."
    default = DEFAULTS.get(".".join((*path, field.name))) or _default(schema, field)
    cells = (key, words, _value(schema, field), default, _variable(path, field))
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _value(schema: Table, field: Field) -> str:
    if field.kind is Kind.CHOICE:
        return " or ".join(f'`"{choice}"`' for choice in field.choices)
    bounds = limits(schema, field.name)
    return f"{field.kind.value} {bounds}".rstrip()


def _default(schema: Table, field: Field) -> str:
    if field.name in NOT_USED.get(schema, {}):
        return "not used"
    text = typed(field, field.default)
    if field.kind is Kind.TEXTS:
        return f"`[{text}]`"
    if field.kind is Kind.MAP:
        return f"`{{{text}}}`"
    return f"`{text}`" if field.kind in _BARE else f'`"{text}"`'


def _variable(path: Path_, field: Field) -> str:
    if not field.is_scalar:
        return "only in the file"
    if path[0] in _NAMED:
        return f"`{environment.PREFIX}{path[0].upper()}_{path[1]}_{field.name.upper()}`"
    return f"`{environment.PREFIX}{'_'.join((*path, field.name)).upper()}`"


def renewed(page: str) -> str:
    """The page with what stands between the marks made anew. Raises ValueError where a mark is missing."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} lacks one of its marks: {BEGIN} and {END}")
    return head + generate() + tail


def main(arguments: list[str]) -> int:
    page = PAGE.read_text(encoding="utf-8")
    new = renewed(page)
    if new == page:
        return 0
    if "--check" in arguments:
        print(f"docs/{PAGE.name} is not up to date: run `make docs`", file=sys.stderr)
        return 1
    PAGE.write_text(new, encoding="utf-8", newline="\n")
    print(f"docs/{PAGE.name} is written anew")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
