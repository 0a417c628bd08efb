"""One announcement on its way: its body in the destination's format, and once more in a plainer one if that is refused.

Decoration must never keep the news from arriving. A receiver that refuses a message for what is only decoration (a
picture too large for it, one that it cannot load, an embed it does not like) gets the same news without it, at once
and once. What was refused was not taken, so nothing comes twice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import structlog

from itsjustintv_desktop.engine.config.destinations import format_of
from itsjustintv_desktop.engine.config.schema import Destination
from itsjustintv_desktop.engine.core.models import AttemptResult, Outcome
from itsjustintv_desktop.engine.delivery.attempt import Sender
from itsjustintv_desktop.engine.delivery.destination_queues import ONLY_A_LINK
from itsjustintv_desktop.engine.delivery.formats import json
from itsjustintv_desktop.engine.delivery.formats.base import TOO_LARGE, Format

ReadImage = Callable[[str], Awaitable[bytes | None]]

_STILL_TOO_LARGE = '{}; it was tried without the picture as well (picture = "link")'
_AS_TEXT = "Sent as text alone, without pictures, because the receiver refused the full message: {}."
_AS_TEXT_AGAIN = "Sent as text alone, without pictures, because the receiver refused the full message before."

_log = structlog.get_logger(__name__)


class Messages:
    """Makes bodies and has them sent."""

    def __init__(self, sender: Sender, read_image: ReadImage) -> None:
        """`read_image`: the bytes of a picture by its SHA-256, None if they are gone."""
        self._sender = sender
        self._read_image = read_image

    async def body(
        self, destination: Destination, kind: Format, payload: dict[str, Any], *, plain: bool
    ) -> tuple[bytes, str]:
        """Body and content type."""
        image = payload.get("image")
        wanted = kind.carries_picture and destination.picture == "data" and not plain
        data = await self._read_image(image["sha256"]) if image and wanted else None
        return kind.render(payload, data, picture=destination.picture, plain=plain), kind.content_type

    async def prepare(
        self,
        destination: Destination,
        payload: dict[str, Any],
        *,
        url: str,
        secret: str | None,
        webhook_id: str,
        only_link: bool = False,
        as_text: bool = False,
        traceparent: str | None = None,
    ) -> Callable[[], Awaitable[AttemptResult]]:
        """Everything but the sending, which is what comes back: one attempt, with a second POST in the plainer form
        where the first was refused for its decoration.

        `only_link`: the destination is known to refuse the picture; `AttemptResult.only_link` says when it turned out
        to be so. `as_text`: in a format without the picture's bytes, the plainer form from the start. `traceparent`:
        the W3C header; the destination's own headers win over it.
        """
        kind = format_of(destination, url)
        secret = secret if kind.signed else None
        if traceparent is not None and kind.traced:
            more = {"traceparent": traceparent, **destination.headers}
            destination = msgspec.structs.replace(destination, headers=more)
        plain = only_link and destination.picture == "data" if kind.carries_picture else as_text
        body, content_type = await self.body(destination, kind, payload, plain=plain)

        async def post(body: bytes, content_type: str) -> AttemptResult:
            return await self._sender.post(
                destination, url=url, secret=secret, webhook_id=webhook_id, body=body, content_type=content_type
            )

        async def send() -> AttemptResult:
            first = await post(body, content_type)
            if plain:
                return _plain(kind, first, _AS_TEXT_AGAIN)
            if first.status not in kind.refusals:
                return first
            plainer, its_type = await self.body(destination, kind, payload, plain=True)
            if plainer == body:
                return first
            _log.info("refused, and sent once more in a plainer form", status=first.status, reason=first.error)
            second = await post(plainer, its_type)
            second = msgspec.structs.replace(second, duration=first.duration + second.duration)
            return _plain(kind, second, _AS_TEXT.format(first.error))

        return send


def _plain(kind: Format, result: AttemptResult, as_text: str) -> AttemptResult:
    """What came of the plainer form. Only what arrived is noted to have arrived so."""
    if kind.carries_picture and result.status == TOO_LARGE:
        return msgspec.structs.replace(result, error=_STILL_TOO_LARGE.format(result.error))
    note = ONLY_A_LINK if kind.carries_picture else as_text
    return msgspec.structs.replace(
        result,
        note=note if result.outcome is Outcome.DELIVERED else None,
        only_link=kind.carries_picture,
        as_text=not kind.carries_picture,
    )


def complete_payload(load_image: Callable[[str], bytes | None], payload: dict[str, Any]) -> dict[str, Any]:
    """A stored payload with its picture's bytes, as the json format sends it. Reads a file: call it in a thread."""
    image = payload.get("image")
    return json.complete(payload, load_image(image["sha256"]) if image else None)
