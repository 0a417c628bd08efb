import tomllib
from pathlib import Path

import pytest

from installers import APP, ROOT, merge
from itsjustintv_desktop import __version__
from itsjustintv_desktop.desktop import APP_ID

PYPROJECT = """
[project]
name = "itsjustintv-desktop"
requires-python = ">=3.11"
license = "MIT"
license-files = ["LICENSE"]
dependencies = ["aiohttp"]
dynamic = ["version"]
"""


def checkout(folder: Path, briefcase: str) -> Path:
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / "briefcase.toml").write_text(briefcase)
    (folder / "itsjustintv_desktop").mkdir()
    (folder / "itsjustintv_desktop" / "__init__.py").write_text('"""It."""\n\n__version__ = "3.2.1"\n')
    return folder


def test_both_files_become_one_that_briefcase_can_read(tmp_path: Path) -> None:
    merge.write(tmp_path / "merged.toml", python="3.11", release_date="2026-12-01")
    made = tomllib.loads((tmp_path / "merged.toml").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert made["project"]["version"] == __version__
    assert made["project"]["license"] == project["license"]
    assert "dynamic" not in made["project"], "Briefcase would build the project to learn its version"
    assert "dependencies" not in made["project"], "Briefcase would install them without their hashes"
    app = made["tool"]["briefcase"]["app"][APP]
    assert app["release_date"] == "2026-12-01"
    assert app["app_id"] == APP_ID
    assert "python3.11" in app["linux"]["system"]["debian"]["system_runtime_requires"]


def test_what_is_named_exists() -> None:
    app = merge.merged()["tool"]["briefcase"]["app"][APP]
    assert "python" not in str(app["linux"]["system"]["debian"])
    for path in [*app["sources"], app["linux"]["system"]["template"], app["requirement_installer_args"][-1]]:
        assert (ROOT / path).exists(), path
    assert "--require-hashes" in app["requirement_installer_args"]


@pytest.mark.parametrize("more", ["[project]\nname = 'x'", "[tool.ruff]\nline-length = 3"])
def test_other_tables_in_briefcase_toml_are_refused(tmp_path: Path, more: str) -> None:
    root = checkout(tmp_path, f"[tool.briefcase.app.{APP}]\n{more}\n")
    with pytest.raises(ValueError, match="only"):
        merge.merged(root)


@pytest.mark.parametrize("table", ["tool.briefcase", f"tool.briefcase.app.{APP}"])
def test_what_pyproject_says_is_not_said_twice(tmp_path: Path, table: str) -> None:
    root = checkout(tmp_path, f"[tool.briefcase.app.{APP}]\nformal_name = 'x'\n")
    merge.merged(root)
    other = "" if table.endswith(APP) else f"[tool.briefcase.app.{APP}]\n"
    (root / "briefcase.toml").write_text(f"[{table}]\nversion = '1'\n{other}")
    with pytest.raises(ValueError, match="version"):
        merge.merged(root)


def test_a_version_that_is_nowhere_is_an_error(tmp_path: Path) -> None:
    root = checkout(tmp_path, f"[tool.briefcase.app.{APP}]\n")
    (root / "itsjustintv_desktop" / "__init__.py").write_text("")
    with pytest.raises(ValueError, match="__version__"):
        merge.merged(root)
