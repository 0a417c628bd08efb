"""Conduits and the rules Twitch keeps for them.

https://dev.twitch.tv/docs/eventsub/handling-conduit-events/
"""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from itsjustintv_desktop.simulator.answers import RefusedError
from itsjustintv_desktop.simulator.faults import Faults
from itsjustintv_desktop.simulator.shards import Shard, ShardStatus
from itsjustintv_desktop.simulator.state import State
from itsjustintv_desktop.simulator.subscriptions import webhook
from itsjustintv_desktop.simulator.websocket import Session, Sockets

MOST_CONDUITS = 5
MOST_SHARDS = 20_000
KEPT_WITHOUT_SHARDS = 72 * 3600.0
"""Seconds after which Twitch deletes a conduit none of whose shards is enabled."""


@dataclass(slots=True)
class Conduit:
    """`shards` holds those that were given a transport, by number; `dark_since` is Unix seconds, None = one works.

    `owner` is the client id that made it, and that alone sees it over HTTP; "" is the simulator's own.
    """

    id: str
    shard_count: int
    dark_since: float | None
    shards: dict[int, Shard] = field(default_factory=dict)
    owner: str = ""

    def public(self) -> dict[str, Any]:
        return {"id": self.id, "shard_count": self.shard_count}

    def routes(self, key: str) -> list[Shard]:
        """The enabled shards for messages about `key` (a channel's id): its own, and one other to retry on."""
        first = zlib.crc32(key.encode()) % self.shard_count
        shards = (self.shards.get(number) for number in dict.fromkeys((first, (first + 1) % self.shard_count)))
        return [shard for shard in shards if shard is not None and shard.status is ShardStatus.ENABLED]


class Conduits:
    """Those of all client ids, oldest first. `on_deleted` hears the id of each that goes."""

    def __init__(self, state: State, faults: Faults, sockets: Sockets) -> None:
        self.page_size = 100
        """Shards a page."""
        self.on_deleted: Callable[[str], None] | None = None
        self._state = state
        self._faults = faults
        self._sockets = sockets
        self._all: dict[str, Conduit] = {}
        sockets.on_end = self._session_ended

    def __iter__(self) -> Iterator[Conduit]:
        self.sweep()
        return iter(list(self._all.values()))

    def __len__(self) -> int:
        self.sweep()
        return len(self._all)

    def __contains__(self, conduit_id: object) -> bool:
        self.sweep()
        return conduit_id in self._all

    def get(self, conduit_id: str) -> Conduit:
        """Raises RefusedError 404."""
        self.sweep()
        try:
            return self._all[conduit_id]
        except KeyError:
            raise RefusedError(404, "conduit not found") from None

    def create(self, shard_count: object = 1, owner: str = "") -> Conduit:
        """Raises RefusedError 400 or 429."""
        count = _count(shard_count)
        if sum(each.owner == owner for each in self) >= MOST_CONDUITS:
            raise RefusedError(429, "conduit limit reached")
        made = Conduit(str(uuid.uuid4()), count, self._state.clock.now(), owner=owner)
        self._all[made.id] = made
        return made

    def resize(self, conduit_id: str, shard_count: object) -> Conduit:
        """Shards above the new count are gone. Raises RefusedError 400 or 404."""
        found, count = self.get(conduit_id), _count(shard_count)
        found.shard_count = count
        found.shards = {number: shard for number, shard in found.shards.items() if number < count}
        self.note(found)
        return found

    def delete(self, conduit_id: str) -> None:
        """Its subscriptions are switched off with it. Raises RefusedError 404."""
        self._delete(self.get(conduit_id))

    def sweep(self) -> None:
        """Delete what had no enabled shard for 72 hours of the simulator's clock."""
        latest = self._state.clock.now() - KEPT_WITHOUT_SHARDS
        for held in list(self._all.values()):
            if held.dark_since is not None and held.dark_since <= latest:
                self._delete(held)

    def note(self, conduit: Conduit) -> None:
        """A shard of it changed: see since when none works."""
        if any(shard.status is ShardStatus.ENABLED for shard in conduit.shards.values()):
            conduit.dark_since = None
        elif conduit.dark_since is None:
            conduit.dark_since = self._state.clock.now()

    def assign(self, conduit: Conduit, wanted: Sequence[Any]) -> tuple[list[Shard], list[dict[str, str]]]:
        """Give shards their transports, each for itself: those that were updated, and the `errors` of the others.

        A callback must still pass its challenge.
        """
        done: dict[str, Shard] = {}
        errors: list[dict[str, str]] = []
        for one in wanted:
            given = one if isinstance(one, dict) else {}
            shard_id = str(given.get("id", ""))
            try:
                if self._faults.shard_error:
                    raise RefusedError(400, self._faults.shard_error)
                if shard_id in done:
                    raise RefusedError(400, "The shard id is in the request more than once")
                done[shard_id] = self._assign(conduit, shard_id, given.get("transport"))
            except RefusedError as refused:
                errors.append({"id": shard_id, "message": refused.message, "code": "invalid_parameter"})
        self.note(conduit)
        return list(done.values()), errors

    def _assign(self, conduit: Conduit, shard_id: str, transport: object) -> Shard:
        number = int(shard_id) if shard_id.isascii() and shard_id.isdigit() else -1
        if not 0 <= number < conduit.shard_count:
            raise RefusedError(400, "The shard id is outside the conduit's range")
        given: Mapping[str, Any] = transport if isinstance(transport, dict) else {}
        shard_id = str(number)
        if given.get("method") == "webhook":
            callback, secret = webhook(given)
            made = Shard(shard_id, ShardStatus.PENDING, callback=callback, secret=secret)
        elif given.get("method") == "websocket":
            session = self._session(given.get("session_id"), conduit, number)
            session.assigned = True
            made = Shard(shard_id, ShardStatus.ENABLED, session_id=session.id, connected_at=session.connected_at)
        else:
            raise RefusedError(400, "The value specified in the method field is not valid")
        conduit.shards[number] = made
        return made

    def _session(self, session_id: object, conduit: Conduit, number: int) -> Session:
        if not isinstance(session_id, str) or not session_id:
            raise RefusedError(400, "The session_id field is required if you specify the WebSocket transport method")
        session = self._sockets.get(session_id)
        if session is None:
            raise RefusedError(400, "The websocket session is not connected")
        for held in self._all.values():
            for taken, shard in held.shards.items():
                if shard.session_id == session_id and (held, taken) != (conduit, number):
                    raise RefusedError(400, "The websocket session is the transport of another shard")
        return session

    def _session_ended(self, session: Session, status: ShardStatus) -> None:
        for held in self._all.values():
            for shard in held.shards.values():
                if shard.session_id == session.id:
                    shard.status = status
                    shard.disconnected_at = self._state.stamp()
            self.note(held)

    def _delete(self, conduit: Conduit) -> None:
        del self._all[conduit.id]
        if self.on_deleted is not None:
            self.on_deleted(conduit.id)


def _count(given: object) -> int:
    if not isinstance(given, int) or isinstance(given, bool) or not 1 <= given <= MOST_SHARDS:
        raise RefusedError(400, "Invalid shard count")
    return given
