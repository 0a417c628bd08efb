"""What is needed before the agent can start, gathered anew for each start."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from itsjustintv_desktop.engine.config.schema import Config
from itsjustintv_desktop.engine.core.errors import SecretsAbsentError, SecretsError
from itsjustintv_desktop.engine.core.net.proxies import Proxies, Proxy
from itsjustintv_desktop.engine.ingress.ngrok import messages, program
from itsjustintv_desktop.engine.ingress.ngrok.messages import Fault

_CONNECTS_TO = "connect.ngrok-agent.com"


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
        config: Callable[[], Config],
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
        tunnel = self._config().tunnel
        proxy = self._proxies.for_host("https", _CONNECTS_TO)
        return None if local is None else Route(tunnel.domain, tunnel.region, local, proxy)

    async def gather(self) -> NgrokSettings | Fault:
        """What to start, or what is lacking."""
        route = self.route()
        if route is None:
            return messages.NOT_LISTENING
        found = await asyncio.to_thread(program.locate, self._folder, self._environ)
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
