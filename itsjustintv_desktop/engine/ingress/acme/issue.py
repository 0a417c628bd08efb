"""Getting a certificate from the authority, rehearsed elsewhere while things go wrong; and the pauses between tries."""

from __future__ import annotations

import asyncio
import importlib
import random
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import structlog

from itsjustintv_desktop.engine.config.schema import Server
from itsjustintv_desktop.engine.core.backoff import Backoff
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import CertificateError
from itsjustintv_desktop.engine.core.net.proxies import Proxies
from itsjustintv_desktop.engine.ingress.acme.http01 import HttpChallenge
from itsjustintv_desktop.engine.ingress.acme.sni_server import SniServer
from itsjustintv_desktop.engine.ingress.acme.store import Account, Cache, CertStore, Pair, Pending
from itsjustintv_desktop.engine.ingress.wellknown import WellKnownTokens

if TYPE_CHECKING:
    from itsjustintv_desktop.engine.ingress.acme.order import Ordering, Presenter

_log = structlog.get_logger(__name__)

ROOT_VARIABLE = "ITSJUSTINTV_ACME_ROOT"
"""A PEM file trusted besides the system's store when the directory is asked: for a test authority."""

STAGING = {
    "https://acme-v02.api.letsencrypt.org/directory": "https://acme-staging-v02.api.letsencrypt.org/directory",
}
"""Where to rehearse, by directory. Source: https://letsencrypt.org/docs/staging-environment/"""

_SAYS_NOTHING = frozenset({"unreachable", "answer", "late", "serverInternal", "rateLimited"})
"""How a rehearsal may fail without saying anything about the real thing."""
_FIRST, _FACTOR, _LONGEST = 60.0, 10.0, 86400.0
"""Quick at first, then rarely: every failed try counts against the authority's limits."""
_URGENT = 3600.0
"""The longest pause while there is no good certificate, or one with less than a tenth of its life left."""
_HERE = 600.0
"""The longest pause while the trouble is on this machine, where trying costs nobody anything."""
_JITTER = 0.2
_LEAST = 60.0
_AT_HOME = frozenset({"disk", "http_port", "not_serving"})
_PROVING = frozenset({"wrong_dns", "port_closed", "refused"})
_REHEARSE_AFTER = 2


class TlsChallenge:
    """Implements `order.Presenter` on the public port itself (tls-alpn-01)."""

    def __init__(self, front: SniServer) -> None:
        self._front = front

    async def show(self, domain: str, token: str, key_authorization: str) -> None:
        await self._front.show(domain, key_authorization)

    def refresh(self) -> None:
        """It stays until it is cleared."""

    async def clear(self) -> None:
        self._front.clear()


class Issuing:
    """Holds accounts and the order under way, in `cache` and on disk."""

    def __init__(
        self,
        clock: Clock,
        store: CertStore,
        front: SniServer,
        well_known: WellKnownTokens,
        *,
        environ: Mapping[str, str],
        staging: Mapping[str, str],
        proxies: Proxies,
    ) -> None:
        self._clock = clock
        self._store = store
        self._front = front
        self._well_known = well_known
        self._environ = environ
        self._staging = staging
        self._proxies = proxies
        self.cache = Cache()

    async def obtain(self, server: Server, *, rehearse: bool) -> Pair:
        """A new certificate. Raises CertificateError."""
        directory = server.tls.directory_url
        elsewhere = self._staging.get(directory)
        if rehearse and elsewhere:
            try:
                await self._order(server, elsewhere, real=False)
            except CertificateError as error:
                if error.kind not in _SAYS_NOTHING:
                    raise
            else:
                _log.info("the rehearsal went well; now the real certificate is ordered")
        return await self._order(server, directory, real=True)

    async def keep(self, pair: Pair, directory: str) -> None:
        """Write a new certificate. Raises CertificateError of kind "disk"; it may be called again."""
        await asyncio.to_thread(self._store.save_pair, pair)
        await self._remember(msgspec.structs.replace(self.cache, pending=None, issued_by=directory))

    async def restore(self, pair: Pair) -> None:
        """Write again what somebody deleted. Raises CertificateError of kind "disk"."""
        if await asyncio.to_thread(self._store.restore, pair, self.cache):
            _log.warning("files of the certificate were deleted while the program runs; they are written again")

    async def _order(self, server: Server, directory: str, *, real: bool) -> Pair:
        ordering = await self._desk(server, directory, real=real)
        try:
            account = self.cache.accounts.get(directory)
            pending = self.cache.pending if real else None
            try:
                return await self._obtain(ordering, server, directory, account, pending)
            except CertificateError as error:
                if error.kind != "accountDoesNotExist" or account is None:
                    raise
            _log.warning("the authority does not know our account any more; a new one is made", authority=directory)
            return await self._obtain(ordering, server, directory, None, None)
        finally:
            await ordering.close()

    async def _obtain(
        self, ordering: Ordering, server: Server, directory: str, account: Account | None, pending: Pending | None
    ) -> Pair:
        entered = await ordering.sign_in(account, server.tls.email)
        if entered != account:
            accounts = {**self.cache.accounts, directory: entered}
            await self._remember(msgspec.structs.replace(self.cache, accounts=accounts))
        return await ordering.obtain(server.tls.domains, pending)

    async def _desk(self, server: Server, directory: str, *, real: bool) -> Ordering:
        # The library takes a fifth of a second to load, and most starts never need it.
        await asyncio.to_thread(importlib.import_module, f"{__package__}.order")
        from itsjustintv_desktop.engine.ingress.acme.client import Authority
        from itsjustintv_desktop.engine.ingress.acme.order import Ordering

        presenter: Presenter
        if server.tls.challenge == "http-01":
            presenter = HttpChallenge(self._well_known, self._clock, server.listen_addr, server.tls.http_port)
        else:
            presenter = TlsChallenge(self._front)
        root = self._environ.get(ROOT_VARIABLE)
        proxy = self._proxies.for_url(directory)
        authority = await asyncio.to_thread(
            partial(Authority, directory, root=Path(root) if root else None, proxy=proxy)
        )
        note = self._note if real else _forget
        return Ordering(self._clock, authority, presenter, server.tls.challenge, note, directory)

    async def _note(self, pending: Pending | None) -> None:
        await self._remember(msgspec.structs.replace(self.cache, pending=pending))

    async def _remember(self, cache: Cache) -> None:
        await asyncio.to_thread(self._store.save_cache, cache)
        self.cache = cache


async def _forget(_: Pending | None) -> None:
    """A rehearsal is not gone on with."""


class Retries:
    """Counts what failed in a row and says how long to wait."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pauses = Backoff(_FIRST, _LONGEST, factor=_FACTOR)
        self._unproven = 0
        self._due = clock.monotonic()
        self._last = clock.monotonic() - _LEAST
        self._demanded = clock.monotonic()
        """Until then the authority wants to hear nothing of us, whoever asks."""

    @property
    def wait(self) -> float:
        """Seconds until the next try; 0 = now."""
        return max(0.0, self._due - self._clock.monotonic())

    @property
    def rehearse(self) -> bool:
        """The authority refused us twice or more: try where it costs nothing first."""
        return self._unproven >= _REHEARSE_AFTER

    def began(self) -> None:
        """A try begins."""
        self._last = self._clock.monotonic()

    def succeeded(self, *, quiet: float = 0.0) -> None:
        """All went well; not again within `quiet` seconds, whatever a wrong clock makes of the certificate."""
        self._pauses.reset()
        self._unproven = 0
        self._due = self._clock.monotonic() + quiet

    def failed(self, code: str, *, urgent: bool, retry_after: float | None) -> float:
        """Note a failure of this named state; gives the seconds until the next try."""
        step = self._pauses.next()
        self._unproven += code in _PROVING
        if urgent:
            step = min(step, _URGENT)
        if code in _AT_HOME:
            step = min(step, _HERE)
        step *= 1 + random.uniform(-_JITTER, _JITTER)
        now = self._clock.monotonic()
        if retry_after is not None:
            self._demanded = now + retry_after
        self._due = max(now + step, self._demanded)
        return self.wait

    def hurry(self, *, changed: bool) -> None:
        """Somebody asks, or the config changed: try soon, but never against the authority's word."""
        if changed:
            self._pauses.reset()
            self._unproven = 0
        soon = self._clock.monotonic() if changed else self._last + _LEAST
        self._due = max(min(self._due, soon), self._demanded)
