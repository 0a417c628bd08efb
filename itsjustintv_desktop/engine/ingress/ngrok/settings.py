"""The agent's config file: the only place the authtoken is written to. All of it blocks.

Source: https://ngrok.com/docs/agent/config/v3/
"""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path
from typing import Final

from itsjustintv_desktop.engine.core import files

_NAME: Final = "ngrok.yml"


def settings_path(folder: Path) -> Path:
    return folder / _NAME


def make_folder(folder: Path) -> None:
    """The way's folder, 0700. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if sys.platform != "win32":
        folder.chmod(0o700)


def write(folder: Path, *, token: str, region: str = "", proxy: str = "") -> Path:
    """Replace the file in one step, 0600 from its first byte. `region` "" is the nearest. Raises OSError."""
    make_folder(folder)
    path = settings_path(folder)
    files.clear_leftovers(path)
    files.write_atomic(path, _text(token, region, proxy).encode(), durable=False)
    return path


def remove(folder: Path) -> None:
    """Take the token off the disk; the agent reads the file only when it starts. Raises OSError."""
    settings_path(folder).unlink(missing_ok=True)
    files.clear_leftovers(settings_path(folder))


def _text(token: str, region: str, proxy: str) -> str:
    agent: dict[str, str | int | bool] = {
        "authtoken": token,
        "console_ui": False,
        "inspect_db_size": -1,  # its local API has no authentication: nothing of a request may be kept there
        "log": "stdout",
        "log_format": "logfmt",
        "log_level": "info",
        "remote_management": False,
        "update_check": False,
        "web_addr": f"127.0.0.1:{_free_port()}",
    }
    if region:
        agent["connect_url"] = f"connect.{region}.ngrok-agent.com:443"
    if proxy:
        agent["proxy_url"] = proxy
    # JSON's scalars are YAML's as well, quotes and escapes included.
    lines = [f"  {key}: {json.dumps(value)}" for key, value in agent.items()]
    return "\n".join(['version: "3"', "agent:", *lines, ""])


def _free_port() -> int:
    """One that is free now. If another program takes it first, the agent picks its own and says which."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        port: int = held.getsockname()[1]
        return port
