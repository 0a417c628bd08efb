"""`demo`: the whole program against a simulated Twitch."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

import click

from itsjustintv_desktop.commands.context import AppContext, pass_app
from itsjustintv_desktop.commands.running import stop_on_signals
from itsjustintv_desktop.commands.tray import has_screen, no_qt
from itsjustintv_desktop.demo import assertions, environment
from itsjustintv_desktop.demo.reporter import Reporter
from itsjustintv_desktop.demo.script import Script
from itsjustintv_desktop.engine import EngineOptions, RunningEngine, logs, started
from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.simulator.server import Simulator

_GRACE = 12.0
"""Seconds beyond the given ones that the last announcements may take."""
_COLOURS = {"twitch": "magenta", "engine": None, "good": "green", "bad": "yellow"}


@click.command("demo")
@click.option("--headless", is_flag=True, help="Told in lines, even where there is a screen.")
@click.option("--seconds", default=20.0, show_default=True, type=click.FloatRange(5, 3600), help="How long.")
@pass_app
def command(app: AppContext, headless: bool, seconds: float) -> None:
    """See the whole program work against a simulated Twitch; no account is needed.

    Six channels go live while things go wrong as they do on a normal evening. Nothing leaves this machine, and your
    own config and data are not touched. With a screen it opens the window and stays until you quit. With --headless,
    or without a screen, it ends by itself, with 0 only if every announcement arrived, verified and once.
    """
    if not headless and has_screen():
        try:
            from itsjustintv_desktop.demo.window import show
        except ImportError as error:
            click.echo(f"{no_qt(error).message}\nThe demo is told in lines instead.\n", err=True)
        else:
            click.get_current_context().exit(show())
    logs.configure("debug" if app.log_level == "debug" else "error")
    with tempfile.TemporaryDirectory(prefix="itsjustintv-demo-") as folder:
        well = asyncio.run(_demo(Path(folder), seconds))
    click.get_current_context().exit(0 if well else 1)


async def _demo(folder: Path, seconds: float) -> bool:
    stop = stop_on_signals()
    tasks = Tasks()
    reporter = Reporter(lambda line, kind: click.secho(line, fg=_COLOURS[kind]))
    paths = Paths(config=folder / "config" / "config.toml", data=folder / "data")
    feed = paths.resolve("output.json")
    began = time.monotonic()
    async with Simulator() as simulator:
        environment.furnish(simulator)
        paths.config.parent.mkdir()
        paths.config.write_text(environment.config(simulator), encoding="utf-8")
        async with started(EngineOptions(paths=paths, environ=simulator.environment())) as engine:
            try:
                host, port = engine.address or ("", 0)
                reporter.engine(f"listening on http://{host}:{port}, watching {len(environment.CHANNELS)} channels")
                tasks.start("demo.tell", _tell(engine, reporter))
                script = Script(simulator, reporter.twitch, callback=f"http://{host}:{port}/twitch")
                await script.subscribe()
                playing = tasks.start("demo.script", script.play(seconds))
                until = began + seconds
                while not stop.is_set():
                    now = time.monotonic()
                    over = playing.done() and now >= until
                    if (over and assertions.is_complete(simulator, feed)) or now > until + _GRACE:
                        break
                    await asyncio.sleep(0.1)
            finally:
                await tasks.stop()
        return _summary(assertions.faults(simulator, feed), sum(assertions.arrived(simulator).values()), simulator)


async def _tell(engine: RunningEngine, reporter: Reporter) -> None:
    login_of: dict[int, str] = {}
    async for event in engine.subscribe():
        reporter.event(event, login_of)


def _summary(faults: list[str], count: int, simulator: Simulator) -> bool:
    click.echo("")
    click.echo(
        f"Twitch sent {len(simulator.eventsub.sent)} messages; {count} announcements arrived; "
        f"Helix was asked {simulator.calls.total()} times."
    )
    if faults:
        click.secho("The demo did not work:", fg="red", bold=True)
        for fault in faults:
            click.echo(f"  - {fault}")
        return False
    click.secho("Every announcement arrived, verified and once.", fg="green", bold=True)
    return True
