import sys
from pathlib import Path

import aiohttp
import pytest

from installers import finish


def test_the_fast_parser_is_asserted(tmp_path: Path) -> None:
    here = Path(aiohttp.__file__).parents[1]
    finish.prove(here)
    # The same packages, but aiohttp without its compiled parts: it would work, slowly.
    for each in here.iterdir():
        if each.name != "aiohttp":
            (tmp_path / each.name).symlink_to(each)
    (tmp_path / "aiohttp").mkdir()
    for each in (here / "aiohttp").iterdir():
        if not each.name.startswith("_http_parser."):
            (tmp_path / "aiohttp" / each.name).symlink_to(each)
    with pytest.raises(RuntimeError, match="aiohttp parses in Python"):
        finish.prove(tmp_path)


def test_a_bundle_without_its_packages_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="0 folders"):
        finish.site_packages(tmp_path)


def test_all_modules_are_compiled_for_where_they_will_lie(tmp_path: Path) -> None:
    packages = tmp_path / "bookworm" / "it-1" / "usr" / "lib" / "it" / "lib" / "python3" / "site-packages"
    for name in (packages / "aiohttp" / "__init__.py", packages.parents[2] / "app" / "it.py"):
        name.parent.mkdir(parents=True)
        name.write_text("def f():\n    raise ValueError\n")
    finish.compile_all(tmp_path)
    (compiled,) = (packages.parents[2] / "app" / "__pycache__").iterdir()
    assert b"/usr/lib/it/app/it.py" in compiled.read_bytes()
    assert str(tmp_path).encode() not in compiled.read_bytes()


def test_every_file_gets_the_time_of_what_is_built(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for name in ("one", "folder/two"):
        (tmp_path / name).touch()
    finish.date(tmp_path, 1_700_000_000)
    assert {path.stat().st_mtime for path in tmp_path.rglob("*")} == {1_700_000_000}


@pytest.mark.skipif(sys.platform == "win32", reason="a path of Linux")
def test_a_module_that_does_not_compile_stops_the_build(tmp_path: Path) -> None:
    packages = tmp_path / "usr" / "lib" / "it" / "lib" / "python3" / "site-packages"
    (packages / "aiohttp").mkdir(parents=True)
    (packages / "aiohttp" / "__init__.py").write_text("def (:")
    with pytest.raises(RuntimeError, match="does not compile"):
        finish.compile_all(tmp_path)
