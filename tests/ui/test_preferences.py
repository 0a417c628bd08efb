"""What the window remembers."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QByteArray

from itsjustintv_desktop.ui.preferences import KINDS, Preferences


def test_it_is_there_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "desktop.ini"
    first = Preferences(path)
    assert (first.theme, first.page, first.language, first.own_login, first.geometry) == (
        "system",
        "overview",
        "",
        "",
        None,
    )
    assert first.quiet_while_live
    assert all(first.notify(kind) for kind in KINDS)
    assert not first.assistant_done
    first.theme, first.page, first.language, first.own_login = "light", "log", "de", "pixelforge"
    first.geometry = QByteArray(b"\x00\x01where")
    first.set_notify("given_up", False)
    first.quiet_while_live, first.assistant_done, first.assistant_step = False, True, "way"
    first.sync()
    again = Preferences(path)
    assert (again.theme, again.page, again.language, again.own_login) == ("light", "log", "de", "pixelforge")
    assert again.geometry == QByteArray(b"\x00\x01where")
    assert [kind for kind in KINDS if not again.notify(kind)] == ["given_up"]
    assert (again.quiet_while_live, again.assistant_done, again.assistant_step) == (False, True, "way")


def test_a_hint_is_given_once(tmp_path: Path) -> None:
    path = tmp_path / "desktop.ini"
    assert Preferences(path).first_time("closed")
    assert not Preferences(path).first_time("closed")
    assert Preferences(path).first_time("another")


@pytest.mark.parametrize("content", [b"", b"\x00\xff\xfe", b"[General]\ntheme=purple\ngeometry=7\n"])
def test_a_broken_file_is_as_good_as_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "desktop.ini"
    path.write_bytes(content)
    found = Preferences(path)
    assert (found.theme, found.geometry) == ("system", None)


@pytest.mark.skipif(sys.platform == "win32", reason="rights are another matter there")
def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "desktop.ini"
    Preferences(path).theme = "dark"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.skipif(sys.platform == "win32", reason="pipes are no files there")
@pytest.mark.timeout(20)
def test_a_pipe_in_its_place_does_not_hang_the_window(tmp_path: Path) -> None:
    path = tmp_path / "desktop.ini"
    os.mkfifo(path)
    preferences = Preferences(path)
    preferences.page = "log"
    path.unlink()
    os.mkfifo(path)
    preferences.page = "feed"
    assert stat.S_ISREG(path.stat().st_mode)
    assert Preferences(path).page == "feed"
    assert stat.S_ISFIFO(path.with_name("desktop.ini.damaged").stat().st_mode)
