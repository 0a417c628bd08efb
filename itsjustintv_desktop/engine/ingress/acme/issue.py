"""Getting a certificate from the authority of the config: with a rehearsal elsewhere while things go wrong."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import structlog

from itsjustintv_desktop.engine.config.schema import Server
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import CertificateError
from itsjustintv_desktop.engine.core.net.proxies import Proxies
from itsjustintv_desktop.engine.ingress.acme.certificate import Pair
from itsjustintv_desktop.engine.ingress.acme.http01 import HttpChallenge
from itsjustintv_desktop.engine.ingress.acme.sni_server import SniServer
from itsjustintv_desktop.engine.ingress.acme.store import Account, Cache, CertStore, Pending
from itsjustintv_desktop.engine.ingress.wellknown import WellKnownTokens

if TYPE_CHECKING:
    from itsjustintv_desktop.engine.ingress.acme.order import Ordering, Presenter

ROOT_VARIABLE = "ITSJUSTINTV_ACME_ROOT"
"""A PEM file trusted besides the system's store when the directory is asked: for a test authority."""

STAGING = {
    "https://acme-v02.api.letsencrypt.org/directory": "https://acme-staging-v02.api.letsencrypt.org/directory",
}
"""Where to rehearse, by directory. Source: https://letsencrypt.org/docs/staging-environment/"""

_SAYS_NOTHING = frozenset({"unreachable", "answer", "late", "serverInternal", "rateLimited"})
"""How a rehearsal may fail without saying anything about the real thing."""

_log = structlog.get_logger(__name__)


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
