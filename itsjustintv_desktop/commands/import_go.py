"""`import-go`: take over from the Go service."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import click

from itsjustintv_desktop.commands import output
from itsjustintv_desktop.commands.context import AppContext, pass_app

_QUIET = 1.0
"""Seconds before there is anything to read about how far it is, and between two lines."""


@click.command("import-go")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option(
    "--go-config", type=click.Path(path_type=Path, dir_okay=False, exists=True), help="Its config.toml, if elsewhere."
)
@click.option("--move-secrets", is_flag=True, help="Move secrets out of the new config.toml to the keyring.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@pass_app
def command(app: AppContext, folder: Path, go_config: Path | None, move_secrets: bool, as_json: bool) -> None:
    """Take over from the Go service: config, queue, what it announced, token and pictures.

    DIR is the folder with its config.toml and data/, or its data folder. Nothing in it is changed. Can be repeated.
    Exit code 1 if something could not be taken over that mending and repeating would bring.
    """
    from itsjustintv_desktop.engine.core.clock import SystemClock
    from itsjustintv_desktop.engine.import_go.run import run_import

    moved = asyncio.run(
        run_import(
            folder,
            app.paths,
            os.environ,
            SystemClock(),
            go_config=go_config,
            move_secrets=move_secrets,
            progress=_Progress(),
        )
    )
    if as_json:
        output.echo_json(
            {
                "ok": moved.ok,
                "folder": moved.folder,
                "config": str(app.paths.config),
                "data": str(app.paths.data),
                "parts": [
                    {
                        "name": part.name,
                        "state": part.state.value,
                        "taken": part.taken,
                        "already_there": part.already,
                        "left_out": part.left_out,
                        "notes": part.notes,
                    }
                    for part in moved.parts
                ],
                "next_steps": moved.next_steps,
            }
        )
    else:
        width = max(len(part.name) for part in moved.parts)
        for part in moved.parts:
            click.echo(f"{part.name:<{width}}  {part.summary}")
            for note in part.notes:
                click.echo(f"  {note}")
        click.echo("\nNext:")
        for number, step in enumerate(moved.next_steps, 1):
            click.echo(f"{number}. {step}")
    if not moved.ok:
        raise SystemExit(1)


class _Progress:
    """Lines on stderr, for what takes longer than a moment."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def __call__(self, words: str) -> None:
        now = time.monotonic()
        if now - self._last >= _QUIET:
            self._last = now
            click.echo(words, err=True)
