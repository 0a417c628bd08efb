"""Which conduit is this machine's: the one whose id the ledger holds. All others are left alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import structlog

from itsjustintv_desktop.engine.core.errors import (
    ConduitLimitError,
    ConduitTakenError,
    TwitchError,
    TwitchRateLimitedError,
)
from itsjustintv_desktop.engine.ingress.conduit.shard import OurShard
from itsjustintv_desktop.engine.twitch.conduits import MOST, Conduits

META = "conduit"
"""Key of the id in the ledger; an empty value is the same as none."""
OWNER = "conduit_client"
"""Key of the client id that it was made with: only that one can see it. Written after META, so it may be that of the
one before; absent in ledgers of earlier versions."""
TAKEN = "conduit_taken"
"""Key of the id of a conduit that another program took from us: we don't fight over it, not even after a restart."""

_log = structlog.get_logger(__name__)


class MetaStore(Protocol):
    """The part of the ledger that is used here. Both raise LedgerError."""

    async def meta(self, key: str) -> str | None: ...

    async def set_meta(self, key: str, value: str) -> None: ...


class ConduitRegistry:
    """Finds it, or makes one. Two machines on one client id have a ledger each, and so a conduit each."""

    def __init__(
        self,
        conduits: Conduits,
        shard: OurShard,
        meta: MetaStore,
        *,
        on_gone: Callable[[str], None],
        on_left: Callable[[], None],
    ) -> None:
        """`on_gone` is called with the id of a conduit of ours that Twitch no longer has, `on_left` when the one held
        belongs to the client id before."""
        self._conduits = conduits
        self._shard = shard
        self._meta = meta
        self._on_gone = on_gone
        self._on_left = on_left
        self._made = ""
        """Made at Twitch and not yet in the ledger: kept, or a full disk would make five of them."""

    async def held(self) -> str:
        """The id the ledger holds, "" for none. Raises LedgerError."""
        return await self._meta.meta(META) or ""

    async def get(self) -> str:
        """The id of one that exists, in the ledger before anybody hears of it.

        Raises TwitchError (ConduitLimitError and ConduitTakenError too), SecretsError, LedgerError.
        """
        held, owner = await self.held(), await self._meta.meta(OWNER) or ""
        client_id = await self._conduits.client_id()
        there = [each.id for each in await self._conduits.list()]
        if held and held in there:
            await self._must_be_free(held)
            if owner != client_id:
                await self._meta.set_meta(OWNER, client_id)
            return held
        left = bool(held and owner) and owner != client_id
        if left:
            self._on_left()
        elif held:
            self._on_gone(held)
        if self._made not in there:
            self._made = await self._make(len(there))
        made = self._made
        await self._meta.set_meta(META, made)
        await self._meta.set_meta(OWNER, client_id)
        self._made = ""
        _log.info("made a conduit", conduit=made)
        if left:
            await self._leave(held, owner)
        return made

    async def was_taken(self, conduit_id: str) -> None:
        """Another program serves it: leave it alone until nobody does, or a person adopts it here."""
        await self._meta.set_meta(TAKEN, conduit_id)

    async def _leave(self, conduit_id: str, owner: str) -> None:
        """Only its own client id may take it away. Not before there is a new one: an id may be a slip of the pen."""
        gone = False
        if await self._meta.meta(TAKEN) != conduit_id:
            try:
                gone = await self._conduits.delete_formerly(conduit_id, owner)
            except TwitchError as error:
                _log.debug("the conduit before cannot be deleted", reason=error.message)
        if gone:
            _log.info("the conduit of the client id before was deleted", conduit=conduit_id)
        else:
            _log.info(
                "the conduit of the client id before is left to Twitch, which takes it away when nobody was connected "
                "for 72 hours",
                conduit=conduit_id,
            )

    async def _must_be_free(self, held: str) -> None:
        if await self._meta.meta(TAKEN) != held:
            return
        if not await self._shard.is_free(held):
            raise ConduitTakenError("Another program took this machine's conduit over and gets the events now.")
        await self._meta.set_meta(TAKEN, "")

    async def _make(self, there: int) -> str:
        try:
            return (await self._conduits.create(1)).id
        except TwitchRateLimitedError as error:
            if there < MOST:
                raise
            raise ConduitLimitError(
                f"This client id has {there} conduits already, as many as Twitch allows."
            ) from error
