"""Subscriptions over Helix: list, create, delete.

Source: Twitch documentation, "Get / Create / Delete EventSub Subscription".
"""

from __future__ import annotations

from typing import Literal

import msgspec
import structlog

from itsjustintv_desktop.engine.errors import (
    SubscriptionExistsError,
    SubscriptionLimitError,
    TwitchRefusedError,
    TwitchUnreachableError,
)
from itsjustintv_desktop.engine.ingress.ways.base import Conduit, Target
from itsjustintv_desktop.engine.twitch.client import TIMEOUT, HelixClient
from itsjustintv_desktop.engine.twitch.subscriptions.models import Held, Holdings

_PATH = "/eventsub/subscriptions"
_MOST_PAGES = 500
"""Twitch's budget of 10,000 makes a hundred pages; disabled ones stay listed for days."""

_log = structlog.get_logger(__name__)


class _Cursor(msgspec.Struct):
    cursor: str = ""


class _Page(msgspec.Struct):
    data: list[msgspec.Raw]
    total_cost: int = 0
    max_total_cost: int = 0
    pagination: _Cursor = msgspec.field(default_factory=_Cursor)


class _Created(msgspec.Struct):
    data: tuple[Held]


class SubscriptionsApi:
    """All raise TwitchError or SecretsError. `client` also tells whether there are points to spare."""

    def __init__(self, client: HelixClient) -> None:
        self.client = client

    def spare(self) -> bool:
        """Whether there are points left beyond what announcements need."""
        return self.client.spare()

    async def list_all(self, *, user_id: str | None = None, timeout: float = TIMEOUT) -> Holdings:
        """Every page, or those about one channel. `timeout` is seconds a page."""
        found: dict[str, Held] = {}
        narrowed = [] if user_id is None else [("user_id", user_id)]
        after = ""
        seen: set[str] = set()
        while True:
            params = [*narrowed, ("after", after)] if after else narrowed
            page = await self.client.request("GET", _PATH, params, decode=_page, timeout=timeout)
            found.update((held.id, held) for held in _items(page))
            after = page.pagination.cursor
            if not after:
                return Holdings(
                    items=tuple(found.values()), total_cost=page.total_cost, max_total_cost=page.max_total_cost
                )
            if after in seen or len(seen) >= _MOST_PAGES:
                raise TwitchUnreachableError("Twitch's list of subscriptions has no end.")
            seen.add(after)

    async def create(
        self,
        type: str,  # noqa: A002 - the field's own name
        version: str,
        user_id: str,
        target: Target,
        secret: str,
        *,
        timeout: float = TIMEOUT,
    ) -> Held:
        """Make one. `secret` is for a webhook. Over a conduit it is enabled at once, a webhook is pending first.

        Raises SubscriptionExistsError, SubscriptionLimitError and the others. It is not tried again by itself: after
        a TwitchUnreachableError it may exist all the same.
        """
        if isinstance(target, Conduit):
            transport = {"method": "conduit", "conduit_id": target.conduit_id}
        else:
            transport = {"method": "webhook", "callback": target.callback, "secret": secret}
        condition = {"broadcaster_user_id": user_id}
        wanted = {"type": type, "version": version, "condition": condition, "transport": transport}
        try:
            return await self.client.request(
                "POST", _PATH, body=msgspec.json.encode(wanted), decode=_created, timeout=timeout
            )
        except TwitchRefusedError as error:
            if error.status == 409:
                raise SubscriptionExistsError(error.message, status=409) from error
            if error.status == 429:
                kind: Literal["alike", "cost"] = "cost" if "cost" in error.message.lower() else "alike"
                raise SubscriptionLimitError(error.message, kind=kind) from error
            raise

    async def delete(self, subscription_id: str, *, timeout: float = TIMEOUT) -> bool:
        """Take one away. False if it was gone already."""
        try:
            await self.client.request(
                "DELETE", _PATH, [("id", subscription_id)], decode=lambda _: None, timeout=timeout
            )
        except TwitchRefusedError as error:
            if error.status != 404:
                raise
            return False
        return True


def _page(body: bytes) -> _Page:
    return msgspec.json.decode(body, type=_Page)


def _created(body: bytes) -> Held:
    return msgspec.json.decode(body, type=_Created).data[0]


def _items(page: _Page) -> list[Held]:
    """Those that are as documented; another one is left alone, like everything we don't understand."""
    items: list[Held] = []
    for raw in page.data:
        try:
            items.append(msgspec.json.decode(raw, type=Held))
        except msgspec.ValidationError as error:
            _log.warning("one subscription in Twitch's list is not as documented", reason=str(error))
    return items
