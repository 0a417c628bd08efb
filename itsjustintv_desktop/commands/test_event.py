"""`test-event`: a real payload through the real pipeline."""

from __future__ import annotations

import asyncio

import click

from itsjustintv_desktop.commands import output
from itsjustintv_desktop.commands.context import AppContext, pass_app
from itsjustintv_desktop.commands.outcome import outcome_of, show
from itsjustintv_desktop.commands.running import actions
from itsjustintv_desktop.engine.api.announcements import EventReport
from itsjustintv_desktop.engine.core.models import DeliveryState


@click.command("test-event")
@click.argument("login")
@click.option("--wait", default=40.0, show_default=True, help="Seconds to wait for the outcome.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@pass_app
def command(app: AppContext, login: str, wait: float, as_json: bool) -> None:
    """Send a test announcement to the destinations of the streamer LOGIN.

    It is marked as a test, passes the tag filter, and is otherwise what a real one would be. Exits with 0 if every
    destination took it. (An OBS "bandwidth test" stream is no test of this: Twitch sends no event for it.)
    """
    report = asyncio.run(_send(app, login, wait, quiet=as_json))
    delivered = report.state == "announced" and all(each.state is DeliveryState.DELIVERED for each in report.deliveries)
    if as_json:
        output.echo_json(
            {
                "ok": delivered,
                "event_id": report.id,
                "state": report.state,
                "reason": report.explanation,
                "deliveries": [output.delivery_json(each) for each in report.deliveries],
                "blocked": report.blocked,
            }
        )
    else:
        show(report)
    click.get_current_context().exit(0 if delivered else 1)


async def _send(app: AppContext, login: str, wait: float, *, quiet: bool) -> EventReport:
    async with actions(app) as engine:
        if not quiet:
            click.echo("Asking Twitch about the channel, then sending (it may take 20 s) ...", err=True)
        event_id = await engine.announcements.test_event(login)
        return await outcome_of(engine.announcements, event_id, wait)
