"""The agent's program and its config file, which alone holds the authtoken; and what is needed before a start.

Whatever touches files blocks. Source: https://ngrok.com/docs/agent/config/v3/
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from itsjustintv_desktop.engine.config.active import ConfigHolder
from itsjustintv_desktop.engine.core import files
from itsjustintv_desktop.engine.core.errors import SecretsAbsentError, SecretsError
from itsjustintv_desktop.engine.core.net.proxies import Proxies, Proxy
from itsjustintv_desktop.engine.ingress.ngrok import messages
from itsjustintv_desktop.engine.ingress.ngrok.messages import Fault

_NAME: Final = "ngrok.yml"
NAME: Final = "ngrok.exe" if sys.platform == "win32" else "ngrok"
_SMALL: Final = 1024 * 1024
_SECRET: Final = ("ITSJUSTINTV_", "NGROK_", "PYNGROK_", "OTEL_")
"""Variables that begin so hold secrets of ours and of the person's."""
_PROXIES: Final = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"})
"""Its config file names the proxy to use."""
_CONNECTS_TO = "connect.ngrok-agent.com"


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


@dataclass(frozen=True, slots=True)
class Route:
    """What the config says. `local` is host and port that we listen on; `domain` "" lets ngrok choose."""

    domain: str
    region: str
    local: tuple[str, int]
    proxy: Proxy | None = None

    @property
    def url(self) -> str:
        """The address to ask ngrok for; the scheme alone means any."""
        return f"https://{self.domain}"

    @property
    def upstream(self) -> str:
        host, port = self.local
        host = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared only
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@dataclass(frozen=True, slots=True)
class NgrokSettings:
    """Everything one run of the agent is made from."""

    program: Path
    route: Route
    token: str = field(repr=False)


class SettingsCollector:
    """Reads the config in force, the secrets and the disk."""

    def __init__(
        self,
        *,
        config: ConfigHolder,
        authtoken: Callable[[], Awaitable[str | None]],
        local_address: Callable[[], tuple[str, int] | None],
        folder: Path,
        environ: Mapping[str, str],
        proxies: Proxies,
    ) -> None:
        self._proxies = proxies
        self._config = config
        self._authtoken = authtoken
        self._local_address = local_address
        self._folder = folder
        self._environ = environ

    def route(self) -> Route | None:
        """As the config is now; None while nothing listens."""
        local = self._local_address()
        tunnel = self._config.current.config.tunnel
        proxy = self._proxies.for_host("https", _CONNECTS_TO)
        return None if local is None else Route(tunnel.domain, tunnel.region, local, proxy)

    async def gather(self) -> NgrokSettings | Fault:
        """What to start, or what is lacking."""
        route = self.route()
        if route is None:
            return messages.NOT_LISTENING
        found = await asyncio.to_thread(locate, self._folder, self._environ)
        if found is None:
            return messages.MISSING
        try:
            token = await self._authtoken()
        except SecretsAbsentError:
            return messages.NO_TOKEN
        except SecretsError as error:
            return messages.secrets_waiting(error.message)
        if not token or not token.strip():
            return messages.NO_TOKEN
        return NgrokSettings(found, route, token.strip())
