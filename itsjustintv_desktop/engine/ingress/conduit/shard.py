"""The one shard of our conduit: given to a socket, and looked at whether it still is that socket's."""

from __future__ import annotations

import structlog

from itsjustintv_desktop.engine.core.errors import ConduitTakenError, ShardRefusedError
from itsjustintv_desktop.engine.twitch.conduits import ENABLED, Conduits, Shard, ShardUpdate

SHARD = "0"
_SECONDS = 8.0
"""Twitch closes a socket that serves nothing 10 seconds after its welcome."""

_log = structlog.get_logger(__name__)


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
