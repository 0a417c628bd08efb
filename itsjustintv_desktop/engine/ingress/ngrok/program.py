"""Where ngrok's agent program is. All of it blocks on files."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from itsjustintv_desktop.engine.core import files

NAME: Final = "ngrok.exe" if sys.platform == "win32" else "ngrok"
_SMALL: Final = 1024 * 1024
_SECRET: Final = ("ITSJUSTINTV_", "NGROK_", "PYNGROK_", "OTEL_")
"""Variables that begin so hold secrets of ours and of the person's."""
_PROXIES: Final = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"})
"""Its config file names the proxy to use."""


def own_program(folder: Path) -> Path:
    """Where `tunnel install` puts it, below the way's folder."""
    return folder / "bin" / NAME


def locate(folder: Path, environ: Mapping[str, str]) -> Path | None:
    """The program of `tunnel install`, else the first one in the PATH of `environ`; None if there is none."""
    candidates = [own_program(folder)]
    candidates += [Path(part) / NAME for part in environ.get("PATH", "").split(os.pathsep) if part]
    return next((path.absolute() for path in candidates if _usable(path)), None)


def harmless(environ: Mapping[str, str]) -> dict[str, str]:
    """What the program may see of an environment: nothing of ours, nor what would change its settings."""
    return {
        name: value
        for name, value in environ.items()
        if not name.upper().startswith(_SECRET) and name.upper() not in _PROXIES
    }


def _usable(path: Path) -> bool:
    try:
        return path.is_file() and os.access(path, os.X_OK) and not _is_pyngrok(path)
    except OSError:
        return False


def _is_pyngrok(path: Path) -> bool:
    """pyngrok installs a command of the same name. It would download the agent without asking, and hide its process."""
    return path.stat().st_size < _SMALL and b"pyngrok" in files.read(path, _SMALL, follow=True)
