"""What is added to a .deb after Briefcase, and what its scripts do with a service: dpkg runs a small package's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from installers import APP, ROOT, debian
from tests.installers.layer import Layer, layer
from tests.keyring_session import require_program

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("dpkg-deb") is None, reason="a Debian package needs a Debian system"
)

EPOCH = 1_700_000_000
UNIT = "itsjustintv.service"
LINK = f"/etc/systemd/system/multi-user.target.wants/{UNIT}"
FAKE = "/var/fake"
# Enabling is links in folders: the real program does it. All else is asked of a systemd that runs, and only noted.
SYSTEMCTL = f"""#!/bin/sh
echo "$*" >>{FAKE}/asked
case " $* " in *able\\ *) SYSTEMD_OFFLINE=1 exec /usr/bin/systemctl "$@" ;; esac
"""


def package(folder: Path, version: str) -> Path:
    """A package that holds no more than the unit and one module."""
    root = folder / version
    units = root / "usr" / "lib" / "systemd" / "system"
    units.mkdir(parents=True)
    shutil.copy(ROOT / "installers" / "systemd" / UNIT, units)
    module = root / "usr" / "lib" / APP / "it.py"
    module.parent.mkdir(parents=True)
    module.write_text(f"# {version}\n")
    (root / "DEBIAN").mkdir(mode=0o755)
    (root / "DEBIAN" / "control").write_text(
        f"Package: {APP}\nVersion: {version}\nArchitecture: all\nMaintainer: nobody <nobody@example.org>\n"
        "Description: it\n"
    )
    made = folder / f"{version}.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "--build", root, made], check=True, stdout=subprocess.DEVNULL)
    debian.complete(made, EPOCH)
    return made


def test_scripts_and_sums_are_in_it_and_it_is_the_same_each_time(tmp_path: Path) -> None:
    made = package(tmp_path, "1.0")
    before = made.read_bytes()
    subprocess.run(["dpkg-deb", "--raw-extract", made, tmp_path / "out"], check=True)
    about = tmp_path / "out" / "DEBIAN"
    assert {path.name for path in about.iterdir()} == {"control", "md5sums", "postinst", "postrm", "prerm"}
    for name in ("postinst", "postrm", "prerm"):
        assert (about / name).stat().st_mode & 0o777 == 0o755
        assert (about / name).read_bytes() == (debian.SCRIPTS / name).read_bytes()
    assert f"usr/lib/{APP}/it.py" in (about / "md5sums").read_text()
    subprocess.run(["md5sum", "--check", "--strict", "--quiet", about / "md5sums"], cwd=tmp_path / "out", check=True)
    debian.complete(made, EPOCH)
    assert made.read_bytes() == before


def test_it_says_how_much_it_takes_and_what_it_was_built_for(tmp_path: Path) -> None:
    made = package(tmp_path, "1.0")

    def field(deb: Path, name: str) -> str:
        asked = subprocess.run(["dpkg-deb", "--field", deb, name], capture_output=True, text=True, check=True)
        return asked.stdout.strip()

    unit = (ROOT / "installers" / "systemd" / UNIT).stat().st_size
    folders = 6  # ./, usr, usr/lib, systemd, system, the program's
    assert field(made, "Installed-Size") == str(-(-unit // 1024) + 1 + folders)
    again = debian.complete(made, EPOCH, "debian12")
    assert again.name == f"{APP}_1.0-1~debian12_all.deb"
    assert not made.exists()
    assert field(again, "Version") == "1.0-1~debian12"
    assert field(again, "Description") == "it"
    assert debian.complete(again, EPOCH, "debian12") == again, "built for the same system, it stays the same"


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("1.2.3-1~debian12", "1.2.3-1~debian13"),
        ("1.2.3-1~debian9", "1.2.3-1~debian12"),
        ("1.2.3-1~debian13", "1.2.4-1~debian12"),
        ("1.2.3-1~ubuntu24.04", "1.2.3-1~ubuntu26.04"),
        ("1.2.3-1~debian13", "1.2.3-1~debianforky"),
        (f"{debian._upstream('1.2.3rc1')}-1~debian12", "1.2.3-1~debian12"),
        (f"{debian._upstream('1.2.3a2')}-1~debian12", f"{debian._upstream('1.2.3rc1')}-1~debian12"),
        ("1.2.2-1~debian12", f"{debian._upstream('1.2.3b1')}-1~debian12"),
    ],
)
def test_the_package_of_the_next_release_replaces_that_of_this_one(older: str, newer: str) -> None:
    assert subprocess.run(["dpkg", "--compare-versions", older, "lt", newer], check=False).returncode == 0


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n', "debian12"),
        ('NAME="Ubuntu"\nID=ubuntu\nVERSION_ID="24.04"\n', "ubuntu24.04"),
        ("ID=debian\nVERSION_CODENAME=forky\n", "debianforky"),
    ],
)
def test_the_system_as_it_names_itself(tmp_path: Path, text: str, name: str) -> None:
    (tmp_path / "os-release").write_text(text)
    assert debian.system(tmp_path / "os-release") == name


def test_what_lies_beside_the_scripts_is_not_packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scripts = tmp_path / "maintainer"
    shutil.copytree(debian.SCRIPTS, scripts)
    for name in ("postinst~", ".prerm.swp", "preinst"):
        (scripts / name).write_text("#!/bin/sh\n")
    (scripts / "old").mkdir()
    monkeypatch.setattr(debian, "SCRIPTS", scripts)
    made = package(tmp_path, "1.0")
    subprocess.run(["dpkg-deb", "--control", made, tmp_path / "out"], check=True)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"control", "md5sums", *debian.NAMES}


@pytest.mark.parametrize("data", [b"", b"!<arch>\n", b"no archive"])
def test_what_is_no_package_is_left_alone(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "it.deb").write_bytes(data)
    with pytest.raises(ValueError, match="not"):
        debian.complete(tmp_path / "it.deb", EPOCH)
    assert (tmp_path / "it.deb").read_bytes() == data


def test_every_script_of_the_checkout_is_packed() -> None:
    """What is there and not named would be forgotten without a word."""
    listed = subprocess.run(
        ["git", "ls-files", "."], cwd=debian.SCRIPTS, capture_output=True, text=True, check=False, timeout=60
    )
    assert sorted(listed.stdout.split()) in ([], sorted(debian.NAMES)), "a copy without git knows of none"


@pytest.mark.parametrize("script", [debian.SCRIPTS / name for name in debian.NAMES], ids=lambda path: path.name)
def test_the_scripts_are_plain_sh(script: Path) -> None:
    subprocess.run(["sh", "-n", script], check=True)
    assert script.read_text().startswith("#!/bin/sh\n")
    assert "\nset -e\n" in script.read_text()


class Machine:
    """A machine on which systemd runs, as far as dpkg's scripts can see."""

    def __init__(self, over: Layer, *, systemd: bool) -> None:
        self.layer = over
        self.environ = {**os.environ, "PATH": f"{FAKE}:{os.environ['PATH']}"}
        over.run("rm", "-f", "/usr/sbin/policy-rc.d")  # of images, where no service may start
        over.run("mount", "-t", "tmpfs", "none", "/run")
        if systemd:
            over.run("mkdir", "-p", "/run/systemd/system")
        over.run("sh", "-c", f'mkdir {FAKE} && printf %s "$0" >{FAKE}/systemctl && chmod 755 {FAKE}/*', SYSTEMCTL)

    def dpkg(self, *words: str) -> list[str]:
        """Run it; what systemctl was asked meanwhile."""
        self.layer.run("sh", "-c", f": >{FAKE}/asked")
        self.layer.run("dpkg", *words, environ=self.environ)
        return self.layer.run("cat", f"{FAKE}/asked").splitlines()

    def enabled(self) -> bool:
        return self.layer.run("sh", "-c", f"test -L {LINK} && echo yes || echo no").strip() == "yes"


@pytest.fixture
def over(tmp_path: Path) -> Iterator[Layer]:
    require_program("systemctl", "systemd")
    with layer(tmp_path / "layer") as made:
        yield made


@pytest.mark.slow
def test_a_service_is_restarted_at_an_upgrade_and_stopped_and_disabled_at_removal(over: Layer, tmp_path: Path) -> None:
    machine = Machine(over, systemd=True)
    assert machine.dpkg("-i", str(package(tmp_path, "1.0"))) == ["--system daemon-reload"]
    assert not machine.enabled(), "only the administrator enables it"
    over.run("systemctl", "enable", UNIT, environ=machine.environ)
    assert machine.enabled()
    upgraded = machine.dpkg("-i", str(package(tmp_path, "1.1")))
    assert upgraded == ["--system daemon-reload", f"try-restart {UNIT}"], "nor is it stopped in between"
    assert machine.enabled()
    removed = machine.dpkg("--remove", APP)
    assert [words for words in removed if "reset-failed" not in words] == [
        f"stop {UNIT}", f"--system --quiet --no-reload disable {UNIT}", "--system daemon-reload",
    ]  # fmt: skip
    assert not machine.enabled()
    machine.dpkg("--purge", APP)
    assert over.added() == set()


@pytest.mark.slow
def test_an_administrator_who_forbids_restarts_is_obeyed(over: Layer, tmp_path: Path) -> None:
    machine = Machine(over, systemd=True)
    machine.dpkg("-i", str(package(tmp_path, "1.0")))
    policy = "/usr/sbin/policy-rc.d"
    over.run("sh", "-c", f"printf '#!/bin/sh\\nexit 101\\n' >{policy} && chmod 755 {policy}")
    assert machine.dpkg("-i", str(package(tmp_path, "1.1"))) == ["--system daemon-reload"]


@pytest.mark.slow
def test_without_a_running_systemd_nothing_is_asked_of_it(over: Layer, tmp_path: Path) -> None:
    """As in a container or while an image is built. What was enabled there is disabled all the same."""
    machine = Machine(over, systemd=False)
    assert machine.dpkg("-i", str(package(tmp_path, "1.0"))) == []
    over.run("systemctl", "enable", UNIT, environ=machine.environ)
    assert machine.dpkg("-i", str(package(tmp_path, "1.1"))) == []
    removed = machine.dpkg("--purge", APP)
    assert removed == [f"--system --quiet --no-reload disable {UNIT}"]
    assert not machine.enabled()
    assert over.added() == set()
