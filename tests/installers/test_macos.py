"""The script that signs on a Mac, with stand-ins for Apple's programs: its order, and what it leaves behind."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from installers import ROOT

pytestmark = pytest.mark.skipif(
    sys.platform == "win32" or not all(map(shutil.which, ("bash", "openssl", "base64"))),
    reason="needs bash and openssl",
)

IDENTITY = "0123456789ABCDEF0123456789ABCDEF01234567"
LOGIN = "/Users/a person/Library/Keychains/login.keychain-db"
STAND_IN = f"""#!/bin/sh
printf '%s' "$(basename "$0")" >>"$ASKED"; printf ' [%s]' "$@" >>"$ASKED"; echo >>"$ASKED"
case "$(basename "$0") $*" in
    "security list-keychains -d user" | "security default-keychain -d user") echo '    "{LOGIN}"' ;;
    "security find-identity "*) echo '  1) '"$IDENTITY"' "Developer ID Application: A person (TEAM)"' ;;
    "python -m installers.everywhere "*) mkdir -p dist && : >dist/it-1.0.dmg && exit "$BUILD" ;;
esac
"""


class Mac:
    """A folder with the script, and the stand-ins first on the path."""

    def __init__(self, folder: Path) -> None:
        self.root, self.asked, self.temporary = folder / "checkout", folder / "asked", folder / "tmp"
        (self.root / "installers" / "macos").mkdir(parents=True)
        shutil.copy(ROOT / "installers" / "macos" / "build.sh", self.root / "installers" / "macos")
        programs = folder / "bin"
        for made in (programs, self.temporary):
            made.mkdir()
        for name in ("security", "xcrun", "spctl", "python"):
            (programs / name).write_text(STAND_IN)
            (programs / name).chmod(0o755)
        self.environ = {
            **os.environ,
            "PATH": f"{programs}:{os.environ['PATH']}",
            "ASKED": str(self.asked),
            "TMPDIR": str(self.temporary),
            "PYTHON": "python",
            "BUILD": "0",
            "IDENTITY": IDENTITY,
            "MACOS_CERTIFICATE": base64.b64encode(b"a certificate").decode(),
            "MACOS_CERTIFICATE_PASSWORD": "its password",
            "MACOS_TEAM_ID": "TEAM",
            "MACOS_APPLE_ID": "me@example.org",
            "MACOS_APP_PASSWORD": "app password",
        }

    def run(self, **more: str) -> tuple[int, list[str]]:
        """Its exit code, and the programs it asked, argument by argument."""
        self.asked.write_text("")
        script = self.root / "installers" / "macos" / "build.sh"
        done = subprocess.run(
            script, env={**self.environ, **more}, capture_output=True, text=True, timeout=30, check=False
        )
        return done.returncode, self.asked.read_text().splitlines()


@pytest.fixture
def mac(tmp_path: Path) -> Mac:
    return Mac(tmp_path)


def at(asked: list[str], start: str) -> int:
    """Where the first call is that begins so."""
    found = [place for place, line in enumerate(asked) if line.startswith(start)]
    assert found, f"{start} was never asked"
    return found[0]


def test_briefcase_finds_what_notarization_needs_in_the_default_keychain(mac: Mac) -> None:
    code, asked = mac.run()
    assert code == 0
    (made,) = [line.split("[")[-1].rstrip("]") for line in asked if line.startswith("security [create-keychain]")]
    default = at(asked, f"security [default-keychain] [-d] [user] [-s] [{made}]")
    stored = at(asked, f"xcrun [notarytool] [store-credentials] [briefcase-macOS-TEAM] [--keychain] [{made}]")
    build = at(asked, "python [-m] [installers.everywhere] [build] [macOS]")
    assert at(asked, "security [set-key-partition-list]") < default < stored < build
    assert asked[build].endswith(f"[--identity] [{IDENTITY}]")
    assert f"security [list-keychains] [-d] [user] [-s] [{made}] [{LOGIN}]" in asked[:build]
    assert at(asked, "xcrun [stapler] [validate] [dist/it-1.0.dmg]") > build


@pytest.mark.parametrize("build", ["0", "7"])
def test_the_persons_keychains_are_as_before_whatever_happens(mac: Mac, build: str) -> None:
    code, asked = mac.run(BUILD=build)
    assert code == int(build)
    assert asked[-3:-1] == [
        f"security [default-keychain] [-d] [user] [-s] [{LOGIN}]",
        f"security [list-keychains] [-d] [user] [-s] [{LOGIN}]",
    ]
    assert asked[-1].startswith("security [delete-keychain] ")
    assert list(mac.temporary.iterdir()) == [], "no certificate and no keychain stays on the disk"


def test_a_certificate_that_cannot_sign_stops_it_before_the_build(mac: Mac) -> None:
    code, asked = mac.run(IDENTITY="0 valid identities found")
    assert code == 1
    assert not any(line.startswith("python") for line in asked)
    assert asked[-1].startswith("security [delete-keychain] ")


def test_unsigned_only_when_it_is_said_and_then_by_name(mac: Mac) -> None:
    code, asked = mac.run(MACOS_CERTIFICATE="")
    assert (code, asked) == (1, [])
    code, asked = mac.run(MACOS_CERTIFICATE="", ALLOW_UNSIGNED="1")
    assert code == 0
    assert [line.split()[-1] for line in asked] == ["[--adhoc-sign]"]
    assert [path.name for path in (mac.root / "dist").iterdir()] == ["it-1.0-unsigned.dmg"]
