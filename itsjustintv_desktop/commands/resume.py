"""`resume`: end a pause."""

from __future__ import annotations

import asyncio

import click

from itsjustintv_desktop.commands.context import AppContext, pass_app
from itsjustintv_desktop.commands.running import queue


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
            await engine.resume_destination(destination)
            return f"What waits for {destination} is sent again.", running
        was = await engine.paused()
        await engine.resume()
        return ("Announcements are made again." if was else "Announcements were not paused."), running
