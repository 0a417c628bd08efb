"""`subscriptions`: what Twitch holds for us."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import click
import msgspec

from itsjustintv_desktop.commands import output
from itsjustintv_desktop.commands.context import AppContext, pass_app
from itsjustintv_desktop.commands.running import actions
from itsjustintv_desktop.engine.api.subscriptions import Subscriptions
from itsjustintv_desktop.engine.core.errors import ControlError, UsageError
from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.engine.twitch.subscriptions import Listing, SubscriptionsStatus, SubscriptionView, SyncReport

_EVERY = 1.0
"""Seconds between two lines of progress."""
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


@click.group("subscriptions")
def command() -> None:
    """See and repair what Twitch holds for us."""


@command.command("list")
@_JSON
@pass_app
def list_(app: AppContext, as_json: bool) -> None:
    """List all of the client id, other programs' too."""
    listing = asyncio.run(_list(app))
    if as_json:
        output.echo_json(listing.subscriptions)
        return
    if not listing.subscriptions:
        click.echo("Twitch holds no subscription for this client id.")
    else:
        output.echo_table(
            ["ID", "TYPE", "CHANNEL", "STATUS", "WHOSE", "POINTS TO", "COST"],
            [
                (
                    each.id,
                    each.type,
                    each.login or each.user_id,
                    each.status,
                    "ours" if each.ours else "foreign",
                    each.target,
                    each.cost,
                )
                for each in listing.subscriptions
            ],
            wrap=("POINTS TO", "STATUS"),
        )
    ours = sum(each.ours for each in listing.subscriptions)
    foreign = len(listing.subscriptions) - ours
    click.echo(f"{ours} ours, {foreign} foreign; {listing.total_cost} of {listing.max_total_cost} points used.")


async def _list(app: AppContext) -> Listing:
    async with actions(app) as engine:
        return await engine.subscriptions.list()


@command.command()
@click.option("--new-secret", is_flag=True, help="Make a new webhook secret first; the old one stays good for 24 h.")
@_JSON
@pass_app
def sync(app: AppContext, new_secret: bool, as_json: bool) -> None:
    """Compare with the config and repair, now. Exits with 1 if something is not as it should be afterwards.

    The program does this by itself: at its start, when the config or the address changes, after sleep, and hourly.
    """
    report = asyncio.run(_sync(app, new_secret, quiet=as_json))
    ok = not report.problems
    if as_json:
        output.echo_json({"ok": ok, **msgspec.structs.asdict(report)})
    else:
        _show(report)
    click.get_current_context().exit(0 if ok else 1)


async def _sync(app: AppContext, new_secret: bool, *, quiet: bool) -> SyncReport:
    async with actions(app) as engine:
        if quiet:
            return await engine.subscriptions.sync(new_secret)
        async with _progress(engine.subscriptions):
            return await engine.subscriptions.sync(new_secret)


@asynccontextmanager
async def _progress(subscriptions: Subscriptions) -> AsyncIterator[None]:
    """Meanwhile, a line on stderr whenever the round got further."""
    tasks = Tasks()
    tasks.start("commands.progress", _watch(subscriptions, lambda text: click.echo(text, err=True)))
    try:
        yield
    finally:
        await tasks.stop()


async def _watch(subscriptions: Subscriptions, say: Callable[[str], None]) -> None:
    last = ""
    while True:
        await asyncio.sleep(_EVERY)
        try:
            status = await subscriptions.status()
        except ControlError:
            continue  # it is the round itself that tells what is wrong
        text = _how_far(status)
        if text and text != last:
            last = text
            say(text)


def _how_far(status: SubscriptionsStatus) -> str:
    return f"{status.done} of {status.total} steps done ..." if status.total else ""


def _show(report: SyncReport) -> None:
    click.echo(f"They point to {report.target.partition(' ')[2]} ({report.target.partition(' ')[0]}).")
    click.echo(
        f"{report.created} created, {report.deleted} deleted, {report.kept} left as they were, "
        f"{report.foreign} of other programs left alone."
    )
    if report.pending:
        click.echo(f"For {report.pending} Twitch is asking now whether the address is ours. See `subscriptions list`.")
    if report.held_back:
        click.echo(f"{report.held_back} wait until the address has answered Twitch.")
    click.echo(f"{report.cost} of {report.max_cost} points of Twitch's budget are used.")
    for problem in report.problems:
        click.echo(f"problem: {problem}")


@command.command()
@click.argument("subscription_id", metavar="[ID]", required=False)
@click.option("--all-ours", is_flag=True, help="All that this program made.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_app
def delete(app: AppContext, subscription_id: str | None, all_ours: bool, yes: bool) -> None:
    """Delete one subscription by its ID, or all of ours.

    A running program makes those of watched channels again with its next round.
    """
    if bool(subscription_id) == all_ours:
        raise click.UsageError("Give either an ID or --all-ours.")
    deleted = asyncio.run(_delete(app, subscription_id, yes))
    click.echo(f"Deleted {deleted} subscription{'' if deleted == 1 else 's'}.")


async def _delete(app: AppContext, subscription_id: str | None, yes: bool) -> int:
    async with actions(app) as engine:
        held = (await engine.subscriptions.list()).subscriptions
        chosen = [each for each in held if (each.id == subscription_id if subscription_id else each.ours)]
        if subscription_id and not chosen:
            raise UsageError(f"Twitch holds no subscription {subscription_id}. See `subscriptions list`.")
        if chosen and not yes:
            await asyncio.to_thread(click.confirm, _question(chosen), abort=True)
        for each in chosen:
            await engine.subscriptions.delete(each.id)
        return len(chosen)


def _question(chosen: list[SubscriptionView]) -> str:
    if len(chosen) > 1:
        return f"Delete all {len(chosen)} subscriptions that are ours?"
    (one,) = chosen
    whose = "" if one.ours else " It belongs to another program, which will hear nothing more."
    return f"Delete {one.type} of {one.login or one.user_id}, which points to {one.target}?{whose}"
