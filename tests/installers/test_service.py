"""The systemd unit and the container's files, by the tools that read them."""

from __future__ import annotations

import configparser
import re
import subprocess
import sys
from pathlib import Path

import pytest

from installers import ROOT
from installers.container import check
from itsjustintv_desktop.cli import cli
from tests.keyring_session import require_program

UNIT = ROOT / "installers" / "systemd" / "itsjustintv.service"
MOST_EXPOSED = 2.0
"""On systemd's scale of 0 to 10; most services of a distribution are above 8."""

linux = pytest.mark.skipif(sys.platform != "linux", reason="systemd is Linux's")


@linux
def test_systemd_reads_the_unit(tmp_path: Path) -> None:
    require_program("systemd-analyze", "systemd")
    # It looks for the program, which need not be installed here.
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace("/usr/bin/itsjustintv-desktop", sys.executable))
    told = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True, check=False, timeout=30
    )
    assert (told.returncode, told.stdout + told.stderr) == (0, "")
    copy.write_text(copy.read_text().replace("ProtectClock=", "ProtectClok="))
    told = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True, check=False, timeout=30
    )
    assert "ProtectClok" in told.stderr, "a misspelt line would be seen"


@linux
def test_the_service_is_hardened() -> None:
    require_program("systemd-analyze", "systemd")
    told = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", f"--threshold={MOST_EXPOSED * 10:.0f}", UNIT],
        capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert told.returncode == 0, told.stdout


def test_the_service_may_open_enough_files() -> None:
    """The program may not raise the limit itself there: such calls are filtered."""
    unit = UNIT.read_text()
    assert "~@privileged @resources" in unit
    found = re.search(r"^LimitNOFILE=(\d+)$", unit, re.MULTILINE)
    assert found is not None
    assert int(found[1]) >= 4096


def test_the_unit_starts_what_exists() -> None:
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(UNIT.read_text())
    program, *words = unit["Service"]["ExecStart"].split()
    assert program == "/usr/bin/itsjustintv-desktop"
    options = {name for option in cli.params for name in option.opts}
    assert {word for word in words if word.startswith("--")} <= options
    assert words[-1] in cli.list_commands(None)  # type: ignore[arg-type]
    assert unit["Service"]["Type"] == "notify"


def test_the_container_runs_as_nobody_and_reads_only_what_is_there() -> None:
    text = check.FILE.read_text()
    final = text.split("\nFROM ")[-1]
    assert re.search(r"^USER 10001:10001$", final, re.MULTILINE)
    assert check.words(text, "HEALTHCHECK") == ["itsjustintv-desktop", "doctor", "--local"]
    assert check.settings(text)["ITSJUSTINTV_SERVER_LISTEN_ADDR"] == "0.0.0.0"
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for line in re.findall(r"^COPY (?!--from)(.*)$", text, re.MULTILINE):
        for name in line.split()[:-1]:
            assert (ROOT / name).exists(), name
            assert any(Path(name).match(pattern) for pattern in allowed), f".dockerignore hides {name}"


@pytest.mark.slow
def test_caddy_reads_its_file(tmp_path: Path) -> None:
    caddy = require_program("caddy", "caddy")
    command = [caddy, "validate", "--adapter", "caddyfile", "--config", str(check.FILE.with_name("Caddyfile"))]
    environ = {"DOMAIN": "live.example.org", "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    told = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=60)
    assert told.returncode == 0, told.stderr
    assert "Valid configuration" in told.stdout + told.stderr
