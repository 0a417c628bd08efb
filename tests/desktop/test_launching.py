"""How the program is started again."""

from __future__ import annotations

from pathlib import Path

import pytest

from itsjustintv_desktop.desktop.launching import command, flatpak

PYTHON = str(Path("/opt/py thon/bin/python3").absolute())


def test_an_installed_command(tmp_path: Path) -> None:
    installed = tmp_path / "bin" / "itsjustintv-desktop"
    installed.parent.mkdir()
    installed.touch()
    assert command([str(installed)], executable=PYTHON, environ={}, frozen=False) == [str(installed)]


def test_on_windows_the_command_may_be_named_without_its_ending(tmp_path: Path) -> None:
    installed = tmp_path / "itsjustintv-desktop.exe"
    installed.touch()
    assert command([str(tmp_path / "itsjustintv-desktop")], executable=PYTHON, environ={}, frozen=False) == [
        str(installed)
    ]


def test_a_module(tmp_path: Path) -> None:
    started = [str(tmp_path / "itsjustintv_desktop" / "__main__.py"), "--hidden"]
    assert command(started, executable=PYTHON, environ={}, frozen=False) == [PYTHON, "-m", "itsjustintv_desktop"]


def test_a_bundle_and_an_app_image(tmp_path: Path) -> None:
    bundle, image = str(tmp_path / "App" / "itsjustintv"), str(tmp_path / "itsjustintv.AppImage")
    assert command(["x"], executable=bundle, environ={}, frozen=True) == [bundle]
    assert command(["x"], executable="/tmp/.mount_1/app", environ={"APPIMAGE": image}, frozen=True) == [image]
    # Another program's AppImage started this one: that is none of ours.
    assert command(["x"], executable=PYTHON, environ={"APPIMAGE": image}, frozen=False)[0] == PYTHON


def test_a_bundle_whose_stub_does_not_say_that_it_is_one(tmp_path: Path) -> None:
    started = str(tmp_path / "app" / "itsjustintv_desktop" / "__main__.py")
    for stub in (tmp_path / "itsjustintv.app" / "Contents" / "MacOS" / "itsjustintv", tmp_path / "itsjustintv.exe"):
        assert command([started], executable=str(stub), environ={}) == [str(stub)]
    for python in ("python3.13", "Python", "pythonw.exe"):
        assert command([started], executable=str(tmp_path / python), environ={})[1:] == ["-m", "itsjustintv_desktop"]


@pytest.mark.parametrize("given", [["--data-dir", "mine"], ["--data-dir=mine"]])
def test_whose_files_they_are_is_kept(given: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = command(["x", "--log-level", "debug", *given], executable=PYTHON, environ={}, frozen=False)
    assert made[3:] == ["--data-dir", str(tmp_path / "mine")]


FLATPAK = """[Application]
name=io.github.itsjustintv.Desktop
runtime=runtime/org.kde.Platform/x86_64/6.9

[Instance]
app-path={installation}/app/io.github.itsjustintv.Desktop/x86_64/0.1.0/0123abcd/files
flatpak-version=1.14.10
"""


@pytest.mark.parametrize("installation", ["/var/lib/flatpak", "/home/me/.local/share/flatpak"])
def test_a_flatpak_knows_how_the_machine_starts_it(tmp_path: Path, installation: str) -> None:
    info = tmp_path / ".flatpak-info"
    info.write_text(FLATPAK.replace("{installation}", installation))
    assert flatpak(info) == f"{installation}/exports/bin/io.github.itsjustintv.Desktop"


@pytest.mark.parametrize(
    "text", [None, "", "no ini", "[Application]\nname=x\n", "[Application]\nname=x\n[Instance]\napp-path=/x\n"]
)
def test_all_else_is_no_flatpak(tmp_path: Path, text: str | None) -> None:
    info = tmp_path / ".flatpak-info"
    if text is not None:
        info.write_text(text)
    assert flatpak(info) is None
