"""`serve`: the engine without a screen."""

from __future__ import annotations

import asyncio
import gc
import os
import sys

import click

from itsjustintv_desktop.commands.context import AppContext, pass_app
from itsjustintv_desktop.commands.running import stop_on_signals
from itsjustintv_desktop.commands.sdnotify import ServiceManager
from itsjustintv_desktop.engine import EngineOptions, started
from itsjustintv_desktop.engine.core.tasks import Tasks


@click.command("serve")
@pass_app
def command(app: AppContext) -> None:
    """Run the engine without a screen, until Ctrl-C or SIGTERM.

    Prints one line, "ready http://HOST:PORT", once it listens and the ledger is open. Logs go to stderr.
    """
    asyncio.run(_serve(app))


async def _serve(app: AppContext) -> None:
    stop = stop_on_signals()
    manager, tasks = ServiceManager(os.environ), Tasks()
    async with started(EngineOptions(paths=app.paths, log_file=True)) as engine:
        try:
            host, port = engine.address or ("", 0)
            _tell(f"ready http://{f'[{host}]' if ':' in host else host}:{port}")
            # What was made so far stays: walking it at every full collection would hold up answers (40 ms, measured).
            gc.collect()
            gc.freeze()
            manager.tell("READY=1")
            manager.watch_over(tasks)
            await stop.wait()
        finally:
            manager.tell("STOPPING=1")
            await tasks.stop()


def _tell(line: str) -> None:
    """Whoever started us may have closed stdout: no reason to stop announcing, nor to fail when Python flushes it."""
    try:
        click.echo(line)
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
