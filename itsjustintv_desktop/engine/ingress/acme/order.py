"""One order, from asking for it to the certificate; where it broke off, it goes on.

Source: RFC 8555 7.4 (orders), 7.5 (proving).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import Protocol, TypeVar

import structlog

from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import CertificateError
from itsjustintv_desktop.engine.ingress.acme.client import Authority, ChallengeKind, Order, Proof
from itsjustintv_desktop.engine.ingress.acme.store import Account, Pair, Pending, new_key, pair_of, request_for
from itsjustintv_desktop.engine.storage.secrets.blocking_thread import BlockingThread, finished

T = TypeVar("T")

CALL_SECONDS = 60.0
"""One call may be a few requests; each has its own deadline beneath this."""
PROOF_SECONDS = 120.0
ISSUE_SECONDS = 180.0

_GONE = frozenset({"unauthorized", "malformed", "accountDoesNotExist", "notFound", "answer", ""})

_log = structlog.get_logger(__name__)


class Presenter(Protocol):
    """Shows the answers to challenges to whoever looks."""

    async def show(self, domain: str, token: str, key_authorization: str) -> None: ...

    def refresh(self) -> None:
        """Called every few seconds while something is shown."""
        ...

    async def clear(self) -> None: ...


class Ordering:
    """One authority's desk. A thread of its own makes the calls, so that a silent authority holds up no shutdown."""

    def __init__(
        self,
        clock: Clock,
        authority: Authority,
        presenter: Presenter,
        kind: ChallengeKind,
        note: Callable[[Pending | None], Awaitable[None]],
        directory: str,
    ) -> None:
        """`note` keeps the order under way across a restart. It may raise CertificateError of kind "disk"."""
        self._clock = clock
        self._authority = authority
        self._presenter = presenter
        self._kind = kind
        self._note = note
        self._directory = directory
        self._worker = BlockingThread("acme")

    async def sign_in(self, account: Account | None, address: str) -> Account:
        return await self._ask(partial(self._authority.sign_in, account, address))

    async def obtain(self, names: Sequence[str], pending: Pending | None) -> Pair:
        """A certificate for these names. Raises CertificateError."""
        order, pending = await self._resume(names, pending)
        key = pending.key_pem.encode()
        request = await asyncio.to_thread(request_for, key, names)
        try:
            if order.status == "pending":
                order = await self._prove(order)
            if order.status == "ready":
                await self._ask(partial(self._authority.finalize, order, request))
            order = await self._poll(order, {"valid"}, ISSUE_SECONDS)
            chain = await self._ask(partial(self._authority.certificate, order.certificate))
            return await asyncio.to_thread(_fitting, key, chain, names)
        except CertificateError as error:
            if error.validation or error.kind == "answer":  # this order is dead, whatever is mended
                await self._note(None)
            raise

    async def close(self) -> None:
        """A call under way is left to itself."""
        self._worker.submit(self._authority.close)
        await self._worker.close(0.0)

    async def _resume(self, names: Sequence[str], pending: Pending | None) -> tuple[Order, Pending]:
        if pending is not None and pending.directory == self._directory and set(pending.names) == set(names):
            try:
                order = await self._ask(partial(self._authority.order, pending.uri))
            except CertificateError as error:
                if error.kind not in _GONE:
                    raise
            else:
                if order.status != "invalid":
                    _log.info("an order for a certificate goes on", status=order.status)
                    return order, pending
        key = await asyncio.to_thread(new_key)
        request = await asyncio.to_thread(request_for, key, names)
        order = await self._ask(partial(self._authority.new_order, request))
        made = Pending(directory=self._directory, names=tuple(names), uri=order.uri, key_pem=key.decode())
        await self._note(made)
        return order, made

    async def _prove(self, order: Order) -> Order:
        """Show that every name is ours. Raises CertificateError saying what the authority saw."""
        try:
            waiting: list[Proof] = []
            for uri in order.authorizations:
                proof = await self._ask(partial(self._authority.proof, uri, self._kind))
                if proof.status == "pending":
                    await self._presenter.show(proof.domain, proof.token, proof.key_authorization)
                    waiting.append(proof)
                elif proof.status != "valid":
                    raise _failed(proof)
            for proof in waiting:
                await self._ask(partial(self._authority.answer, proof))
            for proof in waiting:
                await self._proven(proof)
        finally:
            await self._presenter.clear()
        return await self._poll(order, {"ready", "processing", "valid"}, ISSUE_SECONDS)

    async def _proven(self, proof: Proof) -> None:
        for pause in _pauses(PROOF_SECONDS):
            now = await self._ask(partial(self._authority.proof, proof.uri, self._kind))
            if now.status == "valid":
                return
            if now.status != "pending":
                raise _failed(now)
            self._presenter.refresh()
            await self._clock.sleep(pause)
        raise CertificateError("it did not come to a verdict in time", kind="late", domain=proof.domain)

    async def _poll(self, order: Order, wanted: set[str], seconds: float) -> Order:
        for pause in _pauses(seconds):
            if order.status in wanted:
                return order
            if order.status == "invalid":
                found = order.problem or CertificateError("it gave no reason", kind="rejectedIdentifier")
                raise CertificateError(found.message, kind=found.kind, domain=found.domain, validation=True)
            await self._clock.sleep(pause)
            order = await self._ask(partial(self._authority.order, order.uri))
        raise CertificateError("it did not finish the order in time", kind="late")

    async def _ask(self, call: Callable[[], T]) -> T:
        future = self._worker.submit(call)
        if not await finished(future, CALL_SECONDS):
            raise CertificateError("no answer in time", kind="unreachable")
        return future.result()


def _pauses(seconds: float) -> Iterator[float]:
    """Ever longer ones, that long in all."""
    pause = 0.25
    while seconds > 0:
        yield pause
        seconds -= pause
        pause = min(pause * 1.5, 5.0)


def _failed(proof: Proof) -> CertificateError:
    return proof.problem or CertificateError(
        f"it is {proof.status}", kind="unauthorized", domain=proof.domain, validation=True
    )


def _fitting(key_pem: bytes, chain_pem: bytes, names: Sequence[str]) -> Pair:
    try:
        pair = pair_of(key_pem, chain_pem)
    except ValueError as error:
        raise CertificateError(f"It issued something unusable: {error}", kind="answer") from error
    if not pair.covers(names):
        raise CertificateError("It issued a certificate for other names", kind="answer")
    return pair
