"""The command line: global options, and one file per command under commands/."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Any

import click

from itsjustintv_desktop import __version__

_COMMANDS = {
    "serve": "Run the engine without a screen.",
    "demo": "See the whole program work against a simulated Twitch.",
    "simulator": "Run the simulated Twitch alone, to develop against.",
    "config": "Check the config, print an example, say where it is.",
    "tunnel": "Install the program that a tunnel needs.",
    "subscriptions": "See and repair what Twitch holds for us.",
    "conduit": "The conduits of this client id: list, adopt, delete.",
    "feed": "What was announced, what was not and why; announce it after all.",
    "deliveries": "Look at the queue and the history, and steer them.",
    "pause": "Announce nothing for a while, or send nothing to one destination.",
    "resume": "End a pause.",
    "doctor": "Will the next stream be announced? Every link of the chain.",
    "test-event": "Send a test announcement to a streamer's destinations.",
    "import-go": "Take over from the Go service.",
}


class _Lazy(click.Group):
    """Loads a command's file when it is used, so that `serve` does not load what only `deliveries` needs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"itsjustintv_desktop.commands.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        from itsjustintv_desktop.engine.core.errors import AppError, ConfigError
        from itsjustintv_desktop.engine.redaction import redact

        try:
            return super().invoke(ctx)
        except AppError as error:
            click.echo(redact(f"{error.title}.\n{error.message}"), err=True)
            for warning in error.warnings if isinstance(error, ConfigError) else ():
                click.echo(redact(f"warning: {warning}"), err=True)
            ctx.exit(2 if isinstance(error, ConfigError) else 1)


@click.group(
    cls=_Lazy,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--config", type=click.Path(path_type=Path, dir_okay=False), help="Another config.toml.")
@click.option("--data-dir", type=click.Path(path_type=Path, file_okay=False), help="Another data directory.")
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    show_default="info for serve, else error",
    help="How much to tell on stderr.",
)
@click.option("--hidden", is_flag=True, help="Without a command: start in the tray, with no window.")
@click.version_option(__version__, prog_name="itsjustintv-desktop")
@click.pass_context
def cli(ctx: click.Context, config: Path | None, data_dir: Path | None, log_level: str | None, hidden: bool) -> None:
    """Tells the world when a Twitch channel goes live.

    Without a command it opens the tray app.
    """
    from itsjustintv_desktop.commands.context import AppContext
    from itsjustintv_desktop.engine import logs, redaction
    from itsjustintv_desktop.engine.core.paths import Paths

    log_level = log_level or ("info" if ctx.invoked_subcommand in {"serve", None} else "error")
    ctx.obj = AppContext(paths=Paths.default(config, data_dir), log_level=log_level)
    logs.configure(log_level)
    redaction.learn_environ(os.environ)
    if ctx.invoked_subcommand is None:
        from itsjustintv_desktop.commands.tray import start

        ctx.exit(start(ctx.obj, hidden=hidden))


def main() -> None:
    """The entry point of the installed command."""
    if sys.platform == "win32":  # a legacy console must not fail on a channel's name
        for stream in (sys.stdout, sys.stderr):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    from itsjustintv_desktop.engine import logs

    logs.catch_the_uncaught()
    cli()
