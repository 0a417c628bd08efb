"""How commands show things: tables for people, JSON for programs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import click
import msgspec

from itsjustintv_desktop.engine.core.models import DeliveryView

_ENDLESS = 100_000


def echo_json(value: object) -> None:
    """One JSON document on stdout."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def rfc3339(at: float | None) -> str | None:
    """UTC with a Z, whole seconds; None stays."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def local(at: float | None) -> str:
    """A moment in this machine's time zone, for people; the day only where it is not today."""
    if at is None:
        return ""
    moment = datetime.fromtimestamp(at, UTC).astimezone()
    is_today = moment.date() == datetime.now(UTC).astimezone().date()
    return moment.strftime("%H:%M:%S" if is_today else "%d %b %H:%M")


def dated(at: float) -> str:
    """Like `local`, always with the day, and with the year where it is not this one."""
    moment = datetime.fromtimestamp(at, UTC).astimezone()
    is_this_year = moment.year == datetime.now(UTC).astimezone().year
    return moment.strftime("%d %b %H:%M:%S" if is_this_year else "%d %b %Y %H:%M")


def delivery_json(view: DeliveryView) -> dict[str, Any]:
    """The contract of `deliveries list --json`."""
    return {
        "id": view.id,
        "webhook_id": view.webhook_id,
        "event_id": str(view.event_id),  # as in the payload's event.id
        "streamer": view.streamer,
        "destination": view.destination,
        "state": view.state.value,
        "attempts": view.attempts,
        "next_at": rfc3339(view.next_at) if view.state.value == "pending" else None,
        "last_status": view.last_status,
        "last_error": view.last_error,
        "created_at": rfc3339(view.created_at),
        "test": view.test,
    }


def echo_table(headings: Sequence[str], rows: Sequence[Sequence[object]], *, wrap: Sequence[str]) -> None:
    """A plain table; in a terminal the columns of `wrap` give way when it is narrow, elsewhere a row is a line."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold", no_wrap=heading not in wrap)
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _ENDLESS)
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        click.echo(line.rstrip())
