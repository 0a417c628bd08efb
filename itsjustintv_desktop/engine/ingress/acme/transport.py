"""Our own certificate: Twitch comes straight to the public port, which speaks TLS itself."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import structlog

from itsjustintv_desktop.engine.config.active import ConfigHolder
from itsjustintv_desktop.engine.config.schema import Server
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import CertificateError
from itsjustintv_desktop.engine.core.models import Webhook
from itsjustintv_desktop.engine.core.net.proxies import Proxies
from itsjustintv_desktop.engine.ingress.acme.errors import Explained, Surroundings, explain
from itsjustintv_desktop.engine.ingress.acme.issue import STAGING, Issuing, Retries
from itsjustintv_desktop.engine.ingress.acme.sni_server import SniServer, check_serving
from itsjustintv_desktop.engine.ingress.acme.store import CertStore, Pair
from itsjustintv_desktop.engine.ingress.transports import BaseTransport, TransportState, callback_of
from itsjustintv_desktop.engine.ingress.wellknown import WellKnownTokens

_LOOK_SECONDS = 3600.0
"""The longest time until the next look, so that a clock that was set is noticed."""

_QUIET_SECONDS = 86400.0
"""A certificate just issued is not replaced sooner, however old a wrong clock makes it look."""

_log = structlog.get_logger(__name__)


class AcmeTransport(BaseTransport):
    """`context` goes to the public port before there is any certificate; what it shows is swapped under it."""

    kind = "tls"

    def __init__(
        self,
        clock: Clock,
        on_change: Callable[[], None],
        *,
        config: ConfigHolder,
        folder: Path,
        well_known: WellKnownTokens,
        local_address: Callable[[], tuple[str, int]] | None = None,
        environ: Mapping[str, str] | None = None,
        staging: Mapping[str, str] | None = None,
        proxies: Proxies | None = None,
    ) -> None:
        """`folder` is cert_dir, `local_address` where the public port listens (default: as the config says).

        `environ` may name a root to trust (ITSJUSTINTV_ACME_ROOT), `staging` directories to rehearse with.
        """
        super().__init__(clock, on_change)
        self._config = config
        self._local_address = local_address
        self._store = CertStore(folder)
        self._front = SniServer()
        self._issuing = Issuing(
            clock,
            self._store,
            self._front,
            well_known,
            environ=os.environ if environ is None else environ,
            staging=STAGING if staging is None else staging,
            proxies=proxies or Proxies(),
        )
        self._retries = Retries(clock)
        self._loaded = False
        self._pair: Pair | None = None
        self._unsaved = ""
        """The directory that issued a certificate that could not be written yet."""
        self._trouble: Explained | None = None
        self._wish: Server | None = None

    @property
    def context(self) -> ssl.SSLContext:
        """What the public port listens with, for as long as it lives."""
        return self._front.context

    async def run(self) -> None:
        while True:
            server = self._config.current.config.server
            if server != self._wish:
                if self._wish is not None:
                    self._retries.hurry(changed=True)
                    self._trouble = None
                self._wish = server
            try:
                await self._look(server)
            except CertificateError as error:
                self._failed(server, error)
            if await self._pause(self._next_look(server)):
                self._retries.hurry(changed=False)

    async def _look(self, server: Server) -> None:
        """Bring the present certificate into use, and have a new one when it is time. Raises CertificateError."""
        if not self._loaded:
            self._pair, self._issuing.cache = await asyncio.to_thread(self._store.load)
            self._loaded = True
            if self._pair is not None:
                await self._front.use(self._pair)
            self._trouble = None
        if self._pair is not None and not self._unsaved:
            await self._issuing.restore(self._pair)
        if self._usable(server):
            await self._serve(server)
        if self._retries.wait > 0:
            return
        if self._unsaved and self._pair is not None:
            await self._issuing.keep(self._pair, self._unsaved)
            self._unsaved = ""
            self._retries.succeeded()
            self._well(server)
        if self._renewal(server) <= self._clock.now():
            await self._renew(server)

    async def _renew(self, server: Server) -> None:
        if not self._usable(server) and self._trouble is None:
            names = ", ".join(server.tls.domains)
            text = f"A certificate for {names} is being ordered from {self._around(server).authority}."
            self._tell(TransportState.STARTING, "ordering", text, facts=self._facts(server))
        self._retries.began()
        directory = server.tls.directory_url
        pair = await self._issuing.obtain(server, rehearse=self._retries.rehearse)
        await self._front.use(pair)
        self._pair, self._unsaved = pair, directory
        _log.info("a certificate was issued", names=", ".join(pair.names), until=_date(pair.not_after))
        unwritten: CertificateError | None = None
        try:
            await self._issuing.keep(pair, directory)
            self._unsaved = ""
        except CertificateError as error:
            unwritten = error  # it works from memory meanwhile
        self._retries.succeeded(quiet=min(_QUIET_SECONDS, (pair.not_after - pair.not_before) / 2))
        self._trouble = None
        await self._serve(server)
        if unwritten is not None:
            raise unwritten

    async def _serve(self, server: Server) -> None:
        """Tell where Twitch finds us, once the listener shows that it works."""
        assert self._pair is not None
        await check_serving(self._pair, self._around(server).address)
        nothing_to_mend = not self._unsaved and self._renewal(server) > self._clock.now()
        if self._trouble is None or self._trouble.code == "not_serving" or nothing_to_mend:
            self._well(server)

    def _well(self, server: Server) -> None:
        assert self._pair is not None
        self._trouble = None
        callback = callback_of(self._config.current.config, server.tls.domains[0])
        self._set_target(Webhook(callback))
        self._tell(
            TransportState.READY,
            "ready",
            f"Twitch posts to {callback}, with a certificate of our own until {_date(self._pair.not_after)[:10]}.",
            address=callback,
            facts=self._facts(server),
        )

    def _failed(self, server: Server, error: CertificateError) -> None:
        found = explain(error, self._around(server))
        now, pair = self._clock.now(), self._pair
        usable = self._usable(server)
        urgent = not usable or pair is None or pair.ending(now)
        wait = self._retries.failed(found.code, urgent=urgent, retry_after=error.retry_after)
        if usable and pair is not None and found.code != "not_serving":
            self._with_old(server, pair, found, wait)
            return
        self._trouble = found
        if pair is not None and pair.covers(server.tls.domains) and now >= pair.not_after:
            ended = f"The certificate ended on {_date(pair.not_after)[:10]}, and there is no new one. {found.message}"
            found = found._replace(state=TransportState.FAILING, code="expired", message=ended)
        self._say(server, found, wait)

    def _with_old(self, server: Server, pair: Pair, found: Explained, wait: float) -> None:
        """No new certificate, and the present one still does: no reason for alarm before its last tenth."""
        if self._trouble is None or self._trouble.code != found.code:
            text = f"{found.message} {found.fix}".strip()
            _log.warning("the certificate could not be renewed; the present one is used", state=found.code, text=text)
        self._trouble = found
        if pair.ending(self._clock.now()):
            left = f"The certificate ends on {_date(pair.not_after)[:10]} and could not be renewed yet. {found.message}"
            self._say(server, found._replace(state=TransportState.WAITING, message=left), wait)
            return
        facts = {**self._facts(server), "renewal_problem": found.message, "next_try": self._at(wait)}
        self._tell(TransportState.READY, "ready", self._status.message, found.fix, facts=facts)

    def _say(self, server: Server, found: Explained, wait: float) -> None:
        facts = {**self._facts(server), "next_try": self._at(wait)}
        self._tell(found.state, found.code, found.message, found.fix, facts=facts)

    def _usable(self, server: Server) -> bool:
        """There is a certificate for what the config asks for, and it has not ended."""
        pair = self._pair
        if pair is None or not pair.covers(server.tls.domains) or self._clock.now() >= pair.not_after:
            return False
        return (self._unsaved or self._issuing.cache.issued_by) in {"", server.tls.directory_url}

    def _renewal(self, server: Server) -> float:
        """When a new certificate is due, in Unix seconds."""
        return self._pair.renew_at() if self._pair is not None and self._usable(server) else 0.0

    def _next_look(self, server: Server) -> float:
        due = max(self._renewal(server) - self._clock.now(), 0.0)
        if self._unsaved or self._trouble is not None:
            due = 0.0
        return min(max(due, self._retries.wait), _LOOK_SECONDS)

    def _facts(self, server: Server) -> dict[str, str]:
        facts = {"authority": self._around(server).authority}
        if self._pair is not None:
            facts["certificate_names"] = ", ".join(self._pair.names)
            facts["certificate_until"] = _date(self._pair.not_after)
            if self._usable(server):
                facts["next_renewal"] = _date(self._pair.renew_at())
        return facts

    def _around(self, server: Server) -> Surroundings:
        address = self._local_address() if self._local_address is not None else (server.listen_addr, server.port)
        return Surroundings(server, address)

    def _at(self, wait: float) -> str:
        return _date(self._clock.now() + wait)


def _date(seconds: float) -> str:
    """RFC 3339, whole seconds."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
