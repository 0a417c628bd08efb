"""`doctor`: will the next stream be announced?"""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter

import click
import msgspec

from itsjustintv_desktop.commands import output
from itsjustintv_desktop.commands.context import AppContext, pass_app
from itsjustintv_desktop.engine.core.errors import AppError, ConfigError, ControlError, NotFoundError
from itsjustintv_desktop.engine.core.status import NEXT_STREAM, NO_STREAM
from itsjustintv_desktop.engine.monitoring.doctor import Check, CheckState, Report

_SIGNS = {CheckState.GREEN: "✓", CheckState.AMBER: "!", CheckState.RED: "✗", "off": "–"}
"""Off: switched off or paused by a person, as the window shows it in grey."""
_COLOURS = {CheckState.GREEN: "green", CheckState.AMBER: "yellow", CheckState.RED: "red", "off": "bright_black"}
_MANY = 20
"""Streamers and destinations from which those that are well are only counted."""
_START = "Start it (`serve`), and let it start with the machine."
_WRONG_CONFIG = 2
_LOCAL_SECONDS = 5.0
"""A program that takes longer to look at itself is not well."""


@click.command("doctor")
@click.option("--local", is_flag=True, help="Only ask the running program; for health checks of containers.")
@click.option("--streamer", metavar="LOGIN", help="Only this streamer, and its destinations.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@pass_app
def command(app: AppContext, local: bool, streamer: str | None, as_json: bool) -> None:
    """Will my next stream be announced? Check every link of the chain.

    Exits with 0 if nothing is red, with 1 if something is, and with 2 if the config cannot be used.
    """
    if local and streamer is not None:
        raise click.UsageError("--local is about the program alone; leave --streamer out.")
    code = 0
    try:
        report = asyncio.run(_local(app) if local else _whole(app, streamer))
    except NotFoundError:
        raise
    except ConfigError as error:
        code = _WRONG_CONFIG
        report = _failed("config", " ".join(f"{problem}." for problem in error.problems), "See `config check`.")
    except AppError as error:
        report = _failed("program", f"{error.title}: {error.message}")
    code = code or (0 if report.ok else 1)
    if as_json:
        output.echo_json(msgspec.structs.replace(report, summary=None, chosen=()))
    else:
        _show(report, streamer=streamer, local=local)
    click.get_current_context().exit(code)


async def _whole(app: AppContext, streamer: str | None) -> Report:
    from itsjustintv_desktop.commands.running import actions

    async with actions(app) as engine:
        return await engine.diagnostics.doctor(streamer)


async def _local(app: AppContext) -> Report:
    """Never starts an engine: one that does not run is the answer."""
    from itsjustintv_desktop.engine.control import address
    from itsjustintv_desktop.engine.control.client import ControlClient

    found = await asyncio.to_thread(address.read, app.paths.control)
    if found is None:
        return _failed("program", "The program is not running.", _START)
    try:
        async with ControlClient(found) as client, asyncio.timeout(_LOCAL_SECONDS):
            return await client.diagnostics.doctor(local=True)
    except (ControlError, TimeoutError):
        return _failed("program", "It does not answer: it does not run any more, or hangs.", _START)


def _failed(name: str, message: str, fix: str = "") -> Report:
    return Report(ok=False, checks=(Check(name=name, state=CheckState.RED, message=message, fix=fix),))


def _show(report: Report, *, streamer: str | None, local: bool) -> None:
    hidden = _hidden(report)
    for check in report.checks:
        if check not in hidden:
            click.echo(f"{_sign('off' if check.name in report.chosen else check.state)} {check.name}: {check.message}")
            if check.fix:
                click.echo(f"    {check.fix}")
    for kind in ("streamer", "destination"):
        well = sum(check.name.startswith(f"{kind} ") for check in hidden)
        if well:
            are = f"{kind} is" if well == 1 else f"{kind}s are"
            click.echo(f"{_sign(CheckState.GREEN)} {well} {are} well.")
    click.echo()
    click.echo(_answer(report, streamer=streamer, local=local))
    if not local:
        click.echo('(An OBS "bandwidth test" fires no event, so it tests nothing here; `test-event LOGIN` does.)')


def _hidden(report: Report) -> list[Check]:
    """Of a long list, what is well."""
    named = [check for check in report.checks if check.name.startswith(("streamer ", "destination "))]
    return [check for check in named if check.state is CheckState.GREEN] if len(named) > _MANY else []


def _sign(state: str) -> str:
    """A sign with colour in a terminal that can show it, else the word."""
    if not sys.stdout.isatty():
        return f"{state:5}"
    sign = _SIGNS[state] if (sys.stdout.encoding or "").lower().replace("-", "") == "utf8" else f"{state:5}"
    return sign if os.environ.get("NO_COLOR") else click.style(sign, fg=_COLOURS[state])


def _answer(report: Report, *, streamer: str | None, local: bool) -> str:
    states = Counter(check.state for check in report.checks if check.name not in report.chosen)
    red, amber = states[CheckState.RED], states[CheckState.AMBER]
    if local:
        return "The program is healthy." if report.ok else "The program is not healthy."
    headline = NEXT_STREAM if report.ok else NO_STREAM
    if report.summary is not None:
        headline = report.summary.headline
    whose = f"{streamer}: " if streamer is not None else ""
    more = f" Fix what is red ({red})." if red else f" Look at what is amber ({amber})." if amber else ""
    return f"{whose}{headline}.{more}"
