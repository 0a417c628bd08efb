"""This machine's conduit (its id is in the ledger), its one shard, and all conduits as a person sees them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec
import structlog

from itsjustintv_desktop.engine.core.errors import (
    ConduitGoneError,
    ConduitLimitError,
    ConduitTakenError,
    NotFoundError,
    ShardRefusedError,
    TwitchError,
    TwitchRateLimitedError,
    UsageError,
)
from itsjustintv_desktop.engine.twitch.helix import ENABLED, MOST_CONDUITS, Conduits, Shard, ShardUpdate

_log = structlog.get_logger(__name__)

META = "conduit"
"""Key of the id in the ledger; an empty value is the same as none."""
OWNER = "conduit_client"
"""Key of the client id that it was made with: only that one can see it. Written after META, so it may be that of the
one before; absent in ledgers of earlier versions."""
TAKEN = "conduit_taken"
"""Key of the id of a conduit that another program took from us: we don't fight over it, not even after a restart."""
SHARD = "0"
_SECONDS = 8.0
"""Twitch closes a socket that serves nothing 10 seconds after its welcome."""


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
            if there < MOST_CONDUITS:
                raise
            raise ConduitLimitError(
                f"This client id has {there} conduits already, as many as Twitch allows."
            ) from error


class OurShard:
    """All raise TwitchError (ConduitGoneError too) or SecretsError."""

    def __init__(self, conduits: Conduits) -> None:
        self._conduits = conduits

    async def enable(self, conduit_id: str, session_id: str) -> None:
        """Let this session serve the conduit. Raises ShardRefusedError with Twitch's words."""
        update = await self._conduits.attach(conduit_id, session_id, shard_id=SHARD, timeout=_SECONDS)
        why = _refusal(update)
        if why:
            raise ShardRefusedError(f"Twitch does not let this connection serve the conduit: {why}.")

    async def keep(self, conduit_id: str, session_id: str, *, was_moved: bool) -> bool:
        """Look whether the session still serves, and mend it if nobody does. True: it had to be mended.

        Twitch goes on with its keepalives when another program takes the shard over: without this look we would wait
        for events forever. `was_moved`: Twitch moved us to another server, so that the id may be listed differently.
        Raises ConduitTakenError, ShardRefusedError.
        """
        shard = await self._find(conduit_id)
        if shard is not None and _serves(shard, session_id):
            return False
        if shard is not None and shard.status in {"", ENABLED} and not was_moved:
            raise ConduitTakenError("Another program took this machine's conduit over and gets the events now.")
        _log.warning("our connection no longer served the conduit", shard=shard.status if shard else "missing")
        await self.enable(conduit_id, session_id)
        return True

    async def is_free(self, conduit_id: str) -> bool:
        """Whether nobody serves it now."""
        shard = await self._find(conduit_id)
        return shard is None or shard.status not in {"", ENABLED}

    async def _find(self, conduit_id: str) -> Shard | None:
        return next((shard for shard in await self._conduits.shards(conduit_id) if shard.id == SHARD), None)


def _serves(shard: Shard, session_id: str) -> bool:
    """What Twitch leaves out speaks for us: a connection that works is not given up for it."""
    transport = shard.transport
    is_ours = transport.method in {"", "websocket"} and transport.session_id in {None, "", session_id}
    return shard.status in {"", ENABLED} and is_ours


def _refusal(update: ShardUpdate) -> str:
    """Why it did not work, "" when it did: a 202 says nothing by itself."""
    if update.errors:
        words = "; ".join(error.message or error.code or "no reason given" for error in update.errors)
        return "".join(letter for letter in words if letter.isprintable())[:200].rstrip(".")
    status = next((shard.status for shard in update.data if shard.id == SHARD), "")
    # Said nothing of it: whether it serves is looked at within a minute, and Twitch closes a socket that does not.
    return "" if status in {"", ENABLED} else f"its state is {status[:60]}"


class ShardView(msgspec.Struct, frozen=True, kw_only=True):
    """One end of a conduit. `method` is websocket or webhook, `since` RFC 3339 or empty."""

    id: str
    status: str
    method: str = ""
    since: str = ""


class ConduitView(msgspec.Struct, frozen=True, kw_only=True):
    """One conduit of the client id. `ours`: the one this machine uses."""

    id: str
    shard_count: int
    ours: bool
    shards: tuple[ShardView, ...] = ()

    @property
    def in_use(self) -> bool:
        """Some program is connected to it now."""
        return any(shard.status == "enabled" for shard in self.shards)


class ConduitManager:
    """All raise TwitchError, SecretsError and LedgerError. `changed` is called after ours became another one."""

    def __init__(self, conduits: Conduits, meta: MetaStore, changed: Callable[[], None]) -> None:
        self._conduits = conduits
        self._meta = meta
        self._changed = changed

    async def list(self) -> list[ConduitView]:
        """All of the client id, ours first."""
        ours = await self._meta.meta(META)
        views = [await self._view(each.id, each.shard_count, each.id == ours) for each in await self._conduits.list()]
        return sorted(views, key=lambda view: (not view.ours, view.id))

    async def adopt(self, conduit_id: str) -> ConduitView:
        """Make it this machine's. The one before is left as it is. Raises NotFoundError."""
        view = await self._find(conduit_id)
        await self._meta.set_meta(TAKEN, "")
        await self._meta.set_meta(META, conduit_id)
        self._changed()
        return ConduitView(id=view.id, shard_count=view.shard_count, ours=True, shards=view.shards)

    async def delete(self, conduit_id: str, *, force: bool = False) -> ConduitView:
        """Take it away with its subscriptions. Raises NotFoundError, and UsageError for ours without `force`."""
        view = await self._find(conduit_id)
        if view.ours and not force:
            raise UsageError(
                f"The conduit {conduit_id} is the one this machine uses. With --force it is deleted all the same; "
                "while the program runs by conduit it makes a new one at once."
            )
        await self._conduits.delete(conduit_id)
        if view.ours:
            await self._meta.set_meta(META, "")
            self._changed()
        return view

    async def _find(self, conduit_id: str) -> ConduitView:
        ours = await self._meta.meta(META)
        for each in await self._conduits.list():
            if each.id == conduit_id:
                return await self._view(each.id, each.shard_count, each.id == ours)
        raise NotFoundError(f"This client id has no conduit {conduit_id}. See `conduit list` for those there are.")

    async def _view(self, conduit_id: str, shard_count: int, ours: bool) -> ConduitView:
        try:
            shards = await self._conduits.shards(conduit_id)
        except ConduitGoneError:
            shards = ()  # deleted between the two questions
        found = tuple(
            ShardView(
                id=shard.id,
                status=shard.status,
                method=shard.transport.method,
                since=shard.transport.connected_at or "",
            )
            for shard in shards
        )
        return ConduitView(id=conduit_id, shard_count=shard_count, ours=ours, shards=found)
