"""One delivery with all that is known of it: every attempt, and the request as it would be sent now."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from itsjustintv_desktop.engine.api.feed import pretty, shortened
from itsjustintv_desktop.engine.api.masking import MASK, masked_address
from itsjustintv_desktop.engine.config.active import ConfigHolder
from itsjustintv_desktop.engine.config.destinations import format_of
from itsjustintv_desktop.engine.config.schema import Destination
from itsjustintv_desktop.engine.core.errors import ConfigError, SecretsError
from itsjustintv_desktop.engine.core.models import DeliveryState, DeliveryView
from itsjustintv_desktop.engine.delivery.attempt import Messages, Sender
from itsjustintv_desktop.engine.delivery.dispatcher import Dispatcher
from itsjustintv_desktop.engine.storage.ledger import Ledger
from itsjustintv_desktop.engine.storage.ledger.changing import Attempted

_SHOWN = frozenset({"content-type", "user-agent", "accept-encoding", "webhook-id", "webhook-timestamp"})
"""Headers whose values are ours and no secret, unless the destination sets them itself."""


class AttemptView(msgspec.Struct, frozen=True, kw_only=True):
    """`outcome`: delivered, failed (it is tried again), refused (it was the last), interrupted (the program ended
    before the answer came), or under way. `answer`: what the receiver wrote, without anything secret it echoed."""

    number: int
    started_at: float
    duration: float | None
    status: int | None
    error: str
    answer: str
    outcome: str


class RequestView(msgspec.Struct, frozen=True, kw_only=True):
    """What would be sent now. Signatures and the destination's own headers are dots; of the address the host is shown.

    `body` is JSON to read, with a picture's data shortened; `size` is that of the real one, in bytes.
    """

    method: str
    address: str
    headers: tuple[tuple[str, str], ...]
    body: str
    size: int
    signed: bool


class DeliveryDetails(msgspec.Struct, frozen=True, kw_only=True):
    """Times are Unix seconds."""

    view: DeliveryView
    test: bool
    attempts: tuple[AttemptView, ...]
    """Oldest first; of very many the last 200."""
    request: RequestView | None
    problem: str
    """Why there is no request: the destination was removed, or its address cannot be had now."""


class DetailsReader:
    """Reads one delivery, and makes the request for it without sending it."""

    def __init__(
        self,
        ledger: Ledger,
        dispatcher: Dispatcher,
        sender: Sender,
        read_image: Callable[[str], Awaitable[bytes | None]],
        config: ConfigHolder,
    ) -> None:
        self._ledger = ledger
        self._dispatcher = dispatcher
        self._sender = sender
        self._messages = Messages(sender, read_image)
        self._config = config

    async def of(self, delivery_id: int) -> DeliveryDetails:
        """Raises NotFoundError, LedgerError."""
        view = await self._ledger.delivery(delivery_id)
        attempts = await self._ledger.attempted(delivery_id)
        record = await self._ledger.event(view.event_id)
        request, problem = None, "What it announces is not in the ledger any more."
        if record is not None and record.payload is not None:
            request, problem = await self._request(view, record.payload)
        return DeliveryDetails(
            view=view,
            test=record is not None and record.event.test,
            attempts=tuple(_attempt(each, view, last=each is attempts[-1]) for each in attempts),
            request=request,
            problem=problem,
        )

    async def _request(self, view: DeliveryView, stored: bytes) -> tuple[RequestView | None, str]:
        destination = self._config.current.destinations.get(view.destination)
        if destination is None:
            return None, "The destination was removed from the config."
        try:
            url, secret = await self._dispatcher.address(destination)
            payload: dict[str, Any] = msgspec.json.decode(stored)
            kind = format_of(destination, url or "")
            only_link = kind.carries_picture and self._dispatcher.queues.only_link(view.destination) is not None
            body, content_type = await self._messages.body(destination, kind, payload, plain=only_link)
            secret = secret if kind.signed else None
            headers = self._sender.headers(destination, secret, view.webhook_id, body, content_type)
        except SecretsError as error:
            return None, error.message
        except ConfigError as error:
            return None, error.problems[0]
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None, "What it announces is damaged in the ledger."
        if not url:
            return None, "The destination has no address. Set its url."
        shown = RequestView(
            method="POST",
            address=masked_address(url),
            headers=tuple((str(name), _masked(name, value, destination)) for name, value in headers.items()),
            body=pretty(shortened(msgspec.json.decode(body))),
            size=len(body),
            signed=secret is not None,
        )
        return shown, ""


def _masked(name: str, value: str, destination: Destination) -> str:
    own = {each.casefold() for each in destination.headers}
    return value if name.casefold() in _SHOWN - own else MASK


def _attempt(made: Attempted, view: DeliveryView, *, last: bool) -> AttemptView:
    if made.duration is None:
        outcome = "interrupted" if made.error is not None or not last else "under way"
    elif made.error is None:
        outcome = "delivered"
    else:
        outcome = "refused" if last and view.state is DeliveryState.DEAD else "failed"
    return AttemptView(
        number=made.number,
        started_at=made.started_at,
        duration=made.duration,
        status=made.status,
        error=made.error or "",
        answer=made.answer,
        outcome=outcome,
    )
