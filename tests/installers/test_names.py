"""Names that were assumed stand in briefcase.toml; whatever must say them again says the same."""

from __future__ import annotations

import json
import re

from installers import APP, ROOT, merge, template
from itsjustintv_desktop.desktop import APP_ID

BRIEFCASE = merge.merged()["tool"]["briefcase"]
URL: str = BRIEFCASE["url"]
IMAGE = f"ghcr.io/{URL.removeprefix('https://github.com/').lower()}"
METAINFO = template.rendered(".metainfo.xml", release_date="2026-01-01")
# What is read by people and machines outside; tests make names up.
TEXTS = [
    path
    for where in (".github", "docs", "installers", "itsjustintv_desktop", "resources")
    for path in sorted((ROOT / where).rglob("*"))
    if path.suffix in {".md", ".yml", ".yaml", ".py", ".sh", ".ps1", ".toml", ".json", ".xml", ".1", ".service"}
] + [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "pyproject.toml")]


def test_the_ids_are_of_one_family() -> None:
    assert BRIEFCASE["app"][APP]["app_id"] == APP_ID
    assert APP_ID.startswith(f"{BRIEFCASE['bundle']}.")
    assert f'<developer id="{BRIEFCASE["bundle"]}">' in METAINFO
    assert f"<name>{BRIEFCASE['author']}</name>" in METAINFO
    for defaults in (ROOT / "installers" / "linux").rglob("cookiecutter.json"):
        assert json.loads(defaults.read_text())["app_id"] == APP_ID
        assert json.loads(defaults.read_text())["app_name"] == APP
    project = (ROOT / "pyproject.toml").read_text()
    assert f'authors = [{{ name = "{BRIEFCASE["author"]}" }}]' in project


def test_the_image_is_called_as_the_workflows_push_it() -> None:
    """They take the repository's own name. Which version it is must be said: the latest may be no release at all."""
    compose = (ROOT / "installers" / "container" / "compose.yaml").read_text()
    assert f"image: {IMAGE}:${{VERSION:?" in compose
    assert ":latest" not in compose


def test_no_other_repository_address_or_image_is_named() -> None:
    owner = URL.split("/")[3]
    assert TEXTS
    for path in TEXTS:
        text = path.read_text(encoding="utf-8")
        for found in re.findall(rf"https://github\.com/{owner}/[\w.-]+", text, re.IGNORECASE):
            assert found.removesuffix(".git").rstrip(".") == URL, path
        for found in re.findall(r"\bghcr\.io/[\w.-]+/[\w.-]+", text):
            assert found.rstrip(".") in {IMAGE, "ghcr.io/OWNER/NAME"}, path
        for found in re.findall(r"[\w.+-]+@users\.noreply\.github\.com", text):
            assert found == BRIEFCASE["author_email"], path
