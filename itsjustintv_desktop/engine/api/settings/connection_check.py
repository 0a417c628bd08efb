"""Would this way work? Looked at before anything is switched: the way in use goes on as it is."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from itsjustintv_desktop.engine.config.active import ConfigHolder
from itsjustintv_desktop.engine.config.addresses import callback_url, domains, is_loopback
from itsjustintv_desktop.engine.config.endpoints import Endpoints
from itsjustintv_desktop.engine.config.problems import Mistake
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import AppError, SecretsError, TwitchError, os_sentence
from itsjustintv_desktop.engine.core.net.address_guard import Resolver
from itsjustintv_desktop.engine.core.net.client import Outbound
from itsjustintv_desktop.engine.core.net.errors import network_sentence
from itsjustintv_desktop.engine.core.phrases import count
from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.engine.ingress.ngrok.settings import locate
from itsjustintv_desktop.engine.ingress.wellknown import WellKnownTokens
from itsjustintv_desktop.engine.monitoring.doctor.checks import reachable, token
from itsjustintv_desktop.engine.monitoring.doctor.facts import TwitchFacts
from itsjustintv_desktop.engine.monitoring.doctor.probe import Probe, Reached
from itsjustintv_desktop.engine.monitoring.doctor.report import Check, amber, green, red
from itsjustintv_desktop.engine.storage.secrets import SecretValues
from itsjustintv_desktop.engine.twitch.client import HelixClient
from itsjustintv_desktop.engine.twitch.helix import MOST_CONDUITS, Conduits
from itsjustintv_desktop.engine.twitch.http import ClockSkew, TwitchHttp
from itsjustintv_desktop.engine.twitch.tokens import AppTokens, Credentials

SECONDS = 15.0
"""For everything that somebody else is asked."""
_CONSOLE = "dev.twitch.tv/console/apps"


class TransportDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A way as the form has it. None: as it is now, kept secrets included.

    `domains`, `port` and `challenge` are for tls, `address` (the whole callback) for own, `authtoken` for ngrok.
    """

    kind: Literal["conduit", "ngrok", "tls", "own"]
    client_id: str | None = None
    client_secret: str | None = None
    authtoken: str | None = None
    domains: tuple[str, ...] = ()
    listen_addr: str | None = None
    port: int | None = None
    challenge: Literal["tls-alpn-01", "http-01"] = "tls-alpn-01"
    http_port: int = 80
    address: str = ""

    def __repr__(self) -> str:
        return f"WayDraft({self.kind!r})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [("kind", self.kind)]


class CredentialsCheck:
    """Asks Twitch with a token of its own: what the running program uses is left alone."""

    def __init__(
        self,
        values: SecretValues,
        environ: Mapping[str, str],
        outbound: Outbound,
        config: ConfigHolder,
        clock: Clock,
    ) -> None:
        self.values = values
        self.environ = environ
        self.outbound = outbound
        self.config = config
        self.clock = clock

    async def check(self, draft: TransportDraft) -> list[Check]:
        """Whether Twitch takes the credentials; for a conduit, whether there may be one."""
        client_id = self.config.current.config.twitch.client_id if draft.client_id is None else draft.client_id.strip()
        http = TwitchHttp(clock=self.clock, skew=ClockSkew(), outbound=self.outbound)
        tasks = Tasks()

        async def credentials() -> Credentials:
            secret = draft.client_secret.strip() if draft.client_secret is not None else None
            return Credentials(client_id, secret if secret is not None else await self.values.client_secret() or "")

        endpoints = Endpoints.from_environ(self.environ)
        tokens = AppTokens(
            http=http, auth_url=endpoints.auth_url, credentials=credentials, store=None, tasks=tasks, clock=self.clock
        )
        client = HelixClient(http=http, tokens=tokens, api_url=endpoints.api_url, clock=self.clock)
        try:
            problem = await _problem(tokens)
            found = [token(TwitchFacts(problem=problem, clock_known=False, clock_problem=None))]
            if problem is None and draft.kind == "conduit":
                found.append(await self._conduit(Conduits(client)))
            return found
        finally:
            try:
                await tasks.stop()
            finally:  # a dialog that closes may cancel once more
                await http.close()

    async def _conduit(self, conduits: Conduits) -> Check:
        name = "conduit"
        try:
            async with asyncio.timeout(SECONDS):
                held = await conduits.list()
        except TimeoutError:
            return amber(name, "Twitch did not say in time which conduits there are.", "Try again.")
        except (TwitchError, SecretsError) as error:
            return red(name, f"Twitch does not show the conduits: {error.message}", "See the message.")
        if len(held) < MOST_CONDUITS:
            return green(
                name, f"There is room: {count(len(held), 'conduit')} of {MOST_CONDUITS} in use. Nothing else is needed."
            )
        return amber(
            name,
            f"All {MOST_CONDUITS} conduits of this client id are in use. If one of them is ours, it is used.",
            "Else delete one with `conduit delete`, or register an application for this program alone.",
        )


class ConnectionCheck:
    """Every check is of doctor's form: green, amber (may work), red (cannot). Never raises."""

    def __init__(
        self,
        credentials: CredentialsCheck,
        ngrok_folder: Path,
        well_known: WellKnownTokens,
        address: Callable[[], tuple[str, int] | None],
    ) -> None:
        """`address` is that of the public server, once it listens."""
        self._credentials = credentials
        self._ngrok_folder = ngrok_folder
        self._well_known = well_known
        self._address = address

    async def check(self, draft: TransportDraft) -> tuple[Check, ...]:
        """Credentials first, since no way works without them; then what this way needs."""
        asked = await self._credentials.check(draft)
        if draft.kind == "ngrok":
            return (*asked, *await self._ngrok(draft))
        if draft.kind == "tls":
            return (*asked, *await self._tls(draft))
        if draft.kind == "own":
            return (*asked, *await self._own(draft))
        return tuple(asked)

    async def _ngrok(self, draft: TransportDraft) -> list[Check]:
        values = self._credentials.values
        program = await asyncio.to_thread(locate, self._ngrok_folder, self._credentials.environ)
        if program is None:
            installed = red("ngrok", "ngrok's program is not installed.", "Let it be downloaded: `tunnel install`.")
        else:
            installed = green("ngrok", "ngrok's program is installed.")
        name, fix = "authtoken", "Copy yours from dashboard.ngrok.com, Your Authtoken."
        try:
            given = draft.authtoken if draft.authtoken is not None else await values.tunnel_authtoken()
        except SecretsError as error:
            return [installed, red(name, f"The authtoken cannot be looked up: {error.message}", fix)]
        if not (given or "").strip():
            return [installed, red(name, "No authtoken of ngrok is there.", fix)]
        if len((given or "").split()) != 1:
            return [installed, red(name, "The authtoken holds a space or a line break.", fix)]
        return [installed, green(name, "An authtoken is there. Whether ngrok takes it shows when the tunnel starts.")]

    async def _tls(self, draft: TransportDraft) -> list[Check]:
        server = self._credentials.config.current.config.server
        listen = server.listen_addr if draft.listen_addr is None else draft.listen_addr
        port = server.port if draft.port is None else draft.port
        found: list[Check] = []
        try:
            names = domains(draft.domains, lambda _: None)
        except Mistake as mistake:
            found.append(red("name", f"The names cannot be used: {mistake}.", "Correct them."))
            names = ()
        else:
            if not names:
                found.append(red("name", "A certificate needs a name.", "Enter one that leads to this machine."))
        found += await asyncio.gather(*(_resolves(name) for name in names))
        found.append(await self._port("port", listen, port))
        if draft.challenge == "http-01":
            found.append(await self._port("http port", listen, draft.http_port))
        if not is_loopback(listen):
            return found
        fix = 'Listen at "0.0.0.0", or let a program in front forward to it.'
        return [*found, amber("listening", "It would listen on this machine alone, where nobody reaches it.", fix)]

    async def _port(self, name: str, host: str, port: int) -> Check:
        ours = self._address()
        if ours is not None and ours[1] == port:
            return green(name, f"Port {port} is ours already.")
        try:
            await asyncio.to_thread(_bind, host, port)
        except OSError as error:
            fix = "Choose another port, and let the router forward 443 to it." if name == "port" else "Free it."
            return red(name, f"Port {port} cannot be used: {os_sentence(error)}.", fix)
        return green(name, f"Port {port} is free.")

    async def _own(self, draft: TransportDraft) -> list[Check]:
        name, warnings = "address", list[str]()
        try:
            callback = callback_url(draft.address, warnings.append)
        except Mistake as mistake:
            return [red(name, f"The address cannot be used: {mistake}.", "Correct it.")]
        if warnings:
            well = amber(name, " ".join(f"{each[:1].upper()}{each[1:]}." for each in warnings))
        else:
            well = green(name, "The address is well formed.")
        if self._address() is None:
            return [well]
        clock, outbound = self._credentials.clock, self._credentials.outbound
        probed = await Probe(clock, self._well_known, outbound.trust.context).ask(callback)
        found = [well, reachable(probed, clock.now())]
        if probed.reached is Reached.CERTIFICATE:
            text = f"Who answers there shows a certificate that cannot be trusted: {probed.detail}."
            found.append(red("certificate", text, "Renew it where TLS ends: at the reverse proxy or tunnel."))
        return found


async def _problem(tokens: AppTokens) -> AppError | None:
    try:
        async with asyncio.timeout(SECONDS):
            await tokens.get()
    except TimeoutError:
        return TwitchError("It did not answer in time.")
    except (TwitchError, SecretsError) as error:
        return error
    return None


async def _resolves(name: str) -> Check:
    """Twitch and the authority use IPv4 at least."""
    label = f"name {name}"
    try:
        async with asyncio.timeout(SECONDS):
            found = await Resolver().resolve(name, 443, socket.AF_INET)
    except (OSError, TimeoutError) as error:
        fix = f"Give {name} an A record (IPv4) at whoever keeps that name."
        return red(label, f"{name} leads nowhere: {network_sentence(error)}.", fix)
    addresses = sorted({one["host"] for one in found})
    return green(label, f"{name} leads to {', '.join(addresses[:3])}. That must be your router or this machine.")


def _bind(host: str, port: int) -> None:
    """Blocks. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as made:
        if hasattr(socket, "SO_REUSEADDR") and socket.SO_REUSEADDR and not hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(1)
