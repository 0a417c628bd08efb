"""Everything a screen shows at first, at one moment. One job of the ledger, the rest is in memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from itsjustintv_desktop import __version__
from itsjustintv_desktop.engine.announce.pause import Pause
from itsjustintv_desktop.engine.api.masking import masked_address
from itsjustintv_desktop.engine.api.models import DestinationStatus, Numbers, Snapshot, StreamerView, TransportView
from itsjustintv_desktop.engine.config.active import ConfigHolder
from itsjustintv_desktop.engine.config.destinations import destinations_of, format_of
from itsjustintv_desktop.engine.config.schema import KEYRING, Destination, Streamer
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.models import DeliveryState
from itsjustintv_desktop.engine.core.status import RowStatus, StreamerStatus
from itsjustintv_desktop.engine.delivery.dispatcher import Dispatcher
from itsjustintv_desktop.engine.ingress.manager import IngressManager
from itsjustintv_desktop.engine.ingress.webhook_secret import WebhookSecret
from itsjustintv_desktop.engine.monitoring.doctor.doctor import Doctor
from itsjustintv_desktop.engine.monitoring.updates.check import UpdateCheck
from itsjustintv_desktop.engine.runtime.config_reloader import ConfigReloader
from itsjustintv_desktop.engine.storage.ledger.counting import Tally, Waiting
from itsjustintv_desktop.engine.storage.secrets import SecretStore
from itsjustintv_desktop.engine.storage.secrets.content import DestinationSecrets
from itsjustintv_desktop.engine.twitch.profiles import Profiles

_NOTHING = Waiting(count=0, first_due=None, next_due=None)
_UNKNOWN = StreamerStatus()


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotReader:
    """Names every part that a screen shows something of. `address` is that of the public server, `started_at` when the
    engine was started (Unix seconds)."""

    doctor: Doctor
    ingress: IngressManager
    profiles: Profiles
    dispatcher: Dispatcher
    pause: Pause
    signing: WebhookSecret
    secrets: SecretStore
    reloader: ConfigReloader
    updates: UpdateCheck
    config: ConfigHolder
    address: Callable[[], tuple[str, int] | None]
    started_at: Callable[[], float]
    clock: Clock

    async def take(self) -> Snapshot:
        """Also while the ledger does not answer: its numbers are the last ones then."""
        status, tally = await self.doctor.look()
        # From here on nothing waits, so that all of it is of one moment.
        streamers = tuple(
            self._streamer(streamer, status.streamers.get(streamer.key, _UNKNOWN))
            for streamer in self.config.current.config.streamers.values()
        )
        streams = self.ingress.catch_up.live_now
        ids = dict.fromkeys([*(each.user_id for each in streamers if each.live), *streams])
        return Snapshot(
            at=self.clock.now(),
            version=__version__,
            started_at=self.started_at(),
            address=self.address(),
            way=self._transport(),
            subscriptions=self.ingress.subscriptions.status,
            config=self.reloader.state,
            status=status.summary,
            live=tuple(streams[user_id] for user_id in ids),
            live_known=self.ingress.catch_up.status.last_poll is not None or not self.config.current.watched_ids(),
            streamers=streamers,
            destinations=self._destinations(tally, status.destinations),
            deliveries=_numbers(tally, self._held(tally)),
            paused=self.pause.view,
            signing_problem=self.signing.problem,
            secrets=self.secrets.state,
            update=self.updates.view,
        )

    def _held(self, tally: Tally) -> Collection[str]:
        """Destinations to which nothing is sent for now."""
        if self.pause.active:
            return tally.waiting
        return {
            name for name, (state, _) in self.dispatcher.queues.states(self.clock.now()).items() if state == "paused"
        }

    def _destinations(self, tally: Tally, rows: Mapping[str, RowStatus]) -> tuple[DestinationStatus, ...]:
        """In the order of the config."""
        states = self.dispatcher.queues.states(self.clock.now())
        return tuple(
            self._destination(each, states.get(name), tally.waiting.get(name, _NOTHING), rows.get(name, RowStatus()))
            for name, each in self.config.current.destinations.items()
        )

    def _streamer(self, streamer: Streamer, status: StreamerStatus) -> StreamerView:
        channel = self.config.current.resolved.get(streamer.key)
        user_id = streamer.user_id or (channel.user_id if channel is not None else "")
        profile = self.profiles.get(user_id)
        login = channel.login if channel is not None else profile.login or streamer.login or streamer.key
        return StreamerView(
            key=streamer.key,
            login=login,
            display_name=profile.display_name or (channel.display_name if channel is not None else "") or login,
            user_id=user_id,
            enabled=streamer.enabled,
            live=streamer.enabled and user_id in self.ingress.catch_up.live_now,
            tag_filter=streamer.tag_filter,
            additional_tags=streamer.additional_tags,
            destinations=destinations_of(self.config.current.config, streamer),
            subscription=self.ingress.subscriptions.states.get(user_id) if streamer.enabled else None,
            picture=profile.image.sha256 if profile.image is not None else None,
            followers=profile.followers,
            status=status,
        )

    def _destination(
        self, destination: Destination, queue: tuple[str, str] | None, waiting: Waiting, status: RowStatus
    ) -> DestinationStatus:
        name = destination.name
        state, reason = queue or ("closed", "")
        breaker = self.dispatcher.queues.queue(name).breaker.snapshot() if queue is not None else None
        kept = DestinationSecrets()
        if KEYRING in {destination.url, destination.secret}:
            kept = self.secrets.known_destination(name) or kept
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
            is_reduced=bool(self.dispatcher.queues.note(destination)),
            address=masked_address(url),
            url_in_vault=destination.url == KEYRING,
            has_secret=bool(destination.secret),
            secret_in_vault=destination.secret == KEYRING,
            users=self.config.current.users[name],
            waiting=waiting.count,
            first_due=waiting.first_due,
            next_due=waiting.next_due,
        )

    def _transport(self) -> TransportView:
        status = self.ingress.way.status
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


def _numbers(tally: Tally, held: Collection[str]) -> Numbers:
    """What waits for a destination in `held` is not due at any time."""
    waiting = [each for name, each in tally.waiting.items() if name not in held]
    first = [each.first_due for each in waiting if each.first_due is not None]
    later = [each.next_due for each in waiting if each.next_due is not None]
    return Numbers(
        by_state=tuple((state.value, tally.by_state.get(state.value, 0)) for state in DeliveryState),
        oldest_due=min(first, default=None),
        next_due=min(later, default=None),
        unfinished_events=tally.unfinished_events,
    )
