"""`conduit`: the conduits of this client id."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import click

from itsjustintv_desktop.commands import output
from itsjustintv_desktop.commands.context import AppContext, pass_app
from itsjustintv_desktop.commands.running import actions
from itsjustintv_desktop.engine.ingress.conduit.registry import ConduitManager, ConduitView

T = TypeVar("T")

_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
_YES = click.option("--yes", is_flag=True, help="Don't ask.")


@click.group("conduit")
def command() -> None:
    """See and change the conduits of this client id."""


@command.command("list")
@_JSON
@pass_app
def list_(app: AppContext, as_json: bool) -> None:
    """List the conduits of this client id, ours first."""
    found = asyncio.run(_asked(app, lambda conduits: conduits.list()))
    if as_json:
        output.echo_json(found)
    elif not found:
        click.echo("This client id has no conduits.")
    else:
        output.echo_table(
            ["ID", "OURS", "SHARDS", "CONNECTED"],
            [(each.id, "yes" if each.ours else "no", each.shard_count, _connected(each)) for each in found],
            wrap=("CONNECTED",),
        )


@command.command()
@click.argument("conduit_id")
@_YES
@pass_app
def adopt(app: AppContext, conduit_id: str, yes: bool) -> None:
    """Use this conduit on this machine from now on."""
    if not yes:
        click.confirm(
            f"Use the conduit {conduit_id} here? A program on another machine that uses it loses its events.",
            abort=True,
        )
    view = asyncio.run(_asked(app, lambda conduits: conduits.adopt(conduit_id)))
    click.echo(f"The conduit {view.id} is this machine's now.")


@command.command()
@click.argument("conduit_id")
@click.option("--force", is_flag=True, help="Also the one that this machine uses.")
@_YES
@pass_app
def delete(app: AppContext, conduit_id: str, force: bool, yes: bool) -> None:
    """Delete a conduit at Twitch, with its subscriptions."""
    if not yes:
        click.confirm(
            f"Delete the conduit {conduit_id} with its subscriptions? A program that uses it loses its events.",
            abort=True,
        )
    view = asyncio.run(_asked(app, lambda conduits: conduits.delete(conduit_id, force=force)))
    click.echo(f"The conduit {view.id} was deleted.")


def _connected(view: ConduitView) -> str:
    """What its shards are, in a few words."""
    counts: dict[str, int] = {}
    for shard in view.shards:
        words = f"{shard.method} {shard.status}".strip()
        counts[words] = counts.get(words, 0) + 1
    if not counts:
        return "nobody yet"
    return ", ".join(words if count == 1 else f"{count} times {words}" for words, count in sorted(counts.items()))


async def _asked(app: AppContext, ask: Callable[[ConduitManager], Awaitable[T]]) -> T:
    async with actions(app) as engine:
        return await ask(engine.conduits)
