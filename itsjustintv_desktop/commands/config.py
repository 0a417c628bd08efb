"""`config`: is the configuration right, what can be in it, where is it, and secrets out of it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from itsjustintv_desktop.commands.context import AppContext, pass_app
from itsjustintv_desktop.engine.core.errors import ConfigError

if TYPE_CHECKING:
    from itsjustintv_desktop.engine.config.load import Loaded
    from itsjustintv_desktop.engine.config.schema import Config

_WRONG = 2
"""Exit code for a config that cannot be used."""


@click.group("config")
def command() -> None:
    """Check, explain and find the configuration file."""


@command.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@pass_app
def check(app: AppContext, as_json: bool) -> None:
    """Check the configuration, the environment included. Exit code 0 if it can be used, 2 if not."""
    from itsjustintv_desktop.commands.same_channel import same_channel
    from itsjustintv_desktop.engine.config.endpoints import Endpoints
    from itsjustintv_desktop.engine.config.lacks import ELSEWHERE, lacks
    from itsjustintv_desktop.engine.config.load import load

    problems: list[str] = []
    warnings: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    summary = ""
    loaded: Loaded | None = None
    try:
        loaded = load(app.paths.config, os.environ, named=app.paths.config_named)
    except ConfigError as error:
        problems += error.problems
        warnings = error.warnings
    else:
        where = app.paths.config
        warnings = (*loaded.warnings, *(f"{where}: {lack}" for lack in lacks(loaded.config)))
        has_secret = bool(loaded.config.twitch.client_secret)
        notices = loaded.notices if has_secret else (*loaded.notices, f"{where}: {ELSEWHERE}")
    try:
        Endpoints.from_environ(os.environ)
    except ConfigError as error:
        problems += error.problems
    if loaded is not None and not problems:
        shared, open_questions = same_channel(app, loaded.config)
        warnings += tuple(f"{app.paths.config}: {each}" for each in shared)
        notices += tuple(f"{app.paths.config}: {each}" for each in open_questions)
        summary = _summary(loaded.config, warnings)

    if as_json:
        _print_json(
            {
                "ok": not problems,
                "file": str(app.paths.config),
                "problems": problems,
                "warnings": list(warnings),
                "notices": list(notices),
            }
        )
    else:
        for problem in problems:
            click.echo(f"error: {problem}", err=True)
        for warning in warnings:
            click.echo(f"warning: {warning}")
        for notice in notices:
            click.echo(f"note: {notice}")
        if not problems:
            click.echo(summary)
    if problems:
        sys.exit(_WRONG)


@command.command(short_help="Print an example with every setting.")
def example() -> None:
    """Print an example with every setting, its default and what it does."""
    from itsjustintv_desktop.engine.config.reference import example as text

    click.echo(text(), nl=False)


@command.command()
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@pass_app
def path(app: AppContext, as_json: bool) -> None:
    """Say where the configuration file is, or would be."""
    if as_json:
        _print_json({"file": str(app.paths.config), "exists": app.paths.config.exists()})
    else:
        click.echo(str(app.paths.config))


@command.command("move-secrets", short_help="Move secrets from the file to the keyring.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_app
def move_secrets(app: AppContext, yes: bool) -> None:
    """Move secrets that stand in the file in the clear to the keyring and the vault. The program must not run."""
    from itsjustintv_desktop.engine.config.load import load

    loaded = load(app.paths.config, os.environ, named=app.paths.config_named)
    keys = loaded.secrets_in_clear
    if not keys:
        click.echo(f"No secret {'that can be moved ' if loaded.secrets_fixed else ''}stands in the file in the clear.")
        _say_what_stays(loaded.secrets_fixed)
        return
    click.echo("These stand in the file in the clear:\n" + "\n".join(f"  {key}" for key in keys))
    if not yes:
        click.confirm("Move them to where secrets are kept?", abort=True)
    moved = asyncio.run(_move(app, keys))
    click.echo(f"Moved {len(moved)} of {len(keys)}. The file and its backup no longer hold what was moved.")
    for key in sorted(set(keys) - set(moved)):
        click.echo(f"{key} stays: its place would not be its own. Rename the destination or the streamer first.")
    _say_what_stays(loaded.secrets_fixed)


def _say_what_stays(keys: tuple[str, ...]) -> None:
    for key in keys:
        click.echo(f"{key} stays: it looks like a secret, and headers can only stand in the file. Let nobody read it.")


async def _move(app: AppContext, keys: tuple[str, ...]) -> list[str]:
    from itsjustintv_desktop.engine.config.load import load
    from itsjustintv_desktop.engine.control.lock import InstanceLock
    from itsjustintv_desktop.engine.core.clock import SystemClock
    from itsjustintv_desktop.engine.storage.secrets import SecretStore, move_into_keyring

    app.paths.create()
    lock = InstanceLock(app.paths.lock)
    lock.acquire()
    config = load(app.paths.config, os.environ, named=app.paths.config_named).config
    store = SecretStore.open(
        config.secrets.store,
        vault=app.paths.vault,
        passphrase=os.environ.get("ITSJUSTINTV_PASSPHRASE"),
        clock=SystemClock(),
    )
    try:
        await store.unlock()
        return await move_into_keyring(app.paths.config, keys, store, environ=os.environ)
    finally:
        await store.close()
        lock.release()


def _print_json(content: dict[str, Any]) -> None:
    click.echo(json.dumps(content, indent=2, ensure_ascii=False))


def _summary(config: Config, warnings: tuple[str, ...]) -> str:
    from itsjustintv_desktop.engine.config.destinations import effective_destinations

    destinations = _count(len(effective_destinations(config)), "destination")
    well = "it can be used, see the warnings" if warnings else "all well"
    if not config.twitch.client_secret and not warnings:
        well += ", if the keyring holds the client secret"
    return f"{_count(len(config.streamers), 'streamer')}, {destinations}: {well}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
