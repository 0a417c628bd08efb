"""`simulator`: Twitch and a webhook receiver on loopback, to develop against."""

from __future__ import annotations

import asyncio

import click

from itsjustintv_desktop.commands.running import stop_on_signals
from itsjustintv_desktop.engine.core.errors import AddressInUseError, os_sentence
from itsjustintv_desktop.simulator.server import run


@click.command("simulator")
@click.option("--port", default=0, show_default="a free one", type=click.IntRange(0, 65535), help="Where to listen.")
@click.option("--channel", "channels", multiple=True, metavar="LOGIN", help="A channel to begin with; repeatable.")
def command(port: int, channels: tuple[str, ...]) -> None:
    """Run the simulated Twitch alone, until Ctrl-C. Prints the environment that points the program at it."""
    asyncio.run(_run(port, channels))


async def _run(port: int, channels: tuple[str, ...]) -> None:
    stop = stop_on_signals()
    try:
        await run(port, stop, click.echo, logins=channels)
    except OSError as error:
        raise AddressInUseError(f"Port {port} cannot be used: {os_sentence(error)}. Choose another --port.") from error
