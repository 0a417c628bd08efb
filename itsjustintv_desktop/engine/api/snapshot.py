"""Everything a screen shows at first, at one moment. One job of the ledger, the rest is in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from itsjustintv_desktop import __version__
from itsjustintv_desktop.engine.api.masking import masked_address
from itsjustintv_desktop.engine.api.models import DestinationStatus, Numbers, Snapshot, StreamerView, TransportView
from itsjustintv_desktop.engine.config.destinations import destinations_of, format_of
from itsjustintv_desktop.engine.config.schema import KEYRING, Destination, Streamer
from itsjustintv_desktop.engine.core.models import DeliveryState
from itsjustintv_desktop.engine.core.status import RowStatus, StreamerStatus
from itsjustintv_desktop.engine.storage.ledger.counting import Tally, Waiting
from itsjustintv_desktop.engine.storage.secrets.content import DestinationSecrets

if TYPE_CHECKING:
    from itsjustintv_desktop.engine.engine import Engine

_NOTHING = Waiting(count=0, first_due=None, next_due=None)
_UNKNOWN = StreamerStatus()


async def snapshot(engine: Engine) -> Snapshot:
    """Also while the ledger does not answer: its numbers are the last ones then."""
    status, tally = await engine.doctor.look()
    # From here on nothing waits, so that all of it is of one moment.
    streamers = tuple(
        _streamer(engine, streamer, status.streamers.get(streamer.key, _UNKNOWN))
        for streamer in engine.live.config.streamers.values()
    )
    streams = engine.reach.catch_up.live_now
    ids = dict.fromkeys([*(each.user_id for each in streamers if each.live), *streams])
    return Snapshot(
        at=engine.now(),
        version=__version__,
        started_at=engine.started_at,
        address=engine.address,
        way=_way(engine),
        subscriptions=engine.reach.subscriptions.status,
        config=engine.reload.state,
        status=status.summary,
        live=tuple(streams[user_id] for user_id in ids),
        streamers=streamers,
        destinations=destinations(engine, tally, status.destinations),
        deliveries=numbers(tally),
        paused=engine.pause.view,
        signing_problem=engine.signing_problem,
        secrets=engine.secrets.state,
        update=engine.updates.view,
    )


def destinations(engine: Engine, tally: Tally, rows: Mapping[str, RowStatus]) -> tuple[DestinationStatus, ...]:
    """In the order of the config."""
    states = engine.dispatcher.queues.states(engine.now())
    return tuple(
        _destination(engine, each, states.get(name), tally.waiting.get(name, _NOTHING), rows.get(name, RowStatus()))
        for name, each in engine.live.destinations.items()
    )


def numbers(tally: Tally) -> Numbers:
    first = [each.first_due for each in tally.waiting.values() if each.first_due is not None]
    later = [each.next_due for each in tally.waiting.values() if each.next_due is not None]
    return Numbers(
        by_state=tuple((state.value, tally.by_state.get(state.value, 0)) for state in DeliveryState),
        oldest_due=min(first, default=None),
        next_due=min(later, default=None),
        unfinished_events=tally.unfinished_events,
    )


def _streamer(engine: Engine, streamer: Streamer, status: StreamerStatus) -> StreamerView:
    channel = engine.live.resolved.get(streamer.key)
    user_id = streamer.user_id or (channel.user_id if channel is not None else "")
    profile = engine.twitch.profiles.get(user_id)
    login = channel.login if channel is not None else profile.login or streamer.login or streamer.key
    return StreamerView(
        key=streamer.key,
        login=login,
        display_name=profile.display_name or (channel.display_name if channel is not None else "") or login,
        user_id=user_id,
        enabled=streamer.enabled,
        live=streamer.enabled and user_id in engine.reach.catch_up.live_now,
        tag_filter=streamer.tag_filter,
        additional_tags=streamer.additional_tags,
        destinations=destinations_of(engine.live.config, streamer),
        subscription=engine.reach.subscriptions.states.get(user_id) if streamer.enabled else None,
        picture=profile.image.sha256 if profile.image is not None else None,
        followers=profile.followers,
        status=status,
    )


def _destination(
    engine: Engine, destination: Destination, queue: tuple[str, str] | None, waiting: Waiting, status: RowStatus
) -> DestinationStatus:
    name = destination.name
    state, reason = queue or ("closed", "")
    breaker = engine.dispatcher.queues.queue(name).breaker.snapshot() if queue is not None else None
    kept = DestinationSecrets()
    if KEYRING in {destination.url, destination.secret}:
        kept = engine.secrets.known_destination(name) or kept
    url = (kept.url or "") if destination.url == KEYRING else destination.url
    return DestinationStatus(
        name=name,
        format=format_of(destination, url).name,
        enabled=destination.enabled,
        state=state if destination.enabled else "off",
        reason=reason,
        since=breaker.since if breaker is not None else 0.0,
        paused_by_hand=breaker is not None and breaker.by_hand,
        status=status,
        is_reduced=bool(engine.dispatcher.queues.note(destination)),
        address=masked_address(url),
        url_in_vault=destination.url == KEYRING,
        has_secret=bool(destination.secret),
        secret_in_vault=destination.secret == KEYRING,
        users=engine.live.users[name],
        waiting=waiting.count,
        first_due=waiting.first_due,
        next_due=waiting.next_due,
    )


def _way(engine: Engine) -> TransportView:
    status = engine.reach.way.status
    return TransportView(
        kind=status.kind,
        state=status.state.value,
        code=status.code,
        message=status.message,
        fix=status.fix,
        since=status.since,
        address=status.address,
        facts=tuple(status.facts.items()),
    )
