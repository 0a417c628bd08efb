"""`pause`: announce nothing for a while, or send nothing to one destination."""

from __future__ import annotations

import asyncio
import contextlib
import time
from datetime import datetime, timedelta

import click

from itsjustintv_desktop.commands.context import AppContext, pass_app
from itsjustintv_desktop.commands.running import queue
from itsjustintv_desktop.engine.config import durations

_UNTIL_RESUMED = "until-resumed"
_MORNING = 6
"""The hour at which "tomorrow" begins, as in the tray's menu."""


def _when(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    with contextlib.suppress(ValueError):
        if value in {_UNTIL_RESUMED, "tomorrow"} or durations.parse(value) > 0:
            return value
    raise click.BadParameter(f'{value!r} is no time: write "1h", "90m", "tomorrow" or "{_UNTIL_RESUMED}".')


@click.command("pause")
@click.argument("when", metavar="[1h|tomorrow|until-resumed]", default=_UNTIL_RESUMED, callback=_when)
@click.option("--destination", metavar="NAME", help="Only this destination; its deliveries wait until you resume it.")
@click.option("--reason", default="", help="Why, for whoever looks; with --destination.")
@pass_app
def command(app: AppContext, when: str, destination: str | None, reason: str) -> None:
    """Announce nothing for that long, until tomorrow at six, or until you `resume`.

    A stream that begins meanwhile is listed and not announced later, unless you send it anyway. Tests and what you
    send by hand go out all the same.
    """
    if destination is not None and when != _UNTIL_RESUMED:
        raise click.UsageError("A destination is paused until you resume it: leave the time out.")
    if destination is None and reason:
        raise click.UsageError("--reason is for a --destination.")
    said, running = asyncio.run(_pause(app, when, destination, reason))
    click.echo(said if running else f"{said} That holds when the program runs.")


async def _pause(app: AppContext, when: str, destination: str | None, reason: str) -> tuple[str, bool]:
    async with queue(app) as (engine, running):
        if destination is not None:
            await engine.destinations.pause(destination, reason)
            return f"Nothing is sent to {destination} until you resume it.", running
        view = await engine.announcements.pause(_until(when))
        return (view.sentence if view is not None else "That pause is over already."), running


def _until(when: str) -> float | None:
    """Unix seconds."""
    if when == _UNTIL_RESUMED:
        return None
    if when != "tomorrow":
        return time.time() + durations.parse(when)
    # Local time without an offset, so that a night in which the clocks change makes no difference.
    morning = datetime.now() + timedelta(days=1)  # noqa: DTZ005
    return morning.replace(hour=_MORNING, minute=0, second=0, microsecond=0).timestamp()
