"""Going through a list of Twitch's page by page, to its end, also where Twitch does not say well that it ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

import structlog

from itsjustintv_desktop.engine.twitch.client import Params
from itsjustintv_desktop.engine.twitch.lenient import Cursor

MOST = 500
"""Pages. The longest list of Twitch's, the shards of a conduit, makes 200."""
_BARREN = 3
"""So many pages in a row with nothing new are the end, whatever cursors they bring."""

_log = structlog.get_logger(__name__)


class Paged(Protocol):
    """A page, as lenient.Page."""

    @property
    def pagination(self) -> Cursor: ...


class Identified(Protocol):
    @property
    def id(self) -> str: ...


P = TypeVar("P", bound=Paged)
T = TypeVar("T", bound=Identified)


async def every_page(
    path: str, ask: Callable[[Params], Awaitable[P]], items: Callable[[P], Sequence[T]]
) -> tuple[list[T], P, bool]:
    """All items by their ids, the last page, and whether the list ended as it should.

    `ask` gets the parameters that name the page. A cursor that comes again, pages without anything new and far too
    many pages are an end as well: what was found until then counts.
    """
    found: dict[str, T] = {}
    seen: set[str] = set()
    params: Params = ()
    barren = 0
    while True:
        page = await ask(params)
        before = len(found)
        found.update((item.id, item) for item in items(page))
        barren = 0 if len(found) > before else barren + 1
        cursor = page.pagination.cursor
        if not cursor:
            return list(found.values()), page, True
        if cursor in seen or len(seen) >= MOST or barren >= _BARREN:
            _log.warning("a list of Twitch's has no end", path=path, pages=len(seen) + 1, found=len(found))
            return list(found.values()), page, False
        seen.add(cursor)
        params = [("after", cursor)]
