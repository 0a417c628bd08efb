"""`make lint-packaging` finds what it is there to find."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from installers import ROOT, lint
from installers import template as templates
from tests.installers.test_notices import package
from tests.keyring_session import require_program


@pytest.fixture
def template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str, str], None]:
    """A copy of the template in which one text of a file is another."""
    copy = tmp_path / "template"
    shutil.copytree(templates.DEB, copy)
    real = templates.rendered
    monkeypatch.setattr(templates, "rendered", lambda end, **more: real(end, copy, **more))

    def changed(end: str, old: str, new: str) -> None:
        (path,) = copy.rglob(f"*{end}")
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    return changed


def test_menu_entry_and_metainfo_are_well(tmp_path: Path) -> None:
    require_program("desktop-file-validate", "desktop-file-utils")
    require_program("appstreamcli", "appstream")
    assert list(lint.validated(tmp_path)) == []


@pytest.mark.parametrize(
    ("end", "old", "new", "program"),
    [
        (".desktop", "Categories=Network;", "Categories=Gossip;", "desktop-file-validate"),
        (".desktop", "Exec={{ cookiecutter.app_name }}\n", "Exec=%q\n", "desktop-file-validate"),
        (".metainfo.xml", "<summary>", "<sumary>", "appstreamcli"),
        (".metainfo.xml", "<metadata_license>CC0-1.0</metadata_license>", "", "appstreamcli"),
    ],
)
def test_a_fault_in_them_is_found(
    template: Callable[[str, str, str], None], tmp_path: Path, end: str, old: str, new: str, program: str
) -> None:
    require_program("desktop-file-validate", "desktop-file-utils")
    require_program("appstreamcli", "appstream")
    template(end, old, new)
    assert [each.split(":")[0] for each in lint.validated(tmp_path)] == [program]


def test_a_field_that_nobody_fills_is_an_error(template: Callable[[str, str, str], None]) -> None:
    template(".desktop", "{{ cookiecutter.app_name }}", "{{ cookiecutter.nothing }}")
    with pytest.raises(KeyError, match="nothing"):
        templates.rendered(".desktop")


def test_every_bundled_package_has_a_licence_and_is_fast() -> None:
    assert list(lint.licences()) == []
    assert list(lint.fast()) == []


def test_a_package_without_a_licence_or_of_another_version_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path, "bare", "License-Expression: MIT")
    (tmp_path / "bare-1.0.dist-info" / "RECORD").write_text("bare-1.0.dist-info/METADATA,,\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    lock = tmp_path / "lock.txt"
    lock.write_text("bare==1.0 \\\n    --hash=sha256:0\nmissing==2.0 \\\nforeign==3.0 ; sys_platform == 'plan9' \\\n")
    found = list(lint.licences(lock))
    assert found == [
        "bare 1.0 ships no licence text. Add one to installers/licences/.",
        "missing is in lock.txt and not installed here, so its licence was not looked at",
    ]
    lock.write_text("bare==1.1 \\\n")
    assert "bare 1.0 is installed, and lock.txt wants 1.1" in list(lint.licences(lock))


def test_a_script_with_a_fault_is_found(tmp_path: Path) -> None:
    require_program("shellcheck", "shellcheck")
    assert list(lint.scripts()) == []
    script = tmp_path / "it.sh"
    script.write_text("#!/bin/sh\nrm -rf $1/*\n")
    assert "SC2086" in next(lint.said("shellcheck", str(script)))


def test_a_missing_program_is_a_fault_in_ci_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CI", raising=False)
    assert list(lint.said("no-such-program")) == []
    assert "left out" in capsys.readouterr().out
    monkeypatch.setenv("CI", "true")
    assert list(lint.said("no-such-program")) == ["no-such-program is not installed (make system-deps)"]


def test_make_check_does_it() -> None:
    makefile = (ROOT / "Makefile").read_text()
    (line,) = [line for line in makefile.splitlines() if line.startswith("check:")]
    assert {"lint-workflows", "lint-packaging"} <= set(line.split("##")[0].split())
