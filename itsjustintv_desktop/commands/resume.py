"""`resume`: end a pause."""

from __future__ import annotations

import asyncio

import click

from itsjustintv_desktop.commands.context import AppContext, pass_app
from itsjustintv_desktop.commands.running import queue
from itsjustintv_desktop.engine.api.destinations import DestinationView


@click.command("resume")
@click.option("--destination", metavar="NAME", help="Only this destination, whatever it was paused for.")
@pass_app
def command(app: AppContext, destination: str | None) -> None:
    """Announce again, or send to one destination again.

    What was queued goes out; a stream that began during the pause does not, unless you send it anyway.
    """
    said, running = asyncio.run(_resume(app, destination))
    click.echo(said if running else f"{said} That holds when the program runs.")


async def _resume(app: AppContext, destination: str | None) -> tuple[str, bool]:
    async with queue(app) as (engine, running):
        if destination is not None:
            # Resumed in any case: that also names a destination the config does not have.
            held = [each for each in await engine.destinations.list() if each.name == destination]
            await engine.destinations.resume(destination)
            return _said(destination, held[0] if held else None), running
        was = await engine.announcements.paused()
        await engine.announcements.resume()
        return ("Announcements are made again." if was else "Announcements were not paused."), running


def _said(name: str, was: DestinationView | None) -> str:
    """`was`: how it was before."""
    if was is None or was.waits is None:
        return f"{name} is tried with the picture again." if was is not None and was.note else f"{name} was not paused."
    if was.state != "off":
        return f"What waits for {name} is sent again."
    paused = "was resumed" if was.by_hand else "was not paused"
    return f"{name} {paused}. It is switched off in the config (enabled = false), so nothing is sent there."
