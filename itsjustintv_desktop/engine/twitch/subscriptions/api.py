"""Subscriptions over Helix: list, create, delete.

Source: Twitch documentation, "Get / Create / Delete EventSub Subscription".
"""

from __future__ import annotations

from typing import Literal

import msgspec

from itsjustintv_desktop.engine.core.errors import (
    SubscriptionExistsError,
    SubscriptionLimitError,
    TwitchRefusedError,
)
from itsjustintv_desktop.engine.core.models import Conduit, Target
from itsjustintv_desktop.engine.twitch.client import TIMEOUT, HelixClient, Params
from itsjustintv_desktop.engine.twitch.helix import every_page
from itsjustintv_desktop.engine.twitch.lenient import Lenient, Page, items_of
from itsjustintv_desktop.engine.twitch.subscriptions.models import Holdings, RemoteSubscription

_PATH = "/eventsub/subscriptions"


class _Page(Page):
    total_cost: int = 0
    max_total_cost: int = 0


class _Known(msgspec.Struct):
    """The answer to a 409 names what is there already, since April 2026."""

    id: str = ""
    data: tuple[RemoteSubscription, ...] = ()


class SubscriptionsApi:
    """All raise TwitchError or SecretsError. `client` also tells whether there are points to spare."""

    def __init__(self, client: HelixClient) -> None:
        self.client = client

    def spare(self) -> bool:
        """Whether there are points left beyond what announcements need."""
        return self.client.spare()

    async def list_all(self, *, user_id: str | None = None, timeout: float = TIMEOUT) -> Holdings:
        """Every page, or those about one channel. `timeout` is seconds a page."""
        narrowed = [] if user_id is None else [("user_id", user_id)]

        async def ask(at: Params) -> _Page:
            return await self.client.request("GET", _PATH, [*narrowed, *at], decode=_page, timeout=timeout)

        items, page, complete = await every_page(_PATH, ask, _items)
        return Holdings(
            items=tuple(items),
            total_cost=page.total_cost,
            max_total_cost=page.max_total_cost,
            complete=complete,
        )

    async def create(
        self,
        type: str,  # noqa: A002 - the field's own name
        version: str,
        user_id: str,
        target: Target,
        secret: str,
        *,
        timeout: float = TIMEOUT,
    ) -> RemoteSubscription:
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
                raise SubscriptionExistsError(error.message, existing=_existing(error.body)) from error
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


_page = Lenient(_Page).decode
_held = Lenient(RemoteSubscription)
_known = Lenient(_Known)


def _items(page: Page) -> list[RemoteSubscription]:
    """Those with an id; another one is left alone, like everything we don't understand."""
    return items_of(page, _held, _PATH)


def _created(body: bytes) -> RemoteSubscription:
    items = _items(_page(body))
    if not items:
        raise msgspec.ValidationError("it holds no subscription")
    return items[0]


def _existing(body: bytes) -> str:
    """The id in the answer to a 409, "" where there is none."""
    try:
        known = _known.decode(body)
    except msgspec.DecodeError:
        return ""
    return known.id or next((held.id for held in known.data), "")
