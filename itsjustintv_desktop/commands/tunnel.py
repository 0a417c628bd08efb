"""`tunnel`: the program that a tunnel needs."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import click

from itsjustintv_desktop.commands.context import AppContext, pass_app
from itsjustintv_desktop.engine.config.load import load
from itsjustintv_desktop.engine.core.errors import ConfigError

if TYPE_CHECKING:
    from itsjustintv_desktop.engine.core.net.client import Outbound


@click.group("tunnel")
def command() -> None:
    """Install the program that a tunnel needs."""


@command.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_app
def install(app: AppContext, yes: bool) -> None:
    """Download ngrok's program from ngrok, for this data directory alone."""
    from itsjustintv_desktop.engine.ingress.ngrok.install import download_address
    from itsjustintv_desktop.engine.ingress.ngrok.settings import own_program

    folder, address = app.paths.data / "ngrok", download_address()
    click.echo(f"This downloads ngrok's program, about 12 MB, from {address} to {own_program(folder)}.")
    if not yes:
        click.confirm("Download it?", abort=True)
    app.paths.create()
    version = asyncio.run(_install(app))
    click.echo(f"ngrok {version} is installed. A running program finds it by itself.")


async def _install(app: AppContext) -> str:
    from itsjustintv_desktop.engine.ingress.ngrok.install import install as fetch

    with click.progressbar(length=1, label="Downloading", show_pos=False, width=40) as bar:

        def show(done: int, whole: int | None) -> None:
            if whole:
                bar.length = whole
                bar.update(done - bar.pos)

        return await fetch(app.paths.data / "ngrok", show, outbound=await _outbound(app))


async def _outbound(app: AppContext) -> Outbound:
    """With the proxy of the config, if that can be read."""
    from itsjustintv_desktop.engine.core.net.client import Outbound
    from itsjustintv_desktop.engine.core.net.proxies import Proxies

    try:
        configured = (await asyncio.to_thread(load, app.paths.config, os.environ)).config.network.proxy
    except ConfigError:
        configured = ""
    return Outbound(proxies=Proxies(os.environ, configured))
