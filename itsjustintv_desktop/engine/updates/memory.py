"""What is remembered of updates across restarts, in the ledger."""

from __future__ import annotations

from typing import Protocol

import msgspec
import structlog

from itsjustintv_desktop.engine.errors import LedgerError
from itsjustintv_desktop.engine.updates.manifest import Manifest, decode

_KEY = "updates"

_log = structlog.get_logger(__name__)


class Store(Protocol):
    """The ledger's notes. Both raise LedgerError."""

    async def meta(self, key: str) -> str | None: ...

    async def set_meta(self, key: str, value: str) -> None: ...


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """`highest` was verified when it came: an older one is no news from then on."""

    highest: Manifest | None = None
    answered_at: float = 0.0
    """When the last answer came, Unix seconds."""
    skipped: str = ""
    """The version that a person does not want to hear of."""
    told: str = ""
    """The version that was told of last."""


async def load(store: Store) -> Kept:
    """Nothing where nothing can be read."""
    try:
        kept = msgspec.json.decode((await store.meta(_KEY)) or "{}", type=Kept)
        if kept.highest is not None:
            decode(msgspec.json.encode(kept.highest))
    except LedgerError as error:
        _log.warning("what is known of newer versions could not be read", reason=error.message)
    except ValueError:  # msgspec's own are some
        _log.warning("what is known of newer versions is damaged and left out")
    else:
        return kept
    return Kept()


async def save(store: Store, kept: Kept) -> None:
    """Raises LedgerError."""
    await store.set_meta(_KEY, msgspec.json.encode(kept).decode())
