"""What happens on the loop once the ledger's thread has committed, or failed to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import structlog

from itsjustintv_desktop.engine.core.errors import LedgerError

Settle = Callable[[bool | LedgerError], None]
"""Hears True (new), False (known) or why the event was not stored."""

_log = structlog.get_logger(__name__)


def settle_all(batch: list[tuple[Settle, bool | LedgerError]]) -> None:
    for settle, outcome in batch:
        try:
            settle(outcome)
        except Exception:  # noqa: BLE001 - one source's fault must not keep the word from the others
            _log.exception("a source broke while it heard that its event is stored")


def finish_all(
    results: list[tuple[asyncio.Future[Any], Any]], errors: list[tuple[asyncio.Future[Any], BaseException]]
) -> None:
    for future, result in results:
        done(future, result)
    for future, error in errors:
        fail(future, error)


def done(future: asyncio.Future[Any], result: object) -> None:
    if not future.done():
        future.set_result(result)


def fail(future: asyncio.Future[Any], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)
