"""The Debian package that `make deb` built: what is in it, and its life on a machine from installing to removing."""

from __future__ import annotations

import configparser
import gzip
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from installers import APP, ROOT, debian, icons, manual, merge
from itsjustintv_desktop.desktop import APP_ID
from tests.installers.layer import Layer, layer
from tests.keyring_session import require_program
from tests.support.desktop_session import DesktopSession, desktop_session, wait

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

MENU = f"usr/share/applications/{APP_ID}.desktop"
LIBRARY = f"usr/lib/{APP}"
MOST_MEGABYTES = 60
"""What a download may weigh."""
SLOWEST_START = 10.0
"""Seconds to a window on a busy machine; it is about one on a calm one."""

GO_CONFIG = """
[server]
port = 0
[twitch]
client_id = "of-nobody"
client_secret = "of-nobody"
[streamers.alice]
user_id = "100"
login = "alice"
target_webhook_url = "http://127.0.0.1:9/alice"
"""


@pytest.fixture(scope="session")
def deb() -> Path:
    """The package in dist/. It must be of this very code."""
    if sys.platform != "linux" or shutil.which("dpkg-deb") is None:
        pytest.skip("a Debian package needs a Debian system")
    made = sorted((ROOT / "dist").glob("*.deb"))
    if len(made) != 1:
        pytest.skip("there is no package in dist/ (make deb)")
    return made[0]


@pytest.fixture(scope="session")
def contents(deb: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its files, laid out."""
    folder = tmp_path_factory.mktemp("deb")
    subprocess.run(["dpkg-deb", "--raw-extract", deb, folder], check=True)
    for name in ("itsjustintv_desktop", "resources"):
        for path in (ROOT / name).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                inside = folder / LIBRARY / "app" / path.relative_to(ROOT)
                if not inside.is_file() or inside.read_bytes() != path.read_bytes():
                    pytest.skip(f"the package in dist/ is older than {path.relative_to(ROOT)} (make deb)")
    return folder


def control(contents: Path) -> dict[str, str]:
    lines = (contents / "DEBIAN" / "control").read_text().splitlines()
    return dict(line.split(": ", 1) for line in lines if not line.startswith(" "))


def test_what_menus_and_software_centres_read_is_valid(contents: Path) -> None:
    require_program("desktop-file-validate", "desktop-file-utils")
    require_program("appstreamcli", "appstream")
    checked = subprocess.run(["desktop-file-validate", contents / MENU], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout) == (0, "")
    metainfo = contents / f"usr/share/metainfo/{APP_ID}.metainfo.xml"
    subprocess.run(["appstreamcli", "validate", "--no-net", "--no-color", metainfo], check=True)
    assert f'version="{merge.version()}"' in metainfo.read_text()


def test_scripts_care_for_the_service(contents: Path) -> None:
    """tests/installers/test_debian.py has dpkg run them."""
    for script in debian.SCRIPTS.iterdir():
        assert (contents / "DEBIAN" / script.name).read_bytes() == script.read_bytes()
    assert f"{LIBRARY}/start.py" in (contents / "DEBIAN" / "md5sums").read_text()


def test_its_size_its_system_its_manual_and_completions(deb: Path, contents: Path) -> None:
    said = control(contents)
    assert said["Version"] == f"{merge.version()}-1~{debian.system()}"
    assert f"_{said['Version']}_" in deb.name
    real = sum(
        path.stat().st_size for path in (contents / "usr").rglob("*") if path.is_file() and not path.is_symlink()
    )
    assert real / 1024 <= int(said["Installed-Size"]) <= real / 1024 * 1.1 + 20_000
    page = gzip.decompress((contents / f"usr/share/man/man1/{APP}.1.gz").read_bytes()).decode()
    assert manual.DATE not in page
    assert ".SS deliveries retry " in page
    for place, shell in manual.COMPLETIONS.items():
        assert (contents / "usr/share" / place).read_text() == manual.completion(shell)


def test_an_icon_of_every_size_and_the_drawing_itself(contents: Path) -> None:
    hicolor = contents / "usr/share/icons/hicolor"
    for size in (16, 20, 22, 24, 32, 48, 64, 128, 256, 512):
        data = (hicolor / f"{size}x{size}/apps/{APP_ID}.png").read_bytes()
        assert int.from_bytes(data[16:20], "big") == size
    assert (hicolor / f"scalable/apps/{APP_ID}.svg").read_bytes() == icons.SVG.read_bytes()


def test_licences_of_ours_and_of_everything_inside(contents: Path) -> None:
    documents = contents / f"usr/share/doc/{APP}"
    assert (documents / "copyright").read_text() == (ROOT / "LICENSE").read_text()
    notices = (documents / "THIRD-PARTY-NOTICES.txt").read_text()
    inside = [path.name.split("-")[0] for path in (contents / LIBRARY).rglob("site-packages/*.dist-info")]
    assert len(inside) > 50
    assert all(re.search(rf"^{re.sub('_', '[-_.]', name)} ", notices, re.MULTILINE | re.IGNORECASE) for name in inside)


def test_nothing_in_it_may_be_written_by_others_and_all_is_compiled(contents: Path) -> None:
    modules = [path for path in (contents / LIBRARY / "app").rglob("*.py") if path.stat().st_size]
    for path in modules:
        assert list((path.parent / "__pycache__").glob(f"{path.stem}.*.pyc")), path
    for path in contents.rglob("*"):
        assert path.is_symlink() or path.stat().st_mode & 0o7022 == 0, path


def test_nothing_in_it_tells_where_it_was_built(contents: Path) -> None:
    here = str(ROOT).encode()
    telling = [path for path in contents.rglob("*") if path.is_file() and here in path.read_bytes()]
    assert telling == []


def test_every_library_it_loads_comes_from_it_or_from_what_it_depends_on(contents: Path) -> None:
    """But for plugins of a theme and of formats that nobody needs here: they may ask for more, and stay out without."""
    closure, ask = set[str](), re.findall(r"[a-z0-9][a-z0-9.+-]+(?=[ ,]|$)", control(contents)["Depends"])
    while ask:
        name = ask.pop()
        if name in closure:
            continue
        closure.add(name)
        asked = subprocess.run(
            ["dpkg-query", "-W", "-f", "${Depends}, ${Pre-Depends}", name], capture_output=True, text=True, check=False
        )
        ask += re.findall(r"(?:^|[,|]) ?([a-z0-9][a-z0-9.+-]+)", asked.stdout)
    optional = ("platformthemes/libqgtk3", "networkinformation/libqglib", "imageformats/libqtiff")
    libraries = [
        path
        for path in (contents / LIBRARY).rglob("*.so*")
        if path.is_file() and not any(o in str(path) for o in optional)
    ]
    needed: dict[str, str] = {}
    for path in libraries:
        told = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout
        for name, found in re.findall(r"^\s(\S+) => (not found|/\S+)", told, re.MULTILINE):
            # Qt's Python modules find shiboken6 beside them by having loaded it before.
            if found == "not found" and not name.startswith(("libpyside6", "libshiboken6")):
                raise AssertionError(f"{path.relative_to(contents)} needs {name}, which was left out")
            if found.startswith("/") and str(contents) not in found:
                needed[os.path.realpath(found)] = path.name
    owned = subprocess.run(["dpkg-query", "-S", *needed], capture_output=True, text=True, check=False).stdout
    owners = {path: owner.split(":")[0] for owner, path in re.findall(r"^(\S+): (/\S+)$", owned, re.MULTILINE)}
    lacking = {f"{needed[path]} needs {owner}" for path, owner in owners.items() if owner not in closure}
    assert lacking == set()
    assert len(owners) > 20


class Installed:
    """The package on the machine, used as a person does."""

    def __init__(self, over: Layer, desktop: DesktopSession) -> None:
        self.layer, self.desktop = over, desktop
        self.environ = {
            **desktop.environ,
            "ITSJUSTINTV_TWITCH_API_URL": "http://127.0.0.1:9/helix",
            "ITSJUSTINTV_TWITCH_AUTH_URL": "http://127.0.0.1:9/oauth2",
        }

    def entry(self, action: str = "") -> list[str]:
        """The command line of the menu entry."""
        text = self.layer.run("cat", f"/{MENU}")
        entries = configparser.RawConfigParser()
        entries.read_string(text)
        return shlex.split(entries[f"Desktop Action {action}" if action else "Desktop Entry"]["Exec"])

    def command(self, *words: str) -> str:
        return self.layer.run(APP, *words, environ=self.environ)

    def window_opens(self) -> float:
        """Start it from its menu entry, see its window, end it as a log-out does. Seconds until the window."""
        log = self.desktop.folder / "installed.log"
        with log.open("ab") as out:
            began = time.monotonic()
            process = subprocess.Popen(
                self.layer.inside(*self.entry()), env=self.environ, stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )
        try:

            def shown() -> bool:
                assert process.poll() is None, log.read_text()
                return bool(self.desktop.run("xdotool", "search", "--onlyvisible", "--class", APP).split())

            wait(shown, "the window is open", 60)
            took = time.monotonic() - began
            wait(self.desktop.tray_icon, "the tray icon is there")
            self.desktop.picture("installed")
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, log.read_text()
        return took


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Installed]:
    with layer(tmp_path / "layer") as over, desktop_session(tmp_path / "screen") as desktop:
        yield Installed(over, desktop)


def older(contents: Path, folder: Path) -> Path:
    """The same package as a version of long ago, with a module that the present one has not got any more."""
    shutil.copytree(contents, folder / "old", symlinks=True)
    about = folder / "old" / "DEBIAN" / "control"
    about.write_text(about.read_text().replace(f"Version: {merge.version()}", "Version: 0.0.1"))
    (folder / "old" / LIBRARY / "app" / "itsjustintv_desktop" / "gone.py").write_text("")
    subprocess.run(
        ["dpkg-deb", "-Zgzip", "-z1", "--root-owner-group", "--build", folder / "old", folder / "old.deb"],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return folder / "old.deb"


def test_installed_started_upgraded_and_removed(
    deb: Path, contents: Path, installed: Installed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = installed.layer.run
    home = Path(installed.environ["HOME"])
    go = tmp_path / "go"
    (go / "data").mkdir(parents=True)
    (go / "config.toml").write_text(GO_CONFIG)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    payload = {"streamer_login": "alice", "streamer_name": "Alice", "streamer_id": "100", "timestamp": stamp}
    waiting = {"webhook_url": "http://127.0.0.1:9/alice", "attempt": 1, "payload": payload, "streamer_key": "alice"}
    (go / "data" / "retry_state.json").write_text(json.dumps({"queue": [waiting]}))

    # An older version is installed and used: it has a config and a queue.
    run("dpkg", "-i", str(older(contents, tmp_path)))
    assert installed.command("--version").split()[-1] == merge.version()
    # The way the assistant starts the demo: by the interpreter of the bundle.
    assert merge.version() in run(f"/{LIBRARY}/bin/python3", "-m", "itsjustintv_desktop", "--version")
    installed.command("import-go", str(go))
    config = Path(installed.command("config", "path").strip().splitlines()[-1])
    assert config.is_relative_to(home)
    queued = json.loads(installed.command("deliveries", "list", "--json"))
    assert len(queued) == 1
    installed.window_opens()

    # The new one goes over it.
    written = config.read_bytes()
    run("dpkg", "-i", str(deb))
    status = run("dpkg-query", "-W", "-f", "${Status} ${Version}", APP)
    assert status == f"install ok installed {control(contents)['Version']}"
    assert run("dpkg", "--verify", APP) == "", "every file is as it was packed"
    assert not any("gone" in path for path in installed.layer.added())
    assert config.read_bytes() == written
    kept = json.loads(installed.command("deliveries", "list", "--json"))
    assert [each["webhook_id"] for each in kept] == [each["webhook_id"] for each in queued]

    # It opens from the menu and announces in the demo, by the menu's own words.
    first, again = installed.window_opens(), installed.window_opens()
    assert installed.entry("demo") == [APP, "demo"]
    told = run(*installed.entry("demo"), "--headless", "--seconds", "6", environ=installed.environ)
    assert "Every announcement arrived, verified and once." in told
    assert installed.layer.added() == own_files(contents), "an installed program writes nothing beside its own files"

    # Removed, the machine is as before, and the person's data is theirs.
    run("dpkg", "--purge", APP)
    assert installed.layer.added() == set()
    assert installed.layer.removed() == set()
    assert config.read_bytes() == written
    assert list(home.rglob("ledger.db"))

    size = sum(path.stat().st_size for path in contents.rglob("*") if path.is_file() and not path.is_symlink())
    with capsys.disabled():
        print(
            f"\n{deb.name}: {deb.stat().st_size / 1e6:.1f} MB, installed {size / 1e6:.0f} MB, "
            f"window after {first:.2f} s, then {again:.2f} s"
        )
    assert deb.stat().st_size < MOST_MEGABYTES * 1e6
    assert again < SLOWEST_START


def own_files(contents: Path) -> set[str]:
    """Paths of the package that this machine has not got anyway."""
    paths = {Path("/") / path.relative_to(contents) for path in contents.rglob("*")}
    return {str(path) for path in paths if path.parts[1] == "usr" and not os.path.lexists(path)}
