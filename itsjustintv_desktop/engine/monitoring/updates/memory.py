"""What is remembered of updates across restarts, in the ledger."""

from __future__ import annotations

from typing import Protocol

import msgspec
import structlog

from itsjustintv_desktop.engine.core.errors import LedgerError
from itsjustintv_desktop.engine.monitoring.updates.manifest import Manifest, decode

_KEY = "updates"

_log = structlog.get_logger(__name__)


class Store(Protocol):
    """The ledger's notes. Both raise LedgerError."""

    async def meta(self, key: str) -> str | None: ...

    async def set_meta(self, key: str, value: str) -> None: ...


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """The newest manifest that was ever believed is kept as it came, to be verified anew by the keys of each start.

    A key that was stolen has its say only as long as it is pinned: not in what it left here, either.
    """

    raw: bytes = b""
    signatures: bytes = b""
    answered_at: float = 0.0
    """When the last answer came, Unix seconds."""
    skipped: str = ""
    """The version that a person does not want to hear of."""
    told: str = ""
    """The version that was told of last."""


async def load(store: Store) -> Kept:
    """Nothing where nothing can be read. What is in it is a claim until its signature was verified."""
    try:
        kept = msgspec.json.decode((await store.meta(_KEY)) or "{}", type=Kept)
        claim = claimed(kept)
    except LedgerError as error:
        _log.warning("what is known of newer versions could not be read", reason=error.message)
    except ValueError:  # msgspec's own are some
        _log.warning("what is known of newer versions is damaged and left out")
    else:
        # What was skipped and told goes with the manifest that it was said of; rows of once had it without signatures.
        return kept if claim is not None else Kept(answered_at=kept.answered_at)
    return Kept()


def claimed(kept: Kept) -> Manifest | None:
    """What the kept bytes say, verified or not. Raises ValueError."""
    return decode(kept.raw) if kept.raw else None


async def save(store: Store, kept: Kept) -> None:
    """Raises LedgerError."""
    await store.set_meta(_KEY, msgspec.json.encode(kept).decode())
