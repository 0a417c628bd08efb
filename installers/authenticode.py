"""Checks Windows' signature on an .exe or .msi, on any system: `python -m installers.authenticode FILE`.

Briefcase signs on Windows with what the system has. This is the second pair of eyes, before anything is published; it
asks osslsigncode (Debian package of that name).
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

ROOTS = Path("/etc/ssl/certs/ca-certificates.crt")


def verify(path: Path, roots: Path = ROOTS) -> None:
    """Raises ValueError, saying why, unless `path` is whole and signed by somebody whom `roots` vouch for."""
    program = shutil.which("osslsigncode")
    if program is None:
        raise ValueError("osslsigncode is not installed")
    asked = subprocess.run(
        [program, "verify", "-in", str(path), "-CAfile", str(roots), "-TSA-CAfile", str(roots)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    if asked.returncode != 0 or "Signature verification: ok" not in asked.stdout:
        told = [line.strip() for line in (asked.stdout + asked.stderr).splitlines() if line.strip()]
        raise ValueError(f"{path.name} is not well signed: {' / '.join(told[-3:])}")


if __name__ == "__main__":
    options = argparse.ArgumentParser(prog="python -m installers.authenticode", description=__doc__)
    options.add_argument("file", type=Path, nargs="+")
    options.add_argument("--ca", type=Path, default=ROOTS)
    given = options.parse_args()
    try:
        for each in given.file:
            verify(each, given.ca)
            print(f"well signed: {each.name}")
    except ValueError as error:
        sys.exit(str(error))
