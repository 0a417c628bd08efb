"""`deliveries`: the queue and the history."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import click

from itsjustintv_desktop.commands import output
from itsjustintv_desktop.commands.context import AppContext, pass_app
from itsjustintv_desktop.commands.known import no_such_streamer
from itsjustintv_desktop.commands.running import queue
from itsjustintv_desktop.engine.announce.pause import PauseView
from itsjustintv_desktop.engine.api.deliveries import Deliveries
from itsjustintv_desktop.engine.api.destinations import DestinationView
from itsjustintv_desktop.engine.core.models import DeliveryState, DeliveryView

_STATES = [state.value for state in DeliveryState]
_ID = click.IntRange(1, 2**63 - 1)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


@click.group("deliveries")
def command() -> None:
    """Look at the queue and the history, and steer them."""


@command.command("list")
@click.option("--state", "states", multiple=True, type=click.Choice(_STATES), help="Only these; repeatable.")
@click.option("--streamer", help="Only this streamer's (its key in the config).")
@click.option("--destination", help="Only this destination's.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 100_000), help="At most so many.")
@_JSON
@pass_app
def list_(
    app: AppContext,
    states: tuple[str, ...],
    streamer: str | None,
    destination: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """List deliveries, newest first."""
    chosen = [DeliveryState(state) for state in states]
    found, ways, paused = asyncio.run(_list(app, chosen, streamer, destination, limit, with_ways=not as_json))
    if as_json:
        output.echo_json([output.delivery_json(each) for each in found])
    elif not found:
        unknown = None if streamer is None else no_such_streamer(app, streamer)
        click.echo(unknown or "There are no deliveries to show.")
    else:
        output.echo_table(
            ["ID", "STREAMER", "DESTINATION", "STATE", "TRIES", "MADE", "NEXT", "LAST ANSWER"],
            [
                (
                    each.id,
                    f"{each.streamer} (test)" if each.test else each.streamer,
                    each.destination,
                    each.state.value,
                    each.attempts,
                    output.dated(each.created_at),
                    _next(each, ways, paused),
                    each.last_error or each.last_status or "",
                )
                for each in found
            ],
            wrap=("STREAMER", "DESTINATION", "NEXT", "LAST ANSWER"),
        )
        waiting = {each.destination for each in found if each.state is DeliveryState.PENDING}
        for name, way in ways.items():
            if name in waiting and way.sentence:
                click.echo(f"{name} {way.sentence}")
    if paused is not None:
        click.echo(f"{paused.sentence} `resume` ends that.")


def _next(view: DeliveryView, ways: Mapping[str, DestinationView], paused: PauseView | None) -> str:
    """When a waiting delivery is tried, or what makes it wait: its destination, or a pause of all announcements."""
    if view.state is not DeliveryState.PENDING:
        return ""
    way = ways.get(view.destination)
    if way is not None and way.waits is not None:
        return way.waits
    if paused is None:
        return output.local(view.next_at)
    return "when resumed" if paused.until is None else output.local(max(view.next_at or 0.0, paused.until))


async def _list(
    app: AppContext,
    states: list[DeliveryState],
    streamer: str | None,
    destination: str | None,
    limit: int,
    *,
    with_ways: bool,
) -> tuple[list[DeliveryView], dict[str, DestinationView], PauseView | None]:
    found: list[DeliveryView] = []
    async with queue(app) as (engine, _):
        while len(found) < limit:
            page = await engine.deliveries.list(
                before=found[-1].id if found else None,
                states=states,
                streamer=streamer,
                destination=destination,
                limit=min(200, limit - len(found)),
            )
            if not page:
                break
            found.extend(page)
        if not with_ways:
            return found, {}, None
        return (
            found,
            {each.name: each for each in await engine.destinations.list()},
            await engine.announcements.paused(),
        )


@command.command()
@click.argument("delivery_id", type=_ID)
@_JSON
@pass_app
def retry(app: AppContext, delivery_id: int, as_json: bool) -> None:
    """Try a waiting or given-up delivery now, with the same webhook-id."""
    _act(app, lambda deliveries: deliveries.retry(delivery_id), "is due now", as_json)


@command.command()
@click.argument("delivery_id", type=_ID)
@_JSON
@pass_app
def drop(app: AppContext, delivery_id: int, as_json: bool) -> None:
    """Give up a waiting delivery. `retry` brings it back."""
    _act(app, lambda deliveries: deliveries.drop(delivery_id), "was dropped", as_json)


@command.command()
@click.argument("delivery_id", type=_ID)
@_JSON
@pass_app
def resend(app: AppContext, delivery_id: int, as_json: bool) -> None:
    """Send a finished delivery's announcement once more.

    That is a new delivery, with a webhook-id of its own.
    """
    _act(app, lambda deliveries: deliveries.resend(delivery_id), "was made", as_json)


def _act(app: AppContext, act: Callable[[Deliveries], Awaitable[DeliveryView]], done: str, as_json: bool) -> None:
    async def run() -> tuple[DeliveryView, bool]:
        async with queue(app) as (engine, running):
            return await act(engine.deliveries), running

    view, running = asyncio.run(run())
    if as_json:
        output.echo_json(output.delivery_json(view))
    else:
        later = "" if running or view.state is not DeliveryState.PENDING else " It goes out when the program runs."
        click.echo(f"Delivery {view.id} to {view.destination} {done}.{later}")
