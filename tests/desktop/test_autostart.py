"""Starting with the machine, on each platform."""

from __future__ import annotations

import ctypes.util
import os
import plistlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsjustintv_desktop.desktop import autostart, launching
from itsjustintv_desktop.desktop.autostart import LaunchAgent, RunKey, XdgAutostart, exec_line
from itsjustintv_desktop.desktop.registry import APPROVED, RUN
from itsjustintv_desktop.engine.core.errors import AppError

COMMAND = ['/opt/my $tuff/100% "so"/itsjustintv-desktop', "--hidden"]


def unquoted(line: str) -> list[str]:
    """As a desktop reads `Exec`: the string's escapes, then quotes, then field codes."""
    text = line.replace("\\\\", "\\")
    parts = re.findall(r'"((?:[^"\\`$]|\\.)*)"(?: |$)', text)
    return [re.sub(r"\\(.)", r"\1", part).replace("%%", "%") for part in parts]


@pytest.fixture
def xdg(tmp_path: Path) -> XdgAutostart:
    return XdgAutostart(COMMAND, {"XDG_CONFIG_HOME": str(tmp_path)})


def test_linux_on_and_off(xdg: XdgAutostart) -> None:
    assert not xdg.is_on()
    xdg.set_on(False)
    for _ in range(2):
        xdg.set_on(True)
        assert xdg.is_on()
    assert [each.name for each in xdg.path.parent.iterdir()] == ["io.github.itsjustintv.Desktop.desktop"]
    xdg.set_on(False)
    assert not xdg.is_on()
    assert list(xdg.path.parent.iterdir()) == []


def test_linux_what_is_started(xdg: XdgAutostart) -> None:
    xdg.set_on(True)
    (line,) = [line for line in xdg.path.read_text().splitlines() if line.startswith("Exec=")]
    assert unquoted(line.removeprefix("Exec=")) == COMMAND
    validate = shutil.which("desktop-file-validate")
    if validate:
        done = subprocess.run([validate, xdg.path], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.skipif(sys.platform != "linux", reason="GLib reads it there")
@pytest.mark.parametrize("name", ["it", "my $tuff", "100%", "back\\slash", "at its end ", 'so "called"'])
def test_linux_a_removed_program_is_passed_over(tmp_path: Path, name: str) -> None:
    """By GLib, with which GNOME and Xfce read such files: it refuses an entry whose program is not there."""
    gio = ctypes.util.find_library("gio-2.0")
    if gio is None:
        pytest.skip("GLib is not on this machine (make system-deps)")
    program = tmp_path / name
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    one = XdgAutostart([str(program), "--hidden"], {"XDG_CONFIG_HOME": str(tmp_path)})
    one.set_on(True)
    # GLib looks for the program of Exec too, unless it has a %: this is about TryExec, which all desktops look at.
    one.path.write_text(re.sub("^Exec=.*$", "Exec=/bin/true", one.path.read_text(), flags=re.MULTILINE))
    script = (
        "import ctypes, sys; gio = ctypes.CDLL(sys.argv[1]); gio.g_desktop_app_info_new_from_filename.restype = "
        "ctypes.c_void_p; print(bool(gio.g_desktop_app_info_new_from_filename(sys.argv[2].encode())))"
    )

    def read() -> str:
        words = [sys.executable, "-c", script, gio, str(one.path)]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()

    assert read() == "True"
    program.unlink()
    assert read() == "False"


@given(st.lists(st.text(st.characters(exclude_categories=("C", "Z"), include_characters=" "), min_size=1), min_size=1))
def test_any_path_comes_back_as_it_was(command: list[str]) -> None:
    assert unquoted(exec_line(command)) == command


def test_no_line_can_be_smuggled_in() -> None:
    with pytest.raises(AppError, match="control character"):
        exec_line(["/opt/a\nExec=evil"])


@pytest.mark.parametrize("line", ["Hidden=true", "X-GNOME-Autostart-enabled=false"])
def test_linux_switched_off_by_the_desktop(xdg: XdgAutostart, line: str) -> None:
    xdg.path.parent.mkdir()
    xdg.path.write_text(f"[Desktop Entry]\nType=Application\nName=x\nExec=x\n{line}\n")
    assert not xdg.is_on()
    xdg.set_on(True)
    assert xdg.is_on()


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"Exec=x", b"[Other]\nExec=x\n"])
def test_linux_a_broken_file_is_off_and_mended(xdg: XdgAutostart, content: bytes) -> None:
    xdg.path.parent.mkdir()
    xdg.path.write_bytes(content)
    assert not xdg.is_on()
    xdg.set_on(True)
    assert xdg.is_on()


def test_linux_where_it_lies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    for environ in ({}, {"XDG_CONFIG_HOME": "relative"}):
        assert XdgAutostart(COMMAND, environ).path.parent == tmp_path / ".config" / "autostart"


@pytest.mark.skipif(sys.platform != "linux", reason="Flatpak is Linux's")
def test_a_flatpak_is_started_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The sandbox has folders of its own, and the machine a command of its own."""
    exported = "/var/lib/flatpak/exports/bin/io.github.itsjustintv.Desktop"
    monkeypatch.setattr(launching, "flatpak", lambda: exported)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "of the sandbox"))
    monkeypatch.setenv("HOST_XDG_CONFIG_HOME", str(tmp_path / "of the person"))
    monkeypatch.setattr(sys, "argv", ["/app/bin/itsjustintv-desktop"])
    autostart.set_on(True)
    assert autostart.is_on()
    (written,) = (tmp_path / "of the person" / "autostart").iterdir()
    lines = dict(line.split("=", 1) for line in written.read_text().splitlines() if "=" in line)
    assert lines["TryExec"] == exported
    assert unquoted(lines["Exec"]) == [exported, "--hidden"]
    assert not (tmp_path / "of the sandbox").exists()


def test_what_stands_in_the_way_is_said(tmp_path: Path) -> None:
    (tmp_path / "autostart").write_text("a file where the folder should be")
    one = XdgAutostart(COMMAND, {"XDG_CONFIG_HOME": str(tmp_path)})
    with pytest.raises(AppError, match="Look at its rights") as caught:
        one.set_on(True)
    assert caught.value.title == autostart.TITLE


@pytest.mark.skipif(sys.platform != "linux", reason="only there it writes a file into a home that can be a test's own")
def test_for_real_in_another_process(tmp_path: Path) -> None:
    script = (
        "from itsjustintv_desktop.desktop import autostart as a\n"
        "print(a.is_on()); a.set_on(True); print(a.is_on()); a.set_on(False); print(a.is_on()); a.set_on(True)"
    )
    environ = {**os.environ, "HOME": str(tmp_path)}
    environ.pop("XDG_CONFIG_HOME", None)
    done = subprocess.run([sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True", "False"]
    written = (tmp_path / ".config" / "autostart" / "io.github.itsjustintv.Desktop.desktop").read_text()
    (line,) = [line for line in written.splitlines() if line.startswith("Exec=")]
    program, *rest = unquoted(line.removeprefix("Exec="))
    assert Path(program).is_file()
    assert rest == ["-m", "itsjustintv_desktop", "--hidden"]


def test_macos(tmp_path: Path) -> None:
    agent = LaunchAgent(COMMAND, tmp_path)
    assert not agent.is_on()
    agent.set_on(True)
    assert agent.is_on()
    written = plistlib.loads((tmp_path / "Library/LaunchAgents/io.github.itsjustintv.Desktop.plist").read_bytes())
    assert written["ProgramArguments"] == COMMAND
    assert written["RunAtLoad"] is True
    assert "KeepAlive" not in written, "who quits it wants it quit"
    agent.path.write_bytes(plistlib.dumps({**written, "Disabled": True}))
    assert not agent.is_on()
    agent.path.write_bytes(b"no property list")
    assert not agent.is_on()
    agent.set_on(False)
    agent.set_on(False)
    assert not agent.path.exists()


class FakeRegistry:
    """Keys and values in memory."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, str], str | bytes] = {}
        self.refuses = False

    def get(self, key: str, name: str) -> str | bytes | None:
        return self.values.get((key, name))

    def set(self, key: str, name: str, value: str) -> None:
        if self.refuses:
            raise PermissionError(13, "Access is denied")
        self.values[key, name] = value

    def delete(self, key: str, name: str) -> None:
        self.values.pop((key, name), None)


def test_windows() -> None:
    registry = FakeRegistry()
    run = RunKey([r"C:\Program Files\itsjustintv\itsjustintv.exe", "--hidden"], registry)
    assert not run.is_on()
    run.set_on(True)
    assert run.is_on()
    assert registry.values == {(RUN, "itsjustintv"): r'"C:\Program Files\itsjustintv\itsjustintv.exe" --hidden'}
    registry.values[APPROVED, "itsjustintv"] = b"\x03" + bytes(11)
    assert not run.is_on(), "the task manager switched it off"
    run.set_on(True)
    assert run.is_on()
    run.set_on(False)
    assert registry.values == {}


def test_windows_refuses() -> None:
    registry = FakeRegistry()
    registry.refuses = True
    with pytest.raises(AppError, match="Access is denied"):
        RunKey(["x"], registry).set_on(True)
