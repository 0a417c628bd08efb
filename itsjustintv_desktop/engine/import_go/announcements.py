"""Entries of retry_state.json and output.json as events and deliveries of ours. Pure, but for pictures being kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from itsjustintv_desktop.engine.core.models import STREAM_ONLINE, DeliveryState, StreamEvent
from itsjustintv_desktop.engine.delivery.responses import clean
from itsjustintv_desktop.engine.import_go import payload as payloads
from itsjustintv_desktop.engine.import_go import values
from itsjustintv_desktop.engine.import_go.names import Names, Who, host_of, stand_in
from itsjustintv_desktop.engine.redaction.spellings import address_secrets
from itsjustintv_desktop.engine.storage.ledger.importing import PAST, QUEUE, ImportedDelivery, ImportedEvent

HISTORY = 5000
"""Most past announcements that are taken over, the newest."""
_MOST_ATTEMPTS = 10_000


@dataclass(slots=True)
class Reading:
    """What became of a list of entries: events by their index, and why others are none."""

    left_out: list[tuple[int, str]] = field(default_factory=list)
    waiting: int = 0
    """How many cannot be judged before the vault is open."""
    homeless: dict[str, str] = field(default_factory=dict)
    """Stand-in name -> host, of addresses that no destination has."""
    old: int = 0
    """How many are so old that they are given up or were not taken."""
    queued: set[str] = field(default_factory=set)
    """Fingerprints of the payloads that wait in the queue."""


def queued(
    entries: Sequence[Any],
    reading: Reading,
    names: Names,
    pictures: payloads.Pictures,
    *,
    now: float,
    latest: float,
    written_at: float,
    max_age: float,
    vault_is_shut: bool,
) -> Iterator[ImportedEvent]:
    """Pending deliveries. `latest` is the last due time there may be, `written_at` when the file was written.

    `vault_is_shut`: some destination's address cannot be read now, so an unknown one may be that.
    """
    for index, entry in enumerate(entries):
        payload, url, fault = _of_queue(entry)
        if payload is None:
            reading.left_out.append((index, fault))
            continue
        who = names.who(payload, entry.get("streamer_key"))
        if who is None:
            reading.left_out.append((index, "it does not say whose stream it is about"))
            continue
        mark = payloads.fingerprint(payload, url)
        name = names.destination(url, who.key)
        if name is None and vault_is_shut:
            reading.waiting += 1
            continue
        at = values.past(payload.get("timestamp"), now) or min(written_at, now)
        reading.old += now - at >= max_age
        attempts = min(values.count(entry.get("attempt")) or 0, _MOST_ATTEMPTS)
        webhook_id = f"msg_{mark[:32]}"
        if name is None:
            name = stand_in(url)
            reading.homeless[name] = host_of(url)
            delivery = ImportedDelivery(
                webhook_id, name, DeliveryState.DEAD, attempts, last_error=_homeless(name, host_of(url))
            )
        else:
            due = min(max(values.moment(entry.get("next_retry")) or now, now), latest)
            delivery = ImportedDelivery(webhook_id, name, DeliveryState.PENDING, attempts, next_at=due)
        yield _event(QUEUE, mark, payload, who, at, pictures, (delivery,))


def _of_queue(entry: Any) -> tuple[Mapping[str, Any] | None, str, str]:
    if not isinstance(entry, dict):
        return None, "", "it is no object"
    payload, url = entry.get("payload"), entry.get("webhook_url")
    if not isinstance(payload, dict) or not payload:
        return None, "", "it has no payload"
    if not isinstance(url, str) or not url.strip():
        return None, "", "it has no webhook_url"
    return payload, url.strip(), ""


def _homeless(name: str, host: str) -> str:
    return (
        f"No destination of the config has the address (at {host}) that the Go service was to send this to. Add one "
        f"with that address under the name {name}, then use resend."
    )


def past(
    entries: Sequence[Any],
    reading: Reading,
    names: Names,
    pictures: payloads.Pictures,
    *,
    addresses: Mapping[str, str],
    now: float,
    history: float,
) -> Iterator[ImportedEvent]:
    """Announcements that are over, oldest first. `addresses` of destinations by name, to hide them in errors."""
    first = max(len(entries) - HISTORY, 0)
    reading.old += first
    for index, entry in enumerate(entries[first:], first):
        payload = entry.get("payload") if isinstance(entry, dict) else None
        if not isinstance(payload, dict) or not payload:
            reading.left_out.append((index, "it has no payload"))
            continue
        success = entry.get("success")
        if not isinstance(success, bool):
            reading.left_out.append((index, "it does not say whether it was delivered"))
            continue
        who = names.who(payload)
        if who is None:
            reading.left_out.append((index, "it does not say whose stream it is about"))
            continue
        at = values.past(entry.get("timestamp"), now) or values.past(payload.get("timestamp"), now)
        if at is None:
            reading.left_out.append((index, "its time cannot be"))
            continue
        if now - at >= history:
            reading.old += 1
            continue
        if not success and payloads.fingerprint(payload) in reading.queued:
            continue  # it is not over: it stands in the queue
        mark = payloads.fingerprint(payload, str(entry.get("timestamp")))
        usual = names.usual(who.key)
        deliveries: tuple[ImportedDelivery, ...] = ()
        if not success:
            name = usual[0] if usual else "go-service"
            deliveries = (_delivery(mark, name, DeliveryState.DEAD, error_of(entry.get("error"), addresses)),)
        elif usual:
            deliveries = (_delivery(mark, usual[0], DeliveryState.DELIVERED, None),)
        yield _event(PAST, mark, payload, who, at, pictures, deliveries)


def _delivery(mark: str, name: str, state: DeliveryState, error: str | None) -> ImportedDelivery:
    return ImportedDelivery(f"msg_{mark[:32]}", name, state, 1, last_error=error)


def error_of(said: Any, addresses: Mapping[str, str]) -> str:
    """What the Go service wrote; it likes to name the whole address."""
    hidden = {part for url in addresses.values() for part in address_secrets(url)}
    text = clean(values.text(said, 2000).encode(), truncated=False, secrets=hidden)
    return f"The Go service: {values.without_addresses(text) or 'not delivered'}"


def _event(
    source: str,
    mark: str,
    payload: Mapping[str, Any],
    who: Who,
    at: float,
    pictures: payloads.Pictures,
    deliveries: tuple[ImportedDelivery, ...],
) -> ImportedEvent:
    stream = payloads.stream_of(payload)
    event = StreamEvent(
        source=source,
        kind=STREAM_ONLINE,
        message_id=f"go:{mark}",
        received_at=at,
        broadcaster_id=who.user_id,
        broadcaster_login=who.login,
        broadcaster_name=values.line(payload.get("streamer_name")) or who.login,
        stream_id=values.line(stream.get("id"), 100),
        started_at=values.moment(stream.get("started_at")),
    )
    made = payloads.convert(payload, login=who.login, user_id=who.user_id, at=at, pictures=pictures)
    return ImportedEvent(event, who.key, made, deliveries)
