"""A destination gets another name, and nothing that waits for it is lost or sent twice, wherever a kill falls.

Both names stand in the config while deliveries move from the one to the other, so each of them can be sent at any
moment; what was announced to the old name counts for the new one before streamers turn to it, and nothing is announced
in between. Broken off, it goes on where it was when it is asked for again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from itsjustintv_desktop.engine.api.settings.documents import Documents, Saved
from itsjustintv_desktop.engine.config.read import unfit_name
from itsjustintv_desktop.engine.config.save import Change, Redirect, Remove, Rename, Set
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import AppError, NotFoundError, UsageError
from itsjustintv_desktop.engine.core.tasks import Supervisor
from itsjustintv_desktop.engine.delivery.dispatcher import Dispatcher
from itsjustintv_desktop.engine.storage.ledger import Ledger
from itsjustintv_desktop.engine.storage.secrets import DestinationSecrets, SecretStore

_PIPELINE = "announce.pipeline"
_MORE = 5.0
"""Seconds beyond the destination's own timeout that attempts under way are waited for."""
_LOOK = 0.05


class DestinationRename:
    """One rename at a time."""

    def __init__(
        self,
        documents: Documents,
        secrets: SecretStore,
        ledger: Ledger,
        dispatcher: Dispatcher,
        supervisor: Supervisor,
        changed: Callable[[], None],
        clock: Clock,
    ) -> None:
        """`supervisor` keeps the pipeline; `changed` is called when deliveries have another destination."""
        self._documents = documents
        self._secrets = secrets
        self._ledger = ledger
        self._dispatcher = dispatcher
        self._supervisor = supervisor
        self._changed = changed
        self._clock = clock
        self._turn = asyncio.Lock()

    async def destination(self, old: str, new: str) -> Saved:
        """Raises NotFoundError, UsageError, SecretsError, LedgerError, and as `Documents.edit`.

        If attempts to the old name take too long, it stays in the config unused, and asking again finishes it.
        """
        async with self._turn:
            return await self._rename(old, new.strip())

    async def _rename(self, old: str, new: str) -> Saved:
        content, begun = await asyncio.to_thread(self._checked, old, new)
        kept = await self._secrets.destination(old)
        if kept != DestinationSecrets():
            await self._secrets.set_destination(new, url=kept.url, secret=kept.secret)
        if not begun:
            await self._dispatcher.take_over(old, new)  # before anything could be sent to it
            try:
                _in_force(await self._documents.edit([Set(("destinations", new), content)]))
            except AppError:
                await self._secrets.delete_destination(new)
                raise
        await self._turn_streamers(old, new)
        if not await self._move(old, new):
            raise UsageError("An attempt to the old name is still under way. Rename it again in a minute.")
        # In this order the table keeps its place and its comments.
        changes: list[Change] = [Remove(("destinations", new)), Rename(("destinations", old), new)]
        saved = await self._documents.edit(changes)
        await self._secrets.delete_destination(old)
        self._documents.no_undo()
        return msgspec.structs.replace(saved, undo="")

    def _checked(self, old: str, new: str) -> tuple[dict[str, str], bool]:
        """The table of the old one, and whether the new one is there from a time before. Blocks.

        Raises NotFoundError, UsageError, ConfigError.
        """
        live = self._documents.config.current
        file = self._documents.file()
        if old not in live.config.destinations:
            if old not in live.destinations:
                raise NotFoundError("There is no such destination in the config.")
            raise UsageError("It belongs to a streamer or to [global_webhook] and has its name from there.")
        unfit = unfit_name(new)
        if unfit:
            raise UsageError(f"The name cannot be used: {unfit}.")
        content: dict[str, str] | None = file.get(("destinations", old))
        begun = content is not None and file.get(("destinations", new)) == content
        if content is None:
            raise UsageError("It comes from environment variables; rename it there.")
        if new == old or (new in live.destinations and not begun):
            raise UsageError("There is a destination of that name already; choose another name.")
        return content, begun

    async def _turn_streamers(self, old: str, new: str) -> None:
        """While nothing is announced: what was announced counts for the new name, then streamers name that one."""
        async with self._supervisor.stopped(_PIPELINE):
            after: tuple[str, str] | None = ("", "")
            while after is not None:
                after = await self._ledger.copy_once(old, new, after)
            _in_force(await self._documents.edit([Redirect(old, new)]))

    async def _move(self, old: str, new: str) -> bool:
        """Everything of the old name in the ledger; False: attempts under way take too long."""
        end = self._clock.monotonic() + self._documents.config.current.destinations[old].timeout + _MORE
        while True:
            while await self._ledger.rename_waiting(old, new):
                self._dispatcher.wake()
            if not await self._ledger.count_waiting(old):
                break
            if self._clock.monotonic() > end:
                return False
            await self._clock.sleep(_LOOK)
        position: int | None = 0
        while position is not None:
            position = await self._ledger.rename_finished(old, new, position)
        self._changed()
        return True


def _in_force(saved: Saved) -> None:
    """Raises UsageError unless the running engine works by it."""
    if saved.state not in {"in_force", "unchanged", "stored"}:
        raise UsageError(f"It cannot be renamed now: {saved.sentence}")
