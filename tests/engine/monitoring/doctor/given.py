"""Facts of a program in which all is well, to be changed by a test in the one respect that it is about."""

from __future__ import annotations

from typing import Any

import msgspec

from itsjustintv_desktop.engine.config.schema import Config, Destination, Streamer
from itsjustintv_desktop.engine.ingress.catch_up.catch_up import CatchUpState, CatchUpStatus
from itsjustintv_desktop.engine.ingress.transports import TransportState, TransportStatus
from itsjustintv_desktop.engine.monitoring.doctor.facts import (
    ConfigFacts,
    DestinationFacts,
    Facts,
    LedgerFacts,
    MachineFacts,
    ProgramFacts,
    ReachFacts,
    SecretsFacts,
    StreamerFacts,
    TwitchFacts,
)
from itsjustintv_desktop.engine.monitoring.doctor.probe import Probed, Reached
from itsjustintv_desktop.engine.storage.ledger.latest import LastAnswer
from itsjustintv_desktop.engine.storage.secrets import SecretsState
from itsjustintv_desktop.engine.twitch.subscriptions import (
    ChannelState,
    ChannelStatus,
    SubscriptionsState,
    SubscriptionsStatus,
)

NOW = 1_790_000_000.0
DAY = 86400.0
ALICE = Streamer(key="alice", user_id="100", login="alice", destinations=("main",))
MAIN = Destination(name="main", url="https://main.example/hook")
CONFIG = Config(streamers={"alice": ALICE}, destinations={"main": MAIN})


def program(**changes: Any) -> ProgramFacts:
    return ProgramFacts(**{"running": True, "address": "127.0.0.1 port 8080", **changes})


def config(**changes: Any) -> ConfigFacts:
    return ConfigFacts(**{"path": "/there/config.toml", "config": CONFIG, **changes})


def secrets(status: Any = "ready", message: str = "", **changes: Any) -> SecretsFacts:
    state = SecretsState(status=status, message=message, since=NOW)
    return SecretsFacts(**{"has_client_id": True, "has_client_secret": True, "state": state, **changes})


def twitch(**changes: Any) -> TwitchFacts:
    return TwitchFacts(**{"problem": None, "clock_known": True, "clock_problem": None, **changes})


def way(state: TransportState = TransportState.READY, **changes: Any) -> TransportStatus:
    return TransportStatus(
        **{"kind": "own", "state": state, "code": state.value, "message": "The way's own words.", **changes}
    )


def probed(reached: Reached = Reached.YES, **changes: Any) -> Probed:
    until = NOW + 60 * DAY if reached is Reached.YES else None
    return Probed(**{"at": NOW, "host": "me.example", "reached": reached, "certificate_until": until, **changes})


def subscriptions(state: SubscriptionsState = SubscriptionsState.OK, **changes: Any) -> SubscriptionsStatus:
    return SubscriptionsStatus(**{"state": state, "code": state.value, "message": "The reconciler's words.", **changes})


def catch_up(state: CatchUpState = CatchUpState.OK, **changes: Any) -> CatchUpStatus:
    return CatchUpStatus(**{"state": state, "message": "Its own words.", "last_poll": NOW - 120, **changes})


def reach(**changes: Any) -> ReachFacts:
    return ReachFacts(
        **{
            "way": way(),
            "probe": probed(),
            "subscriptions": subscriptions(),
            "catch_up": catch_up(),
            "poll_interval": 300.0,
            "catch_up_max_age": 1800.0,
            "last_message": NOW - 3 * 3600,
            **changes,
        }
    )


def streamer(streamer: Streamer = ALICE, **changes: Any) -> StreamerFacts:
    return StreamerFacts(
        **{
            "streamer": streamer,
            "login": "alice",
            "user_id": "100",
            "subscription": ChannelState(status=ChannelStatus.OK),
            "held": True,
            "destinations": ("main",),
            **changes,
        }
    )


def answer(
    status: int | None = 204, error: str | None = None, *, given_up: bool = False, gave_up_before: bool = False
) -> LastAnswer:
    return LastAnswer(at=NOW - 7200, status=status, error=error, given_up=given_up, gave_up_before=gave_up_before)


def destination(destination: Destination = MAIN, **changes: Any) -> DestinationFacts:
    return DestinationFacts(**{"destination": destination, "used": True, "last": answer(), **changes})


def ledger(**changes: Any) -> LedgerFacts:
    return LedgerFacts(**{"problem": None, "alive": True, **changes})


def machine(free: int | None = 10**11) -> MachineFacts:
    return MachineFacts(free=free, folder="/there/data")


def facts(**changes: Any) -> Facts:
    return Facts(
        **{
            "now": NOW,
            "program": program(),
            "config": config(),
            "secrets": secrets(),
            "twitch": twitch(),
            "reach": reach(),
            "streamers": (streamer(),),
            "destinations": (destination(),),
            "ledger": ledger(),
            "machine": machine(),
            **changes,
        }
    )


def changed(value: Any, **changes: Any) -> Any:
    return msgspec.structs.replace(value, **changes)
