"""What a Flatpak of this program needs of the machine is asked for, and nothing else."""

from __future__ import annotations

import re
import sys

from installers import APP, ROOT, merge

TEMPLATE = ROOT / "installers" / "linux" / "flatpak"
FLATPAK = merge.merged()["tool"]["briefcase"]["app"][APP]["linux"]["flatpak"]


def test_what_it_may_use_of_the_machine() -> None:
    asked = {name for name, wanted in FLATPAK["finish_arg"].items() if wanted}
    assert asked == {
        "share=network",
        "share=ipc",
        "socket=wayland",
        "socket=fallback-x11",
        "device=dri",
        "talk-name=org.freedesktop.secrets",
        "talk-name=org.kde.StatusNotifierWatcher",
        "talk-name=org.freedesktop.Notifications",
        "system-talk-name=org.freedesktop.login1",
        "filesystem=xdg-config/autostart:create",
    }


def test_no_default_of_briefcase_is_left_to_chance() -> None:
    """It gives every Flatpak sound, X11 and the person's folders, unless each is taken back."""
    defaults = {
        "share=ipc", "socket=x11", "nosocket=wayland", "share=network", "device=dri", "socket=pulseaudio",
        "filesystem=xdg-cache", "filesystem=xdg-config", "filesystem=xdg-data", "filesystem=xdg-documents",
    }  # fmt: skip
    assert defaults <= set(FLATPAK["finish_arg"])


def test_it_starts_with_the_runtimes_python_and_our_qt() -> None:
    (start,) = TEMPLATE.rglob("files/app/bin/*")
    assert start.stat().st_mode & 0o111 or sys.platform == "win32"
    assert "unset QT_PLUGIN_PATH" in start.read_text(), "or Qt loads the runtime's plugins, of another version"
    manifest = (TEMPLATE / "{{ cookiecutter.format }}" / "manifest.yml").read_text()
    assert "--share=network" not in manifest, "all packages were laid out before, with their hashes"
    workflow = (ROOT / ".github" / "workflows" / "release.yml").read_text()
    (version,) = re.findall(
        r"^FLATPAK_PYTHON = \((\d+), (\d+)\)", (ROOT / "installers" / "bundle.py").read_text(), re.M
    )
    assert f'python-version: "{".".join(version)}" # the runtime' in workflow
