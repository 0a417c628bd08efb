"""EventSub subscriptions: listed, compared with the config, created, repaired and deleted."""

from itsjustintv_desktop.engine.twitch.subscriptions.apply import SubscriptionsApi
from itsjustintv_desktop.engine.twitch.subscriptions.models import (
    ChannelState,
    ChannelStatus,
    Listing,
    SubscriptionsState,
    SubscriptionsStatus,
    SubscriptionView,
    SyncReport,
)
from itsjustintv_desktop.engine.twitch.subscriptions.reconciler import Reconciler

__all__ = [
    "ChannelState",
    "ChannelStatus",
    "Listing",
    "Reconciler",
    "SubscriptionView",
    "SubscriptionsApi",
    "SubscriptionsState",
    "SubscriptionsStatus",
    "SyncReport",
]
