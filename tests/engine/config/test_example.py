"""The example config: complete, right, and there wherever the program runs from."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import pytest

from itsjustintv_desktop.engine.config.durations import render
from itsjustintv_desktop.engine.config.fields import Field, Kind, fields, tables
from itsjustintv_desktop.engine.config.load import parse
from itsjustintv_desktop.engine.config.reference import example
from itsjustintv_desktop.engine.config.schema import Config, Destination, Streamer

ROOT = Path(__file__).parents[3]
NOT_DEFAULTS = {("destinations", "friends", "url"), ("streamers", "shroud", "login")}


def with_every_setting() -> str:
    return re.sub(r"(?m)^#(?=\[|[a-z_]+ = )", "", example())


def test_as_it_is_it_changes_nothing() -> None:
    loaded = parse(example(), file="example", environ={})
    assert loaded.config == Config()
    assert loaded.warnings == ()
    assert loaded.notices == ()


def test_with_every_setting_taken_in_it_still_loads() -> None:
    loaded = parse(with_every_setting(), file="example", environ={})
    assert loaded.warnings == ()
    assert loaded.notices == ()
    assert loaded.secrets_in_clear == ()
    bare = msgspec.structs.replace(loaded.config, streamers={}, destinations={})
    assert bare == Config()


EVERY_TABLE = [*tables().items(), (("streamers", "shroud"), Streamer), (("destinations", "friends"), Destination)]


@pytest.mark.parametrize(("path", "table"), EVERY_TABLE, ids=[".".join(path) for path, _ in EVERY_TABLE])
def test_it_has_every_key_with_its_default_and_explains_it(path: tuple[str, ...], table: type[msgspec.Struct]) -> None:
    data = tomllib.loads(with_every_setting())
    for part in path:
        data = data[part]
    for field in fields(table).values():
        if field.kind is Kind.TABLE:
            continue
        assert field.name in data
        if (*path, field.name) not in NOT_DEFAULTS:
            assert data[field.name] == as_in_the_file(field)
        for choice in field.choices:
            assert f'"{choice}"' in example()


def as_in_the_file(field: Field) -> Any:
    if field.kind is Kind.DURATION:
        return render(field.default)
    return list(field.default) if field.kind is Kind.TEXTS else field.default


def test_no_line_is_wider_than_a_terminal_of_an_editor() -> None:
    assert max(len(line) for line in example().splitlines()) <= 120
    assert example().isascii()


def test_it_is_found_in_a_zip(tmp_path: Path) -> None:
    archive = tmp_path / "app.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for name in ("", "engine/", "engine/config/", "engine/delivery/"):
            file.writestr(f"itsjustintv_desktop/{name}__init__.py", "")
        for path in ("config/reference.py", "config/schema.py", "delivery/formats/*.py"):
            for found in (ROOT / "itsjustintv_desktop" / "engine").glob(path):
                file.write(found, found.relative_to(ROOT))
        file.write(ROOT / "resources" / "config.example.toml", "itsjustintv_desktop/resources/config.example.toml")
    script = (
        f"import sys; sys.path.insert(0, {str(archive)!r})\n"
        "from itsjustintv_desktop.engine.config import reference\n"
        f"assert {str(archive)!r} in reference.__file__\n"
        "sys.stdout.write(reference.example())\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=False, cwd=tmp_path
    )
    assert run.stderr == ""
    assert run.stdout == example()
