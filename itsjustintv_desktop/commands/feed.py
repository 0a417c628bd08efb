"""`feed`: what was announced, what was not and why, and announcing it after all."""

from __future__ import annotations

import asyncio
from typing import Any

import click

from itsjustintv_desktop.commands import output
from itsjustintv_desktop.commands.context import AppContext, pass_app
from itsjustintv_desktop.commands.known import no_such_streamer
from itsjustintv_desktop.commands.outcome import outcome_of, show
from itsjustintv_desktop.commands.running import actions, queue
from itsjustintv_desktop.engine.announce.pause import PauseView
from itsjustintv_desktop.engine.api.announcements import EventReport
from itsjustintv_desktop.engine.api.events import EventKind, EventView
from itsjustintv_desktop.engine.core.models import DeliveryState

_ID = click.IntRange(1, 2**63 - 1)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
_NOT_ANNOUNCED: tuple[EventKind, ...] = ("suppressed", "missed")

# The words of the window's live feed.
_KINDS: dict[EventKind, str] = {
    "announced": "went live", "missed": "missed", "notice": "note", "suppressed": "not announced",
}  # fmt: skip
_STATES = {
    DeliveryState.PENDING: "waiting", DeliveryState.SENDING: "being sent", DeliveryState.DELIVERED: "delivered",
    DeliveryState.EXPIRED: "too late", DeliveryState.DEAD: "given up", DeliveryState.DROPPED: "dropped",
}  # fmt: skip


@click.group("feed")
def command() -> None:
    """See what was announced and what was not, and announce it after all."""


@command.command("list")
@click.option(
    "--all/--not-announced", "everything", default=True, help="Everything (the default), or only what was not."
)
@click.option("--streamer", help="Only this streamer's (its key in the config, or a login).")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 100_000), help="At most so many.")
@_JSON
@pass_app
def list_(app: AppContext, everything: bool, streamer: str | None, limit: int, as_json: bool) -> None:
    """List events, newest first, each with what came of it and why.

    What was missed or not announced can be sent with `feed send-anyway ID`.
    """
    found, paused = asyncio.run(_list(app, () if everything else _NOT_ANNOUNCED, streamer, limit))
    if as_json:
        output.echo_json([_json(each) for each in found])
        return
    if not found:
        unknown = None if streamer is None else no_such_streamer(app, streamer, or_login=True)
        click.echo(unknown or ("There is nothing in the feed." if everything else "Nothing was left unannounced."))
    else:
        output.echo_table(
            ["ID", "WHEN", "STREAMER", "WHAT CAME OF IT", "REASON"],
            [
                (each.id, output.dated(each.at), each.streamer or each.login or "Twitch", _outcome(each), _reason(each))
                for each in found
            ],
            wrap=("STREAMER", "WHAT CAME OF IT", "REASON"),
        )
    if paused is not None:
        click.echo(f"{paused.sentence} `resume` ends that.")


async def _list(
    app: AppContext, kinds: tuple[EventKind, ...], streamer: str | None, limit: int
) -> tuple[list[EventView], PauseView | None]:
    found: list[EventView] = []
    before: int | None = None
    async with queue(app) as (engine, _):
        while len(found) < limit:
            page = await engine.events.list(
                before=before, kinds=kinds, streamer=streamer, limit=min(200, limit - len(found))
            )
            found.extend(page.events)
            before = page.before
            if before is None:
                break
        return found, await engine.announcements.paused()


def _outcome(event: EventView) -> str:
    what = _KINDS[event.kind]
    if event.test:
        what = "test" if event.kind == "announced" else "test, not announced"
    latest = {each.destination: each for each in event.deliveries}  # what was sent again stands for what was before
    ends = ", ".join(f"{name} {_STATES[each.state]}" for name, each in latest.items())
    return f"{what}: {ends}" if ends else what


def _reason(event: EventView) -> str:
    return "" if event.kind == "announced" else event.explanation or event.reason


def _json(event: EventView) -> dict[str, Any]:
    """The contract of `feed list --json`."""
    return {
        "id": event.id,
        "at": output.rfc3339(event.at),
        "kind": event.kind,
        "streamer": event.streamer or None,
        "login": event.login or None,
        "name": event.name or None,
        "started_at": output.rfc3339(event.started_at),
        "reason": event.reason or None,
        "explanation": event.explanation or None,
        "test": event.test,
        "deliveries": [output.delivery_json(each) for each in event.deliveries],
    }


@command.command("send-anyway")
@click.argument("event_id", metavar="ID", type=_ID)
@click.option("--wait", default=40.0, show_default=True, help="Seconds to wait for the outcome.")
@_JSON
@pass_app
def send_anyway(app: AppContext, event_id: int, wait: float, as_json: bool) -> None:
    """Announce the event ID, though it was missed or not announced. A pause does not hold it back.

    Exits with 0 once its deliveries are in the queue, where none is lost; what came of them so far is said.
    """
    names, report = asyncio.run(_send(app, event_id, wait))
    if as_json:
        output.echo_json(
            {
                "event_id": event_id,
                "destinations": list(names),
                "deliveries": [output.delivery_json(each) for each in report.deliveries],
                "blocked": report.blocked,
            }
        )
    else:
        click.echo(f"Event {event_id} is sent anyway.")
        show(report)


async def _send(app: AppContext, event_id: int, wait: float) -> tuple[tuple[str, ...], EventReport]:
    async with actions(app) as engine:
        names = await engine.announcements.send_anyway(event_id)
        return names, await outcome_of(engine.announcements, event_id, wait)
