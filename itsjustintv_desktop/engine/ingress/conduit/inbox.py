"""From the socket into the ledger. Twitch does not send again what came over a socket, so it is held until durable."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import count

import structlog

from itsjustintv_desktop.engine.core.backoff import Backoff
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import LedgerError
from itsjustintv_desktop.engine.core.models import StreamEvent
from itsjustintv_desktop.engine.core.sources import Submit
from itsjustintv_desktop.engine.core.tasks import Tasks

MOST_HELD = 10_000
"""Messages; about 10 MB."""
_AT_ONCE = 64
"""How many wait for their commit together; the ledger commits all that wait in one go."""
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 15.0

_log = structlog.get_logger(__name__)


class Inbox:
    """Takes each event at once and keeps it until `submit` says that it is durable, whatever comes between.

    `on_change` is called when `failure` changes and while messages pile up; `on_gap` with a sentence when one had to
    be let go.
    """

    def __init__(
        self,
        submit: Submit,
        *,
        clock: Clock,
        on_change: Callable[[], None],
        on_gap: Callable[[str], None],
        most: int = MOST_HELD,
    ) -> None:
        self._submit = submit
        self._clock = clock
        self._on_change = on_change
        self._on_gap = on_gap
        self._most = most
        self._number = count()
        self._held: dict[int, StreamEvent] = {}
        self._waiting: deque[int] = deque()
        self._busy = 0
        self._tasks: Tasks | None = None
        self.failure: LedgerError | None = None
        """Why nothing can be stored now; None while all is well."""
        self.let_go = 0
        """Messages that found no room since the ledger failed."""

    def __len__(self) -> int:
        """Messages that are not durable yet."""
        return len(self._held)

    def start(self, tasks: Tasks) -> None:
        """Work in `tasks` from now on; what an earlier group left unfinished is begun anew."""
        self._tasks = tasks
        self._busy = 0
        self._waiting = deque(self._held)
        self._go_on()

    def stop(self) -> None:
        """What is held stays, for another `start`. The tasks end with their group."""
        self._tasks = None

    def put(self, event: StreamEvent) -> None:
        if len(self._held) >= self._most:
            self._overflow()
            return
        number = next(self._number)
        self._held[number] = event
        self._waiting.append(number)
        self._go_on()
        if self.failure is not None:
            self._on_change()

    def _overflow(self) -> None:
        self.let_go += 1
        if self.let_go == 1:
            _log.warning("messages of Twitch's could not be stored and there is no room to hold more", held=self._most)
            self._on_gap(f"More than {self._most} messages wait for the ledger, and further ones had to be let go.")

    def _go_on(self) -> None:
        while self._tasks is not None and self._waiting and self._busy < _AT_ONCE:
            self._busy += 1
            self._tasks.start("conduit.store", self._store(self._tasks, self._waiting.popleft()))

    async def _store(self, group: Tasks, number: int) -> None:
        backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE)
        while True:
            try:
                await self._submit(self._held[number])
                break
            except LedgerError as error:
                self._failed(error)
            await self._clock.sleep(backoff.next())
        del self._held[number]
        if self._tasks is group:
            self._busy -= 1
            self._stored()
            self._go_on()

    def _failed(self, error: LedgerError) -> None:
        if self.failure is None:
            self.failure = error
            self._on_change()

    def _stored(self) -> None:
        if self.failure is None:
            return
        self.failure = None
        let_go, self.let_go = self.let_go, 0
        if let_go:
            self._on_gap(f"{let_go} messages could not be stored or held while the ledger failed.")
        self._on_change()
