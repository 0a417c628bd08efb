"""Waiting for what comes of an announcement, and saying it."""

from __future__ import annotations

import asyncio
import time

import click

from itsjustintv_desktop.engine.api.announcements import Announcements, EventReport
from itsjustintv_desktop.engine.core.models import DeliveryState

_EVERY = 0.2


async def outcome_of(announcements: Announcements, event_id: int, wait: float) -> EventReport:
    """How far the event came after `wait` seconds, or sooner if every destination has an outcome of some kind."""
    until = time.monotonic() + wait
    while True:
        report = await announcements.event_report(event_id)
        if report.is_settled or _is_tried(report) or time.monotonic() > until:
            return report
        await asyncio.sleep(_EVERY)


def _is_tried(report: EventReport) -> bool:
    """Whether every destination has an outcome of some kind, be it only why nothing is sent there now."""
    return report.state != "accepted" and all(
        each.state is not DeliveryState.SENDING
        and (each.attempts > 0 or bool(each.last_error) or each.destination in report.blocked)
        for each in report.deliveries
    )


def show(report: EventReport) -> None:
    """A line for each destination, or what there is to say instead."""
    if report.state == "accepted":
        click.echo("It is not sent yet. See `deliveries list` in a moment.")
    elif report.state != "announced":
        click.echo(f"It was not announced: {report.explanation}")
    elif not report.deliveries:
        click.echo("It is in output.json. The streamer has no destination, so that file is the output.")
    for each in report.deliveries:
        if each.state is DeliveryState.DELIVERED:
            note = f" {each.last_error}" if each.last_error else ""
            click.echo(f"{each.destination}: delivered, the answer was {each.last_status}.{note}")
        elif each.destination in report.blocked:
            click.echo(f"{each.destination}: {each.state.value}. It {report.blocked[each.destination]}")
        else:
            why = f": {each.last_error.removesuffix('.')}" if each.last_error else ""
            click.echo(f"{each.destination}: {each.state.value}{why}.")
